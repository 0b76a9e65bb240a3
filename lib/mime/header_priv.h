/* A header block, field by field, and the tokens of structured fields (RFC 5322 3.2). */
#ifndef MIME_HEADER_PRIV_H
#define MIME_HEADER_PRIV_H

#include "base/str.h"

struct header_field {
	struct str_view name;  /* without trailing blanks and colon */
	struct str_view value; /* trimmed, still folded */
};

/* Cuts the next field off *rest; false at the blank line or the end.  What has no colon, or a
 * name that can't be one ("From " of mbox), is passed over. */
bool header_next(struct str_view *rest, struct header_field *field);

/* Cuts the next line off *rest with what continues it and its line end, field or not; false at the end. */
bool header_line_next(struct str_view *rest, struct str_view *line_r);

/*
 * A structured field's value, read from p to end.  A quote or a comment that never closes is an
 * ordinary character, and the lexer remembers so, which keeps it linear.
 */
struct lex {
	const char *p, *end;
	bool no_quotes, no_comments;
};

static inline struct lex lex_of(struct str_view s)
{
	/* An empty view may have no address, to which not even 0 may be added. */
	return (struct lex){.p = s.p, .end = s.n ? s.p + s.n : s.p};
}
static inline bool lex_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* At a quoted string: moves behind it and gives what is between the quotes, escapes and all. */
bool lex_quoted(struct lex *l, struct str_view *inside_r);
/* At a comment: the same, with comments nested in it. */
bool lex_comment(struct lex *l, struct str_view *inside_r);
/* Moves behind blanks and comments; true if there were any. */
bool lex_skip(struct lex *l);
/* A token (RFC 2045 5.1), empty if there is none. */
struct str_view lex_token(struct lex *l);

/* Appends with escapes resolved and line breaks left out. */
void lex_unescape(struct str_view inside, struct str_buf *out);

#endif

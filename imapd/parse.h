/*
 * The parser of command arguments (RFC 3501 9).  It walks over one whole command, literals
 * included ("{3}\r\nabc" as they came), changes nothing, and allocates only in the command's arena.
 * The first complaint stays in `bad`: fixed words that the peer is told behind BAD.
 */
#ifndef IMAPD_PARSE_H
#define IMAPD_PARSE_H

#include "base/arena.h"
#include "base/str.h"
#include "imapd/seq.h"

#include <stdbool.h>
#include <stdint.h>

/* What a peer may make us hold, from the settings. */
struct parse_limits {
	uint32_t nesting_max; /* parentheses within each other */
	uint32_t list_max;    /* elements of one list */
	uint32_t keyword_max; /* octets of one keyword */
};

struct parse {
	const char *p, *end;
	struct arena *arena;
	const struct parse_limits *limits;
	const char *bad;
	bool utf8; /* names are UTF-8 (RFC 9755 3, RFC 9051 5.1), not modified UTF-7 */
};

/* Notes a complaint if there is none yet; always false.  The words may begin with a response code. */
bool parse_bad(struct parse *p, const char *words);
extern const char parse_uid_required[]; /* a message number, with UIDONLY (RFC 9586 3.1) */
bool parse_at_end(const struct parse *p);
bool parse_end(struct parse *p); /* nothing may follow */
char parse_peek(const struct parse *p); /* '\0' at the end */
bool parse_char(struct parse *p, char c); /* must come */
bool parse_space(struct parse *p);        /* exactly one blank must come */
bool parse_try(struct parse *p, char c);  /* taken if it comes; no complaint */
/* The word in any case, ended by a blank, ')' or the end; no complaint. */
bool parse_try_word(struct parse *p, const char *word);

/* Views last as long as the command. */
bool parse_atom(struct parse *p, struct str_view *atom_r);
bool parse_astring(struct parse *p, struct str_view *text_r);
bool parse_string(struct parse *p, struct str_view *text_r);
bool parse_nstring(struct parse *p, struct str_view *text_r); /* NIL: p = NULL, n = 0 */
bool parse_nstring8(struct parse *p, struct str_view *text_r); /* or a binary literal (RFC 3516) */
bool parse_number(struct parse *p, uint32_t *n_r);
bool parse_modseq(struct parse *p, bool zero_too, struct store_modseq *modseq_r); /* RFC 7162 7 */
/* partial-range of RFC 9394 4, "1:100", or from the end "-1:-100": positions from 1, from <= to. */
struct partial {
	uint32_t from, to;
	bool from_end;
	struct str_view text; /* as it was written */
};
bool parse_partial(struct parse *p, struct partial *partial_r);
bool parse_set(struct parse *p, struct seq_set *set_r);
/* The name as UTF-8 in NFC, INBOX in upper case, without a '/' at its end.  A name that can't be a
 * folder's is no mistake of syntax: NULL then. */
bool parse_mailbox(struct parse *p, const char **name_r);
/* list-mailbox: '%' and '*' may stand in it. */
bool parse_pattern(struct parse *p, struct str_view *pattern_r);

struct flag_list {
	uint32_t flags; /* enum store_flag */
	const char **keywords;
	size_t keywords_n;
};
/* "(\Seen work)"; without parentheses too where bare_too (STORE). */
bool parse_flags(struct parse *p, bool bare_too, struct flag_list *list_r);

#endif

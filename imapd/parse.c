/* imapd/parse.c - tokens of RFC 3501 9.  NUL comes here in binary literals only, octets above 127 in
 * literals, and in quoted strings where the client enabled UTF-8: read.c refuses them elsewhere. */
#include "imapd/parse.h"

#include "imapd/name.h"
#include "mime/decode.h"
#include "store/folder.h"

#include <string.h>

enum char_class { ATOM = 1, ASTRING = 2, LIST = 4 };

/* Which octets may stand in an atom, an astring that is not a string, a list-mailbox. */
static unsigned char_class(unsigned char c)
{
	if (c <= 0x20 || c >= 0x7f || strchr("(){\"\\", c))
		return 0;
	if (c == '%' || c == '*')
		return LIST;
	return c == ']' ? ASTRING | LIST : ATOM | ASTRING | LIST;
}

const char parse_uid_required[] = "[UIDREQUIRED] Message numbers can't be used with UIDONLY";

bool parse_bad(struct parse *p, const char *words)
{
	if (!p->bad)
		p->bad = words;
	return false;
}

bool parse_at_end(const struct parse *p)
{
	return p->p == p->end;
}

bool parse_end(struct parse *p)
{
	return parse_at_end(p) || parse_bad(p, "Unexpected text behind the last argument");
}

char parse_peek(const struct parse *p)
{
	return p->p < p->end ? *p->p : '\0';
}

bool parse_try(struct parse *p, char c)
{
	if (p->p == p->end || *p->p != c)
		return false;
	p->p++;
	return true;
}

bool parse_char(struct parse *p, char c)
{
	if (parse_try(p, c))
		return true;
	return parse_bad(p, c == '(' ? "A list in parentheses must stand here" :
	        c == ')' ? "A closing parenthesis is missing" : "Unexpected character");
}

bool parse_space(struct parse *p)
{
	if (parse_try(p, ' '))
		return true;
	return parse_bad(p, parse_at_end(p) ? "An argument is missing" : "A blank is missing");
}

bool parse_try_word(struct parse *p, const char *word)
{
	size_t n = strlen(word);
	const char *behind = p->p + n;

	if ((size_t)(p->end - p->p) < n || strncasecmp(p->p, word, n) != 0)
		return false;
	if (behind < p->end && *behind != ' ' && *behind != ')')
		return false;
	p->p = behind;
	return true;
}

static bool run_of(struct parse *p, unsigned class, struct str_view *run_r)
{
	const char *from = p->p;

	while (p->p < p->end && (char_class((unsigned char)*p->p) & class))
		p->p++;
	*run_r = str_view(from, (size_t)(p->p - from));
	return run_r->n > 0;
}

bool parse_atom(struct parse *p, struct str_view *atom_r)
{
	return run_of(p, ATOM, atom_r) || parse_bad(p, "An atom must stand here");
}

/* Behind the opening quote. */
static bool quoted(struct parse *p, struct str_view *text_r)
{
	const char *from = p->p;
	struct str_buf plain = {0};
	bool escaped = false, closed = false;

	for (; p->p < p->end && !closed; p->p++) {
		char c = *p->p;

		if (c == '\r' || c == '\n')
			return parse_bad(p, "A quoted string can't hold a line end");
		if (c == '\\') {
			p->p++;
			if (p->p == p->end || (*p->p != '"' && *p->p != '\\'))
				return parse_bad(p, "Only \" and \\ can stand behind a \\");
			escaped = true;
		} else {
			closed = c == '"';
		}
	}
	if (!closed)
		return parse_bad(p, "A closing quote is missing");
	*text_r = str_view(from, (size_t)(p->p - 1 - from));
	if (!escaped)
		return true;
	plain.p = arena_alloc(p->arena, text_r->n);
	for (const char *s = from; s < p->p - 1; s++) {
		s += *s == '\\';
		plain.p[plain.n++] = *s;
	}
	*text_r = str_buf_view(&plain);
	return true;
}

/* "{3}" or "{3+}", CRLF and the octets: read.c has seen to it that they are there. */
static bool literal(struct parse *p, struct str_view *text_r)
{
	uint64_t n = 0;
	const char *close = memchr(p->p, '}', (size_t)(p->end - p->p));

	if (!close)
		return parse_bad(p, "A literal's length is not well-formed");
	struct str_view digits = str_view(p->p, (size_t)(close - p->p));

	if (digits.n && digits.p[digits.n - 1] == '+')
		digits.n--;
	if (!str_number(digits, UINT32_MAX, &n) || p->end - close < 3 || close[1] != '\r' ||
	    close[2] != '\n' || (uint64_t)(p->end - close - 3) < n)
		return parse_bad(p, "A literal's length is not well-formed");
	*text_r = str_view(close + 3, (size_t)n);
	p->p = close + 3 + n;
	return true;
}

bool parse_string(struct parse *p, struct str_view *text_r)
{
	if (parse_try(p, '"'))
		return quoted(p, text_r);
	if (parse_try(p, '{'))
		return literal(p, text_r);
	return parse_bad(p, "A string must stand here");
}

bool parse_nstring8(struct parse *p, struct str_view *text_r)
{
	if (p->end - p->p < 2 || memcmp(p->p, "~{", 2) != 0)
		return parse_nstring(p, text_r);
	p->p += 2;
	return literal(p, text_r);
}

bool parse_astring(struct parse *p, struct str_view *text_r)
{
	char c = parse_peek(p);

	if (c == '"' || c == '{')
		return parse_string(p, text_r);
	return run_of(p, ASTRING, text_r) || parse_bad(p, "A string must stand here");
}

bool parse_nstring(struct parse *p, struct str_view *text_r)
{
	if (parse_try_word(p, "NIL")) {
		*text_r = (struct str_view){NULL, 0};
		return true;
	}
	return parse_string(p, text_r);
}

bool parse_number(struct parse *p, uint32_t *n_r)
{
	const char *from = p->p;
	uint64_t n;

	while (p->p < p->end && *p->p >= '0' && *p->p <= '9')
		p->p++;
	if (!str_number(str_view(from, (size_t)(p->p - from)), UINT32_MAX, &n))
		return parse_bad(p, "A number of 32 bits must stand here");
	*n_r = (uint32_t)n;
	return true;
}

bool parse_modseq(struct parse *p, bool zero_too, struct store_modseq *modseq_r)
{
	const char *from = p->p;
	uint64_t n;

	while (p->p < p->end && *p->p >= '0' && *p->p <= '9')
		p->p++;
	if (!str_number(str_view(from, (size_t)(p->p - from)), INT64_MAX, &n) || (n == 0 && !zero_too))
		return parse_bad(p, "A modification sequence of 63 bits must stand here");
	modseq_r->n = n;
	return true;
}

bool parse_partial(struct parse *p, struct partial *partial_r)
{
	const char *from = p->p;
	uint32_t a, b;
	bool minus = parse_try(p, '-');

	if (!parse_number(p, &a) || !parse_char(p, ':'))
		return false;
	if (minus != parse_try(p, '-'))
		return parse_bad(p, "A range counts from one end");
	if (!parse_number(p, &b))
		return false;
	if (a == 0 || b == 0)
		return parse_bad(p, "Positions count from 1");
	*partial_r = (struct partial){.from = a < b ? a : b, .to = a < b ? b : a, .from_end = minus,
	    .text = str_view(from, (size_t)(p->p - from))};
	return true;
}

bool parse_set(struct parse *p, struct seq_set *set_r)
{
	size_t n = seq_parse(str_view(p->p, (size_t)(p->end - p->p)), p->arena, set_r);

	p->p += n;
	return n > 0 || parse_bad(p, "A set of numbers must stand here");
}

/* UTF-8 in NFC for what stands on the wire; n = 0 and p = NULL where it can't be a name. */
static struct str_view to_utf8(struct parse *p, struct str_view wire)
{
	struct str_buf name = {0}, nfc = {0};
	struct str_view kept = {NULL, 0};

	if ((p->utf8 || name_decode(wire, &name)) &&
	    mime_nfc(p->utf8 ? wire : str_buf_view(&name), &nfc))
		kept = str_view(arena_strn(p->arena, nfc.p ? nfc.p : "", nfc.n), nfc.n);
	str_buf_fini(&name);
	str_buf_fini(&nfc);
	return kept;
}

bool parse_mailbox(struct parse *p, const char **name_r)
{
	struct str_view wire, name;
	struct str_buf nfc = {0};
	struct err e;

	if (!parse_astring(p, &wire))
		return false;
	name = to_utf8(p, wire);
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	*name_r = NULL;
	if (name.n && folder_name_check(name, &nfc, &e) == 0)
		*name_r = arena_strn(p->arena, nfc.p, nfc.n);
	str_buf_fini(&nfc);
	return true;
}

bool parse_pattern(struct parse *p, struct str_view *pattern_r)
{
	struct str_view wire;
	char c = parse_peek(p);

	if (c == '"' || c == '{') {
		if (!parse_string(p, &wire))
			return false;
	} else if (!run_of(p, LIST, &wire)) {
		return parse_bad(p, "A name or pattern must stand here");
	}
	*pattern_r = to_utf8(p, wire);
	return true;
}

static const struct {
	const char *name;
	uint32_t flag;
} system_flags[] = {
	{"\\Seen", STORE_FLAG_SEEN},
	{"\\Answered", STORE_FLAG_ANSWERED},
	{"\\Flagged", STORE_FLAG_FLAGGED},
	{"\\Deleted", STORE_FLAG_DELETED},
	{"\\Draft", STORE_FLAG_DRAFT},
};

static bool system_flag(struct parse *p, struct flag_list *list)
{
	const char *from = p->p++;
	struct str_view name;

	run_of(p, ATOM, &name);
	name = str_view(from, (size_t)(p->p - from));
	for (size_t i = 0; i < sizeof system_flags / sizeof *system_flags; i++) {
		if (name.n == strlen(system_flags[i].name) &&
		    strncasecmp(name.p, system_flags[i].name, name.n) == 0) {
			list->flags |= system_flags[i].flag;
			return true;
		}
	}
	if (str_equal_nocase(name, SV("\\Recent")))
		return parse_bad(p, "\\Recent is the server's to set");
	return parse_bad(p, "There is no such system flag");
}

static bool one_flag(struct parse *p, struct flag_list *list)
{
	struct str_view name;

	if (parse_peek(p) == '\\')
		return system_flag(p, list);
	if (!run_of(p, ATOM, &name))
		return parse_bad(p, "A flag must stand here");
	if (name.n > p->limits->keyword_max)
		return parse_bad(p, "The keyword is too long");
	/* Doubled when full; the first room is for the few that a command mostly names. */
	if (list->keywords_n >= 4 && (list->keywords_n & (list->keywords_n - 1)) == 0) {
		const char **more = ARENA_ARRAY(p->arena, const char *, list->keywords_n * 2);

		memcpy(more, list->keywords, list->keywords_n * sizeof *more);
		list->keywords = more;
	} else if (!list->keywords) {
		list->keywords = ARENA_ARRAY(p->arena, const char *, 4);
	}
	list->keywords[list->keywords_n++] = arena_strn(p->arena, name.p, name.n);
	return true;
}

bool parse_flags(struct parse *p, bool bare_too, struct flag_list *list_r)
{
	struct flag_list list = {0};
	bool bare = bare_too && parse_peek(p) != '(';
	uint32_t n = 0;

	if (!bare && !parse_char(p, '('))
		return false;
	while (bare ? n == 0 || parse_try(p, ' ') : !parse_try(p, ')')) {
		if (!bare && n > 0 && !parse_space(p))
			return false;
		if (++n > p->limits->list_max)
			return parse_bad(p, "The list is too long");
		if (!one_flag(p, &list))
			return false;
	}
	*list_r = list;
	return true;
}

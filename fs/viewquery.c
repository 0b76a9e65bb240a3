/* fs/viewquery.c - a query in a path, read. */
#include "fs/viewquery.h"

#include "mime/decode.h"

#include <string.h>
#include <strings.h>
#include <time.h>

/* Parentheses and dashes within each other; a path's component is no longer than 255 octets anyway. */
#define DEPTH_MAX 30
#define IN_MAX 32

struct reader {
	const char *begin, *p, *end;
	int64_t now_s;
	struct arena *arena;
	unsigned depth;
	bool has_or; /* outside parentheses */
	struct viewquery_in *in;
	size_t in_n;
	bool is_of_now;
	struct viewquery_fault fault;
};

/* false, always. */
static bool refuse(struct reader *r, const char *at, const char *text)
{
	if (!r->fault.text)
		r->fault = (struct viewquery_fault){text, (size_t)(at - r->begin)};
	return false;
}

static struct search_key *new_key(struct reader *r, enum search_kind kind)
{
	struct search_key *k = ARENA_NEW(r->arena, struct search_key);

	k->kind = kind;
	return k;
}

static struct search_key *new_not(struct reader *r, struct search_key *child)
{
	struct search_key *k = new_key(r, SEARCH_NOT);

	k->children = child;
	return k;
}

/* ---- values ---- */

struct value {
	struct str_view text;
	const char *at;
};

static bool text_key(struct reader *r, struct search_key *k, const struct value *v)
{
	(void)r;
	k->text = v->text;
	return true;
}

static bool size_key(struct reader *r, struct search_key *k, const struct value *v)
{
	static const char units[] = "kmg";
	struct str_view digits = v->text;
	const char *unit = digits.n ? strchr(units, digits.p[digits.n - 1] | 0x20) : NULL;
	uint64_t n;

	if (unit && *unit)
		digits.n--;
	if (!str_number(digits, (uint64_t)1 << 32, &n))
		return refuse(r, v->at, "a size is a number, which may end in k, M or G");
	for (const char *u = units; unit && *unit && u <= unit; u++)
		n *= 1024;
	k->number = n;
	return true;
}

/* YYYY, YYYY-MM or YYYY-MM-DD: its first day, and the one behind its last. */
static bool read_days(struct reader *r, const struct value *v, int32_t *first_r, int32_t *behind_r)
{
	uint64_t part[3] = {0, 1, 1}, n = 0;
	struct str_view rest = v->text;
	struct tm tm = {0};

	for (const char *dash; n < 3; n++) {
		size_t width = n ? 2 : 4;

		dash = memchr(rest.p, '-', rest.n);
		if (!str_number(str_view(rest.p, dash ? (size_t)(dash - rest.p) : rest.n), 9999, &part[n]) ||
		    (dash ? (size_t)(dash - rest.p) : rest.n) != width)
			return refuse(r, v->at, "a day is YYYY-MM-DD, or YYYY-MM, or YYYY");
		rest = dash ? str_view(dash + 1, rest.n - width - 1) : str_view(rest.p + rest.n, 0);
		if (!dash)
			break;
	}
	if (n == 3 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31)
		return refuse(r, v->at, "there is no such day");
	tm.tm_year = (int)part[0] - 1900;
	tm.tm_mon = (int)part[1] - 1;
	tm.tm_mday = (int)part[2];
	*first_r = (int32_t)(timegm(&tm) / 86400);
	if (tm.tm_mday != (int)part[2])
		return refuse(r, v->at, "there is no such day");
	tm.tm_mday += n == 2;
	tm.tm_mon += n == 1;
	tm.tm_year += n == 0;
	*behind_r = (int32_t)(timegm(&tm) / 86400);
	return true;
}

/* since: from its first day on; before: until then. */
static bool day_key(struct reader *r, struct search_key *k, const struct value *v)
{
	int32_t behind;

	return read_days(r, v, &k->day, &behind);
}

/* on: within it, be it a day, a month or a year.  k is SEARCH_SINCE, or SEARCH_SENT_SINCE. */
static bool on_key(struct reader *r, struct search_key *k, const struct value *v)
{
	struct search_key *since = new_key(r, k->kind), *before;

	before = new_key(r, k->kind == SEARCH_SINCE ? SEARCH_BEFORE : SEARCH_SENT_BEFORE);
	since->next = before;
	k->kind = SEARCH_AND;
	k->children = since;
	return read_days(r, v, &since->day, &before->day);
}

/* 7d, 2w: so long ago. */
static bool ago_key(struct reader *r, struct search_key *k, const struct value *v)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = {{'h', 3600}, {'d', 86400}, {'w', 7 * 86400}, {'m', 30 * 86400}, {'y', 365 * 86400}};
	uint64_t n;

	for (size_t i = 0; v->text.n > 1 && i < sizeof units / sizeof *units; i++)
		if (v->text.p[v->text.n - 1] == units[i].unit &&
		    str_number(str_view(v->text.p, v->text.n - 1), 100000, &n)) {
			k->at_s = r->now_s - (int64_t)n * units[i].s;
			r->is_of_now = true;
			return true;
		}
	return refuse(r, v->at, "a time is a number with h, d, w, m or y");
}

static bool is_key(struct reader *r, struct search_key *k, const struct value *v)
{
	static const struct {
		const char *name;
		uint32_t flag;
		bool is_not;
	} states[] = {
	    {"unread", STORE_FLAG_SEEN, true},
	    {"unseen", STORE_FLAG_SEEN, true},
	    {"read", STORE_FLAG_SEEN, false},
	    {"seen", STORE_FLAG_SEEN, false},
	    {"flagged", STORE_FLAG_FLAGGED, false},
	    {"unflagged", STORE_FLAG_FLAGGED, true},
	    {"answered", STORE_FLAG_ANSWERED, false},
	    {"unanswered", STORE_FLAG_ANSWERED, true},
	    {"deleted", STORE_FLAG_DELETED, false},
	    {"undeleted", STORE_FLAG_DELETED, true},
	    {"draft", STORE_FLAG_DRAFT, false},
	};

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		struct search_key *flag = k;

		if (!str_equal_nocase(v->text, str_view(states[i].name, strlen(states[i].name))))
			continue;
		if (states[i].is_not) {
			flag = new_key(r, SEARCH_FLAG);
			k->kind = SEARCH_NOT;
			k->children = flag;
		}
		flag->flags = states[i].flag;
		return true;
	}
	return refuse(r, v->at, "is: read, unread, flagged, unflagged, answered, unanswered, deleted, undeleted, draft");
}

static bool label_key(struct reader *r, struct search_key *k, const struct value *v)
{
	(void)r;
	k->text = v->text;
	return true;
}

/* header:NAME=TEXT, or header:NAME, which is there then. */
static bool header_key(struct reader *r, struct search_key *k, const struct value *v)
{
	const char *equals = memchr(v->text.p, '=', v->text.n);
	size_t n = equals ? (size_t)(equals - v->text.p) : v->text.n;

	if (n == 0)
		return refuse(r, v->at, "header: wants a field's name");
	k->name = arena_strn(r->arena, v->text.p, n);
	k->text = equals ? str_view(equals + 1, v->text.n - n - 1) : SV("");
	return true;
}

static bool id_key(struct reader *r, struct search_key *k, const struct value *v)
{
	struct str_view id = v->text;

	(void)r;
	k->name = "message-id";
	if (id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = str_view(id.p + 1, id.n - 2);
	k->text = id;
	return true;
}

static const struct {
	const char *name;
	enum search_kind kind;
	const char *field; /* of SEARCH_ADDRESS, SEARCH_HEADER */
	bool (*read)(struct reader *r, struct search_key *k, const struct value *v);
} keys[] = {
    {"from", SEARCH_ADDRESS, "from", text_key},
    {"to", SEARCH_ADDRESS, "to", text_key},
    {"cc", SEARCH_ADDRESS, "cc", text_key},
    {"bcc", SEARCH_ADDRESS, "bcc", text_key},
    {"subject", SEARCH_HEADER, "subject", text_key},
    {"body", SEARCH_BODY, NULL, text_key},
    {"text", SEARCH_TEXT, NULL, text_key},
    {"header", SEARCH_HEADER, NULL, header_key},
    {"id", SEARCH_HEADER, NULL, id_key},
    {"is", SEARCH_FLAG, NULL, is_key},
    {"label", SEARCH_KEYWORD, NULL, label_key},
    {"since", SEARCH_SINCE, NULL, day_key},
    {"before", SEARCH_BEFORE, NULL, day_key},
    {"on", SEARCH_SINCE, NULL, on_key},
    {"sentsince", SEARCH_SENT_SINCE, NULL, day_key},
    {"sentbefore", SEARCH_SENT_BEFORE, NULL, day_key},
    {"senton", SEARCH_SENT_SINCE, NULL, on_key},
    {"newer", SEARCH_YOUNGER, NULL, ago_key},
    {"older", SEARCH_OLDER, NULL, ago_key},
    {"larger", SEARCH_LARGER, NULL, size_key},
    {"smaller", SEARCH_SMALLER, NULL, size_key},
};

/* ---- words ---- */

static void skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
}

static bool is_end_of_word(char c)
{
	return c == ' ' || c == '\t' || c == '(' || c == ')' || c == '"';
}

/* What stands in quotes, in which a backslash takes the next octet as it is; or a bare word. */
static bool read_value(struct reader *r, struct value *v)
{
	struct str_buf text = {0};
	bool is_closed = false;

	v->at = r->p;
	if (r->p == r->end || *r->p != '"') {
		while (r->p < r->end && !is_end_of_word(*r->p))
			r->p++;
		v->text = str_view(v->at, (size_t)(r->p - v->at));
		return v->text.n > 0 || refuse(r, v->at, "a value is missing");
	}
	for (r->p++; r->p < r->end && !is_closed; r->p++) {
		if (*r->p == '"')
			is_closed = true;
		else if (*r->p == '\\' && r->p + 1 < r->end)
			str_buf_putc(&text, *++r->p);
		else
			str_buf_putc(&text, *r->p);
	}
	v->text = str_view(arena_strn(r->arena, text.p ? text.p : "", text.n), text.n);
	str_buf_fini(&text);
	if (!is_closed)
		return refuse(r, v->at, "a quote is not closed");
	return v->text.n > 0 || refuse(r, v->at, "a value is missing");
}

/* The word that stands here, without taking it. */
static struct str_view peek_word(const struct reader *r)
{
	const char *p = r->p;

	while (p < r->end && !is_end_of_word(*p))
		p++;
	return str_view(r->p, (size_t)(p - r->p));
}

static bool take_word(struct reader *r, struct str_view word)
{
	if (!str_equal_nocase(peek_word(r), word))
		return false;
	r->p += word.n;
	return true;
}

/* ---- the grammar ---- */

static bool read_any(struct reader *r, struct search_key **key_r);

/* in:FOLDER is of the query as a whole: *key_r is what holds everywhere. */
static bool read_in(struct reader *r, const char *at, bool is_not, struct search_key **key_r)
{
	struct value v;

	if (!read_value(r, &v))
		return false;
	if (r->depth > 0)
		return refuse(r, at, "in: stands beside the rest, not in parentheses and not behind NOT");
	if (r->in_n == IN_MAX)
		return refuse(r, at, "too many in:");
	while (v.text.n > 1 && (v.text.p[v.text.n - 1] == '/'))
		v.text.n--;
	r->in[r->in_n++] = (struct viewquery_in){arena_strn(r->arena, v.text.p, v.text.n), is_not};
	*key_r = new_key(r, SEARCH_ALL);
	return true;
}

/* KEY:VALUE; *key_r stays NULL where it is no such. */
static bool read_keyed(struct reader *r, bool is_not, struct search_key **key_r)
{
	struct str_view word = peek_word(r);
	const char *colon = memchr(word.p, ':', word.n), *at = r->p;
	struct str_view name = str_view(word.p, colon ? (size_t)(colon - word.p) : 0);
	struct value v;

	if (!colon)
		return true;
	r->p = colon + 1;
	if (str_equal_nocase(name, SV("in")))
		return read_in(r, at, is_not, key_r);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (!str_equal_nocase(name, str_view(keys[i].name, strlen(keys[i].name))))
			continue;
		*key_r = new_key(r, keys[i].kind);
		(*key_r)->name = keys[i].field;
		return read_value(r, &v) && keys[i].read(r, *key_r, &v);
	}
	return refuse(r, at, "no such key; a text with a colon stands in quotes");
}

static bool read_term(struct reader *r, struct search_key **key_r)
{
	const char *at = r->p;
	struct value v;
	bool is_not = false, good;

	*key_r = NULL;
	if (r->depth >= DEPTH_MAX)
		return refuse(r, at, "too many parentheses");
	if (*r->p == '-' && r->p + 1 < r->end && r->p[1] != ' ') {
		is_not = true;
		r->p++;
	} else if (take_word(r, SV("not"))) {
		is_not = true;
		skip_blanks(r);
	}
	if (r->p == r->end)
		return refuse(r, at, "what is not to be?");
	if (*r->p == '(') {
		r->p++;
		r->depth++;
		good = read_any(r, key_r);
		r->depth--;
		if (!good)
			return false;
		if (r->p == r->end || *r->p != ')')
			return refuse(r, at, "a parenthesis is not closed");
		r->p++;
	} else {
		size_t in_n = r->in_n;

		if (!read_keyed(r, is_not, key_r))
			return false;
		if (r->in_n > in_n)
			return true;
		if (!*key_r) {
			if (!read_value(r, &v))
				return false;
			*key_r = new_key(r, SEARCH_TEXT);
			(*key_r)->text = v.text;
		}
	}
	if (is_not)
		*key_r = new_not(r, *key_r);
	return true;
}

/* Terms beside each other: all hold. */
static bool read_all(struct reader *r, struct search_key **key_r)
{
	struct search_key *all = new_key(r, SEARCH_AND), **at = &all->children;

	for (;;) {
		skip_blanks(r);
		if (r->p == r->end || *r->p == ')' || str_equal_nocase(peek_word(r), SV("or")))
			break;
		if (!read_term(r, at))
			return false;
		at = &(*at)->next;
	}
	if (!all->children)
		return refuse(r, r->p, "a word is missing");
	*key_r = all->children->next ? all : all->children;
	return true;
}

static bool read_any(struct reader *r, struct search_key **key_r)
{
	struct search_key *any;

	if (!read_all(r, key_r))
		return false;
	while (take_word(r, SV("or"))) {
		any = new_key(r, SEARCH_OR);
		any->children = *key_r;
		r->has_or = r->has_or || r->depth == 0;
		if (!read_all(r, &any->children->next))
			return false;
		*key_r = any;
	}
	return true;
}

bool viewquery_parse(struct str_view text, int64_t now_s, struct arena *arena,
    struct viewquery *query_r, struct viewquery_fault *fault_r)
{
	struct reader r = {.begin = text.p, .p = text.p, .end = text.p + text.n, .now_s = now_s,
	    .arena = arena, .in = ARENA_ARRAY(arena, struct viewquery_in, IN_MAX)};
	struct search_key *key = NULL;
	bool good = false;

	if (!mime_utf8_valid(text) || memchr(text.p, '\0', text.n))
		refuse(&r, r.p, "a query is UTF-8");
	else if (read_any(&r, &key))
		good = (r.p == r.end || refuse(&r, r.p, "a parenthesis was not opened")) &&
		       (!r.has_or || r.in_n == 0 || refuse(&r, r.p, "in: stands beside the rest: put what has OR in parentheses"));
	if (!good) {
		*fault_r = r.fault;
		return false;
	}
	*query_r = (struct viewquery){key, r.in, r.in_n, r.is_of_now};
	return true;
}

/* ---- folders ---- */

/* INBOX is compared without case, all else as it is. */
static bool is_within(const char *folder, const char *top)
{
	size_t n = strlen(top);
	bool is_inbox = n >= 5 && strncasecmp(top, "INBOX", 5) == 0 && (n == 5 || top[5] == '/');

	if (strcmp(top, "*") == 0)
		return true;
	if (strlen(folder) < n || (folder[n] != '\0' && folder[n] != '/'))
		return false;
	return is_inbox ? strncasecmp(folder, top, 5) == 0 && strncmp(folder + 5, top + 5, n - 5) == 0
			: strncmp(folder, top, n) == 0;
}

bool viewquery_covers(const struct viewquery *query, const char *folder, bool is_aside)
{
	bool is_asked = false, asks = false;

	for (size_t i = 0; i < query->in_n; i++) {
		bool within = is_within(folder, query->in[i].folder);

		if (within && query->in[i].is_not)
			return false;
		asks = asks || !query->in[i].is_not;
		is_asked = is_asked || (within && !query->in[i].is_not);
	}
	return asks ? is_asked : !is_aside;
}

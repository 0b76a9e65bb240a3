/*
 * store/search.c - search by scanning: decode, fold, compare.
 *
 * A key is compiled once per slice into a node that knows what it costs: rows cost nothing, a header
 * is one read, a body is read and decoded.  Cheap nodes are asked first, and all texts that are
 * looked for in a body are looked for in one pass over it.  No index: see doc/DESIGN.md.
 */
#include "store/search.h"

#include "base/check.h"
#include "base/mem.h"
#include "mime/decode.h"
#include "store/flags.h"
#include "store/message_priv.h"
#include "store/search_priv.h"

#include <stdlib.h>
#include <string.h>

/* A tree deeper than this was not typed by anybody; evaluation recurses. */
#define DEPTH_MAX 200
/* Octets a slice may read of bodies before it hands back, whatever slice_n says. */
#define SLICE_BODY_OCTETS 16777216
#define DAY_MS INT64_C(86400000)

struct node {
	const struct search_key *key;
	struct node *children, *next;
	enum { COST_ROW, COST_HEADER, COST_BODY } cost;
	struct str_view folded; /* of the text looked for */
	size_t needle;          /* BODY, TEXT: its number */
	uint64_t keyword;       /* KEYWORD: its bit, 0 if nobody has it */
};

struct search {
	struct db *db;
	struct arena arena; /* of the slice */
	const char *keywords[63];
	struct node *root;
	struct search_text text; /* needles, and what was found of them in the message at hand */
	const struct search_row *m;
	struct search_content about;
	bool has_about, has_header, has_body; /* of the message at hand */
	struct str_buf header;
	uint64_t octets;
	struct err *e;
	bool failed;
};

/* ---- compiling ---- */

static struct str_view fold(struct search *s, struct str_view text)
{
	struct str_buf out = {0};
	char *kept;
	size_t n;

	mime_fold(text, &out);
	n = out.n;
	kept = arena_strn(&s->arena, out.p ? out.p : "", n);
	str_buf_fini(&out);
	return str_view(kept, n);
}

static uint64_t keyword_bit(const struct search *s, struct str_view name)
{
	for (size_t bit = 0; bit < 63; bit++)
		if (s->keywords[bit] &&
		    str_equal_nocase(name, str_view(s->keywords[bit], strlen(s->keywords[bit]))))
			return (uint64_t)1 << bit;
	return 0;
}

/* Cheap ones before dear ones, else as they were given. */
static void insert_by_cost(struct node **at, struct node *n)
{
	while (*at && (*at)->cost <= n->cost)
		at = &(*at)->next;
	n->next = *at;
	*at = n;
}

static struct node *compile(struct search *s, const struct search_key *key, unsigned depth)
{
	struct node *n = ARENA_NEW(&s->arena, struct node);

	if (depth > DEPTH_MAX) {
		s->failed = true;
		err_set(s->e, ERR_INVALID, "search keys are nested too deeply");
		return n;
	}
	n->key = key;
	switch (key->kind) {
	case SEARCH_KEYWORD:
		n->keyword = keyword_bit(s, key->text);
		break;
	case SEARCH_HEADER:
	case SEARCH_ADDRESS:
		n->cost = COST_HEADER;
		n->folded = fold(s, key->text);
		break;
	case SEARCH_BODY:
	case SEARCH_TEXT:
		n->cost = COST_BODY;
		n->needle = search_text_add(&s->text, fold(s, key->text));
		break;
	default:
		break;
	}
	for (const struct search_key *c = key->children; c && !s->failed; c = c->next) {
		struct node *child = compile(s, c, depth + 1);

		if (child->cost > n->cost)
			n->cost = child->cost;
		insert_by_cost(&n->children, child);
	}
	return n;
}

/* ---- what a message has ---- */

/* After a failure everything is empty, and `failed` ends the scan. */
static const struct search_content *about(struct search *s)
{
	if (!s->has_about) {
		s->has_about = true;
		s->about = (struct search_content){.sent_ms = INT64_MIN};
		if (!s->failed && search_content(s->db, s->m->content, &s->about, s->e) < 0)
			s->failed = true;
	}
	return &s->about;
}

static struct str_view header_of(struct search *s)
{
	size_t got = 0, n = (size_t)about(s)->header_n;

	if (!s->has_header && !s->failed) {
		s->has_header = true;
		str_buf_clear(&s->header);
		if (content_read_in(s->db, s->m->content, 0, str_buf_room(&s->header, n + 1), n, &got,
			s->e) < 0)
			s->failed = true;
		s->header.n = got;
		s->octets += got;
	}
	return str_buf_view(&s->header);
}

static bool header_has(struct search *s, const struct node *n)
{
	struct str_view header = header_of(s), value;
	struct str_view name = str_view(n->key->name, strlen(n->key->name));
	struct str_buf plain = {0}, text = {0}, folded = {0};
	bool found = false;

	for (size_t nth = 0; !found && mime_header_find(header, name, nth, &value); nth++) {
		str_buf_clear(&plain);
		str_buf_clear(&text);
		str_buf_clear(&folded);
		mime_header_unfold(value, &plain);
		mime_header_decode(str_buf_view(&plain), &text);
		mime_fold(str_buf_view(&text), &folded);
		found = n->folded.n == 0 || memmem(folded.p ? folded.p : "", folded.n, n->folded.p, n->folded.n);
	}
	str_buf_fini(&plain);
	str_buf_fini(&text);
	str_buf_fini(&folded);
	return found;
}

/* Looks for all needles at once, at the first that asks. */
static bool text_has(struct search *s, const struct node *n, bool with_header)
{
	if (!s->has_body && !s->failed) {
		s->has_body = true;
		s->octets += s->m->size;
		if (search_text_message(&s->text, s->db, s->m->content, header_of(s), s->e) < 0)
			s->failed = true;
	}
	return search_text_found(&s->text, n->needle, with_header);
}

static bool uid_in(const struct search_key *key, uint32_t uid)
{
	size_t low = 0, high = key->ranges_n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key->ranges[mid].to < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < key->ranges_n && key->ranges[low].from <= uid;
}

static int64_t floor_of(int64_t ms, int64_t unit_ms)
{
	return ms / unit_ms - (ms % unit_ms < 0);
}

static int64_t second_of(int64_t ms)
{
	return floor_of(ms, 1000);
}

static int64_t day_of(int64_t ms, int zone_min)
{
	return floor_of(ms + (int64_t)zone_min * 60000, DAY_MS);
}

/* A message without a readable Date: field has no day, and matches none. */
static bool sent_day(struct search *s, int64_t *day_r)
{
	const struct search_content *c = about(s);

	if (c->sent_ms == INT64_MIN)
		return false;
	*day_r = day_of(c->sent_ms, c->sent_zone_min);
	return true;
}

/* ---- asking ---- */

static bool matches(struct search *s, const struct node *n)
{
	const struct search_row *m = s->m;
	const struct search_key *key = n->key;
	int64_t day;

	switch (key->kind) {
	case SEARCH_ALL:
		return true;
	case SEARCH_AND:
		for (const struct node *c = n->children; c; c = c->next)
			if (!matches(s, c))
				return false;
		return true;
	case SEARCH_OR:
		for (const struct node *c = n->children; c; c = c->next)
			if (matches(s, c))
				return true;
		return false;
	case SEARCH_NOT:
		return n->children && !matches(s, n->children);
	case SEARCH_UIDS:
		return uid_in(key, m->uid.n);
	case SEARCH_FLAG:
		return (m->flags & key->flags) == key->flags;
	case SEARCH_KEYWORD:
		return (m->keywords & n->keyword) != 0;
	case SEARCH_HEADER:
	case SEARCH_ADDRESS:
		return header_has(s, n);
	case SEARCH_BODY:
		return text_has(s, n, false);
	case SEARCH_TEXT:
		return text_has(s, n, true);
	case SEARCH_LARGER:
		return m->size > key->number;
	case SEARCH_SMALLER:
		return m->size < key->number;
	case SEARCH_BEFORE:
		return day_of(m->idate_ms, m->zone_min) < key->day;
	case SEARCH_ON:
		return day_of(m->idate_ms, m->zone_min) == key->day;
	case SEARCH_SINCE:
		return day_of(m->idate_ms, m->zone_min) >= key->day;
	case SEARCH_SENT_BEFORE:
		return sent_day(s, &day) && day < key->day;
	case SEARCH_SENT_ON:
		return sent_day(s, &day) && day == key->day;
	case SEARCH_SENT_SINCE:
		return sent_day(s, &day) && day >= key->day;
	case SEARCH_SAVED_BEFORE:
		return day_of(m->saved_ms, 0) < key->day;
	case SEARCH_SAVED_ON:
		return day_of(m->saved_ms, 0) == key->day;
	case SEARCH_SAVED_SINCE:
		return day_of(m->saved_ms, 0) >= key->day;
	case SEARCH_OLDER:
		return second_of(m->idate_ms) <= key->at_s;
	case SEARCH_YOUNGER:
		return second_of(m->idate_ms) >= key->at_s;
	case SEARCH_MODSEQ:
		return m->modseq >= key->number;
	case SEARCH_EMAILID:
		return m->content == key->number;
	}
	check_failed("a kind of search key", __FILE__, __LINE__, __func__);
}

static void scan(struct search *s, const struct search_row *list, size_t n, size_t slice_n,
    struct store_uid *found, size_t *found_n, struct store_uid *next_r)
{
	*next_r = (struct store_uid){0};
	for (size_t i = 0; i < n && !s->failed; i++) {
		if (s->octets > SLICE_BODY_OCTETS) {
			*next_r = list[i].uid;
			return;
		}
		s->m = &list[i];
		s->has_about = s->has_header = s->has_body = false;
		if (matches(s, s->root))
			found[(*found_n)++] = list[i].uid;
	}
	if (n == slice_n && n && list[n - 1].uid.n < UINT32_MAX)
		next_r->n = list[n - 1].uid.n + 1;
}

int search_run(struct store *store, struct folder_id folder, const struct search_key *key,
    struct store_uid from, size_t slice_n, struct arena *arena, struct store_uid **found_r,
    size_t *n_r, struct store_uid *next_r, struct err *e)
{
	struct search s = {.e = e};
	struct search_row *list = NULL;
	struct store_uid *found, next;
	size_t n = 0, found_n = 0;
	struct txn t;

	CHECK(slice_n > 0);
	if (flags_keywords(store, &s.arena, s.keywords, e) < 0 || txn_read(store, &t, e) < 0) {
		arena_fini(&s.arena);
		return -1;
	}
	s.db = t.db;
	s.root = compile(&s, key, 0);
	if (!s.failed && search_rows(t.db, folder, from, slice_n, &s.arena, &list, &n, e) < 0)
		s.failed = true;
	found = ARENA_ARRAY(arena, struct store_uid, n + 1);
	scan(&s, list, n, slice_n, found, &found_n, &next);
	txn_read_end(&t);
	search_text_fini(&s.text);
	str_buf_fini(&s.header);
	arena_fini(&s.arena);
	if (s.failed)
		return -1;
	*found_r = found;
	*n_r = found_n;
	*next_r = next;
	return 0;
}

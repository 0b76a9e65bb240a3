/*
 * store/search.c - search: what the rows say, what is remembered, what the octets say.
 *
 * A key is compiled once per slice into a node that knows what it costs: rows cost nothing, a header
 * is one read, a body is read and decoded.  Cheap nodes are asked first, and all texts that are
 * looked for in a body are looked for in one pass over it.  Two things spare most reads and never
 * decide that a message matches: the header fields kept in memory are what would be decoded
 * (search_fields.c), and a content's signature says which texts it surely lacks (search_sig.c); it is
 * made when a body is read for the first time, and kept after the slice.
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
/* Octets of messages a slice may read before it hands back, whatever slice_n says. */
#define SLICE_OCTETS 16777216
#define DAY_MS INT64_C(86400000)

struct node {
	const struct search_key *key;
	struct node *children, *next;
	enum { COST_ROW, COST_HEADER, COST_BODY } cost;
	struct str_view mapped; /* the text looked for, as it is compared */
	size_t field;           /* HEADER, ADDRESS: of those kept in memory, SEARCH_FIELDS_N: none */
	size_t needle;          /* BODY, TEXT: its number */
	uint64_t keyword;       /* KEYWORD: its bit, 0 if nobody has it */
};

struct search {
	struct db *db;
	struct mailbox *mailbox;
	struct content_cache *cache;
	struct arena arena; /* of the slice */
	const char *keywords[63];
	struct node *root;
	struct search_text text; /* needles, and what was found of them in the message at hand */
	struct search_made made;
	uint64_t octets;
	struct err *e;
	bool failed;

	/* The message at hand, and what was learnt of it. */
	const struct search_row *m;
	bool has_about, has_header, has_fields, has_sig, has_body;
	struct search_content about;
	struct str_buf header, fields_made, sig; /* sig: empty where there is none */
	const struct search_fields *fields;
	struct search_sig *set; /* collects a signature; NULL until one is to be made */
};

/* ---- compiling ---- */

static struct str_view map(struct search *s, struct str_view text)
{
	struct str_buf out = {0};
	char *kept;
	size_t n;

	mime_casemap(text, &out);
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
		n->mapped = map(s, key->text);
		n->field = search_field_of(str_view(key->name, strlen(key->name)));
		break;
	case SEARCH_BODY:
	case SEARCH_TEXT:
		n->cost = COST_BODY;
		n->mapped = map(s, key->text);
		n->needle = search_text_add(&s->text, n->mapped, key->kind == SEARCH_TEXT);
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
	if (!s->has_header) {
		s->has_header = true;
		str_buf_clear(&s->header);
		if (!s->failed && search_read(s->text.reader, s->m->content, 0,
				      (size_t)about(s)->header_n, &s->header, s->e) < 0)
			s->failed = true;
		s->octets += s->header.n;
	}
	return str_buf_view(&s->header);
}

static const struct search_fields *fields_of(struct search *s)
{
	struct str_view kept;

	if (s->has_fields)
		return s->fields;
	s->has_fields = true;
	if (content_cache_find(s->cache, CONTENT_FIELDS, s->m->content, &kept)) {
		s->fields = (const struct search_fields *)(const void *)kept.p;
	} else {
		search_fields_make(header_of(s), &s->fields_made);
		s->fields = (const struct search_fields *)(const void *)s->fields_made.p;
		if (!s->failed)
			content_cache_keep(s->cache, CONTENT_FIELDS, s->m->content,
			    str_buf_view(&s->fields_made));
	}
	return s->fields;
}

static struct str_view sig_of(struct search *s)
{
	if (!s->has_sig) {
		s->has_sig = true;
		if (search_sig_read(s->db, s->m->content, &s->sig, s->e) < 0)
			s->failed = true;
	}
	return str_buf_view(&s->sig);
}

/* Whether the message's signature says that it holds the text nowhere.  One too short to tell is not worth
 * the reading. */
static bool is_ruled_out(struct search *s, struct str_view mapped)
{
	struct str_view sig = mapped.n >= 3 ? sig_of(s) : SV("");

	return sig.n && !search_sig_may_hold(sig, mapped);
}

static bool holds(struct str_view text, struct str_view mapped)
{
	return memmem(text.p, text.n, mapped.p, mapped.n) != NULL;
}

/* RFC 9051 6.4.4: the empty text asks whether the field is there. */
static bool header_has(struct search *s, const struct node *n)
{
	struct str_view name = str_view(n->key->name, strlen(n->key->name)), header, at, value;
	struct str_buf text = {0}, mapped = {0};
	bool found = false;

	if (n->field < SEARCH_FIELDS_N) {
		struct str_view values = search_fields_get(fields_of(s), n->field);

		return values.n && holds(values, n->mapped);
	}
	if (is_ruled_out(s, n->mapped))
		return false;
	header = header_of(s);
	while (!found && mime_header_next(&header, &at, &value)) {
		if (!str_equal_nocase(at, name))
			continue;
		str_buf_clear(&text);
		str_buf_clear(&mapped);
		mime_header_value(value, &text);
		mime_casemap(str_buf_view(&text), &mapped);
		found = holds(str_buf_view(&mapped), n->mapped);
	}
	str_buf_fini(&text);
	str_buf_fini(&mapped);
	return found;
}

/* Reads the body for all needles at once, and makes its signature if it has none. */
static void read_body(struct search *s)
{
	bool make = s->text.longest >= 3 && sig_of(s).n == 0;

	s->has_body = true;
	s->octets += s->m->size;
	if (make && !s->set)
		s->set = mem_alloc(sizeof *s->set);
	s->text.sig = make ? s->set : NULL;
	if (s->failed || search_text_message(&s->text, s->db, s->m->content, s->e) < 0) {
		s->failed = true;
	} else if (make) {
		str_buf_clear(&s->sig);
		search_sig_put(s->set, &s->sig);
		search_made_add(&s->made, s->m->content, str_buf_view(&s->sig));
	}
}

static bool text_has(struct search *s, const struct node *n)
{
	if (!s->has_body) {
		if (n->mapped.n == 0)
			return true;
		if (is_ruled_out(s, n->mapped))
			return false;
		read_body(s);
	}
	return s->text.p[n->needle].found;
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
	case SEARCH_TEXT:
		return text_has(s, n);
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
		if (s->octets > SLICE_OCTETS) {
			*next_r = list[i].uid;
			return;
		}
		s->m = &list[i];
		s->has_about = s->has_header = s->has_fields = s->has_sig = s->has_body = false;
		if (matches(s, s->root))
			found[(*found_n)++] = list[i].uid;
	}
	if (n == slice_n && n && list[n - 1].uid.n < UINT32_MAX)
		next_r->n = list[n - 1].uid.n + 1;
}

static void search_fini(struct search *s)
{
	search_text_fini(&s->text);
	search_made_fini(&s->made);
	str_buf_fini(&s->header);
	str_buf_fini(&s->fields_made);
	str_buf_fini(&s->sig);
	free(s->set);
	arena_fini(&s->arena);
}

int search_run(struct store *store, struct folder_id folder, const struct search_key *key,
    struct store_uid from, size_t slice_n, struct arena *arena, struct store_uid **found_r,
    size_t *n_r, struct store_uid *next_r, struct err *e)
{
	struct search s = {.mailbox = store->mailbox, .e = e};
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
	s.text.reader = search_reader_new(t.db);
	s.cache = content_cache_borrow(s.mailbox);
	s.root = compile(&s, key, 0);
	if (!s.failed && search_rows(t.db, folder, from, slice_n, &s.arena, &list, &n, e) < 0)
		s.failed = true;
	found = ARENA_ARRAY(arena, struct store_uid, n + 1);
	scan(&s, list, n, slice_n, found, &found_n, &next);
	content_cache_return(s.mailbox, s.cache);
	search_reader_free(&s.text.reader);
	txn_read_end(&t);
	search_made_keep(&s.made, s.mailbox);
	search_fini(&s);
	if (s.failed)
		return -1;
	*found_r = found;
	*n_r = found_n;
	*next_r = next;
	return 0;
}

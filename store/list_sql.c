/*
 * store/list_sql.c - listing messages.
 *
 * The message table is narrow, so that flags of a large folder are a few pages; what else there is to list
 * stands ready-made in content, and is shown where it lies.  Contents that have just come are not read at all,
 * where they are remembered (listing_priv.h): from the first of those on none is joined.
 */
#include "store/message_priv.h"

#include "base/check.h"
#include "base/mem.h"
#include "store/folder_priv.h"
#include "store/listing_priv.h"

#include <stdlib.h>

#define SLICE_ROWS 512

#define ROW_FLAGS "SELECT m.uid, m.modseq, m.flags, m.keywords"
#define ROW ROW_FLAGS ", m.content, m.size, m.idate_ms, m.zone_min, m.changed_ms, m.saved_ms"
#define CONTENT_AT 10 /* the number of columns in ROW */
#define CONTENT                                                                                    \
	", c.size_lf, c.size_in, c.hdr, c.lineends, c.sent_ms, c.sent_zone_min, c.hdr_8bit, "      \
	"c.envelope, c.bodystructure"
#define FROM " FROM message m"
#define JOINED FROM " JOIN content c ON c.id = m.content"
#define RANGE " WHERE m.folder = ?1 AND m.uid BETWEEN ?2 AND ?3 AND m.modseq > ?4 ORDER BY m.uid"

static const char list_flags[] = ROW_FLAGS FROM RANGE;
static const char list_row[] = ROW FROM RANGE;
/* c.size_lf is NULL where a content is not joined, and where there is none. */
static const char list_content[] = ROW CONTENT FROM
    " LEFT JOIN content c ON c.id = CASE WHEN m.content < ?5 THEN m.content END" RANGE;
static const char list_parts[] = ROW CONTENT ", c.parts" JOINED RANGE;
static const char list_named[] = ROW CONTENT ", c.parts, c.slug, n.name, x.uid IS NOT NULL" JOINED
    " LEFT JOIN message_name n ON n.folder = m.folder AND n.uid = m.uid "
    "LEFT JOIN maildir_cur x ON x.folder = m.folder AND x.uid = m.uid" RANGE;
static const char one_content[] = "SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0, 0" CONTENT
    " FROM content c WHERE c.id = ?1";

/* A query of one of the lists above, and who is shown its rows. */
struct reading {
	struct db *db;
	struct query q, one; /* one.stmt NULL: not begun */
	unsigned what;
	message_show *show;
	void *arg;
	bool ended;                  /* by show */
	struct content_cache *cache; /* NULL: nothing is remembered */
	uint64_t remembered_from;    /* contents from this one on are not joined */
};

static const char *list_for(unsigned what)
{
	return what == MESSAGE_FLAGS ? list_flags
	     : what == MESSAGE_ROW ? list_row
	     : what & MESSAGE_NAME ? list_named
	     : what & MESSAGE_PARTS ? list_parts
	     : list_content;
}

static void row_get(struct query *q, struct message_info *m)
{
	m->content = (uint64_t)query_get_int(q, 4);
	m->size = (uint64_t)query_get_int(q, 5);
	m->idate_ms = query_get_int(q, 6);
	m->zone_min = (int)query_get_int(q, 7);
	m->changed_ms = query_get_null(q, 8) ? m->idate_ms : query_get_int(q, 8);
	m->saved_ms = query_get_null(q, 9) ? m->idate_ms : query_get_int(q, 9);
}

static void content_get(struct query *q, unsigned what, struct message_info *m)
{
	m->size_lf = (uint64_t)query_get_int(q, CONTENT_AT);
	m->size_in = (uint64_t)query_get_int(q, CONTENT_AT + 1);
	m->header_n = (uint64_t)query_get_int(q, CONTENT_AT + 2);
	m->lineends = (enum eol_kind)query_get_int(q, CONTENT_AT + 3);
	m->sent_ms = query_get_null(q, CONTENT_AT + 4) ? INT64_MIN : query_get_int(q, CONTENT_AT + 4);
	m->sent_zone_min = (int)query_get_int(q, CONTENT_AT + 5);
	m->header_8bit = query_get_int(q, CONTENT_AT + 6) != 0;
	if (what & MESSAGE_ENVELOPE)
		m->envelope = query_get_view(q, CONTENT_AT + 7);
	if (what & MESSAGE_BODYSTRUCTURE)
		m->bodystructure = query_get_view(q, CONTENT_AT + 8);
	if (what & MESSAGE_PARTS)
		m->parts = query_get_view(q, CONTENT_AT + 9);
	if (what & MESSAGE_NAME) {
		m->slug = query_get_text(q, CONTENT_AT + 10);
		m->name = query_get_text(q, CONTENT_AT + 11);
		m->is_cur = query_get_int(q, CONTENT_AT + 12) != 0;
	}
}

/* One that another process appended among those of this one.  1, or 0 where it is not there; -1. */
static int read_one(struct reading *reading, struct message_info *m, struct err *e)
{
	int r;

	if (!reading->one.stmt && query_begin(&reading->one, reading->db, one_content, e) < 0)
		return -1;
	query_again(&reading->one);
	query_int(&reading->one, 1, (int64_t)m->content);
	r = query_step(&reading->one, e);
	if (r > 0)
		content_get(&reading->one, reading->what, m);
	return r;
}

/* 1, or 0 where the message has no content: it is damaged, and `postern check` says so; -1. */
static int read_row(struct reading *reading, struct message_info *m, struct err *e)
{
	struct query *q = &reading->q;

	*m = (struct message_info){
	    .uid.n = (uint32_t)query_get_int(q, 0),
	    .modseq.n = (uint64_t)query_get_int(q, 1),
	    .flags = (uint32_t)query_get_int(q, 2),
	    .keywords = (uint64_t)query_get_int(q, 3),
	};
	if (reading->what == MESSAGE_FLAGS)
		return 1;
	row_get(q, m);
	if (reading->what == MESSAGE_ROW)
		return 1;
	if (reading->cache && m->content >= reading->remembered_from)
		return listing_get(reading->cache, reading->what, m) ? 1 : read_one(reading, m, e);
	if (query_get_null(q, CONTENT_AT))
		return 0;
	content_get(q, reading->what, m);
	return 1;
}

static int read_range(struct reading *reading, struct uid_range range, struct err *e)
{
	struct query *q = &reading->q;
	struct message_info m;
	int r = 0, has = 0;

	query_int(q, 2, range.from);
	query_int(q, 3, range.to);
	while (!reading->ended && has >= 0 && (r = query_step(q, e)) > 0) {
		has = read_row(reading, &m, e);
		if (has > 0)
			reading->ended = !reading->show(reading->arg, &m);
	}
	query_again(q);
	return r < 0 || has < 0 ? -1 : 0;
}

/* Messages changed after `since`, in a transaction that is open. */
static int read_each(struct reading *reading, struct db *db, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, struct store_modseq since, struct err *e)
{
	const char *sql = list_for(reading->what);
	uint64_t joined_to = INT64_MAX;
	int r = 0;

	reading->db = db;
	if (query_begin(&reading->q, db, sql, e) < 0)
		return -1;
	query_int(&reading->q, 1, folder.n);
	query_int(&reading->q, 4, (int64_t)since.n);
	if (reading->cache && reading->remembered_from < joined_to)
		joined_to = reading->remembered_from;
	if (sql == list_content)
		query_int(&reading->q, 5, (int64_t)joined_to);
	for (size_t i = 0; i < ranges_n && !reading->ended && r == 0; i++)
		r = read_range(reading, ranges[i], e);
	query_end(&reading->one);
	query_end(&reading->q);
	return r;
}

int message_each(struct store *store, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, unsigned what, message_show *show, void *arg, struct err *e)
{
	struct reading reading = {.what = what, .show = show, .arg = arg};
	struct mailbox *mb = store->mailbox;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	if (list_for(what) == list_content && (reading.cache = content_cache_borrow_made(mb)))
		reading.remembered_from = content_cache_first(reading.cache, CONTENT_LISTING);
	r = folder_exists(t.db, folder, e);
	if (r == 0)
		r = read_each(&reading, t.db, folder, ranges, ranges_n, (struct store_modseq){0}, e);
	content_cache_return(mb, reading.cache);
	txn_read_end(&t);
	return r;
}

/* Rows that are kept: texts in the arena. */
struct message_infos {
	struct message_info *p;
	size_t n, room, max_n;
	struct arena *arena;
};

/* Most callers ask for a slice: room for all of it at once, where the ranges may hold as many. */
static struct message_infos infos_begin(const struct uid_range *ranges, size_t ranges_n, size_t max_n,
    struct arena *arena)
{
	struct message_infos list = {.max_n = max_n, .arena = arena};
	uint64_t most = 0;

	for (size_t i = 0; i < ranges_n && most < SLICE_ROWS; i++)
		most += (uint64_t)ranges[i].to - ranges[i].from + 1;
	most = most < max_n ? most : max_n;
	list.room = most < SLICE_ROWS ? (size_t)most : SLICE_ROWS;
	list.p = mem_realloc(NULL, (list.room + 1) * sizeof *list.p);
	return list;
}

static int infos_end(struct message_infos *list, int r, struct message_info **list_r, size_t *n_r)
{
	if (r == 0) {
		*list_r = list->n ? arena_copy(list->arena, list->p, list->n * sizeof *list->p) : NULL;
		*n_r = list->n;
	}
	free(list->p);
	return r;
}

static struct str_view view_keep(struct arena *arena, struct str_view v)
{
	return v.p ? str_view(arena_strn(arena, v.p, v.n), v.n) : v;
}

static bool keep(void *arg, const struct message_info *shown)
{
	struct message_infos *list = arg;
	struct message_info *m;

	CHECK(list->n < list->max_n);
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 16;
		list->p = mem_realloc(list->p, list->room * sizeof *list->p);
	}
	m = &list->p[list->n++];
	*m = *shown;
	m->envelope = view_keep(list->arena, shown->envelope);
	m->bodystructure = view_keep(list->arena, shown->bodystructure);
	m->parts = view_keep(list->arena, shown->parts);
	m->slug = shown->slug ? arena_str(list->arena, shown->slug) : NULL;
	m->name = shown->name ? arena_str(list->arena, shown->name) : NULL;
	return list->n < list->max_n;
}

int messages_list(struct db *db, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, struct store_modseq since, unsigned what, size_t max_n, struct arena *arena,
    struct message_info **list_r, size_t *n_r, struct err *e)
{
	struct message_infos list = infos_begin(ranges, ranges_n, max_n, arena);
	struct reading reading = {.what = what, .show = keep, .arg = &list};
	int r = read_each(&reading, db, folder, ranges, ranges_n, since, e);

	return infos_end(&list, r, list_r, n_r);
}

int message_list(struct store *store, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, unsigned what, size_t max_n, struct arena *arena, struct message_info **list_r,
    size_t *n_r, struct err *e)
{
	struct message_infos list = infos_begin(ranges, ranges_n, max_n, arena);
	int r = message_each(store, folder, ranges, ranges_n, what, keep, &list, e);

	return infos_end(&list, r, list_r, n_r);
}

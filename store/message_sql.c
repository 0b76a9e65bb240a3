/*
 * store/message_sql.c - reading messages: rows, names, octets.
 *
 * The message table is narrow, so that flags of a large folder are a few pages; what else there is to
 * list stands ready-made in content, and reaches the caller as a copy.
 */
#include "store/message_priv.h"

#include "base/check.h"
#include "base/mem.h"
#include "store/folder_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- listing ---- */

#define SLICE_ROWS 512

#define LIST_NARROW "SELECT m.uid, m.modseq, m.flags, m.keywords"
#define LIST_WIDE                                                                                  \
	LIST_NARROW ", m.idate_ms, m.zone_min, m.changed_ms, m.content, c.size, c.size_lf, "       \
		    "c.size_in, c.hdr, c.lineends, c.sent_ms, c.sent_zone_min, c.slug, "           \
		    "c.envelope, c.bodystructure, c.parts"
#define LIST_RANGE " WHERE m.folder = ?1 AND m.uid BETWEEN ?2 AND ?3 AND m.modseq > ?4 ORDER BY m.uid"

static const char list_narrow[] = LIST_NARROW " FROM message m" LIST_RANGE;
static const char list_wide[] =
    LIST_WIDE ", NULL, m.saved_ms, 0 FROM message m JOIN content c ON c.id = m.content" LIST_RANGE;
static const char list_named[] =
    LIST_WIDE ", n.name, m.saved_ms, x.uid IS NOT NULL FROM message m "
	      "JOIN content c ON c.id = m.content "
	      "LEFT JOIN message_name n ON n.folder = m.folder AND n.uid = m.uid "
	      "LEFT JOIN maildir_cur x ON x.folder = m.folder AND x.uid = m.uid" LIST_RANGE;

/* A query of one of the lists above, and who is shown its rows. */
struct reading {
	struct query q;
	unsigned what;
	message_show *show;
	void *arg;
	bool ended; /* by show */
};

static void wide_get(struct query *q, unsigned what, struct message_info *m)
{
	m->idate_ms = query_get_int(q, 4);
	m->zone_min = (int)query_get_int(q, 5);
	m->changed_ms = query_get_null(q, 6) ? m->idate_ms : query_get_int(q, 6);
	m->saved_ms = query_get_null(q, 20) ? m->idate_ms : query_get_int(q, 20);
	m->content = (uint64_t)query_get_int(q, 7);
	m->size = (uint64_t)query_get_int(q, 8);
	m->size_lf = (uint64_t)query_get_int(q, 9);
	m->size_in = (uint64_t)query_get_int(q, 10);
	m->header_n = (uint64_t)query_get_int(q, 11);
	m->lineends = (enum eol_kind)query_get_int(q, 12);
	m->sent_ms = query_get_null(q, 13) ? INT64_MIN : query_get_int(q, 13);
	m->sent_zone_min = (int)query_get_int(q, 14);
	if (what & MESSAGE_NAME) {
		m->slug = query_get_text(q, 15);
		m->name = query_get_text(q, 19);
		m->is_cur = query_get_int(q, 21) != 0;
	}
	if (what & MESSAGE_ENVELOPE)
		m->envelope = query_get_view(q, 16);
	if (what & MESSAGE_BODYSTRUCTURE)
		m->bodystructure = query_get_view(q, 17);
	if (what & MESSAGE_PARTS)
		m->parts = query_get_view(q, 18);
}

static int read_range(struct reading *reading, struct uid_range range, struct err *e)
{
	struct query *q = &reading->q;
	int r = 0;

	query_int(q, 2, range.from);
	query_int(q, 3, range.to);
	while (!reading->ended && (r = query_step(q, e)) > 0) {
		struct message_info m = {
		    .uid.n = (uint32_t)query_get_int(q, 0),
		    .modseq.n = (uint64_t)query_get_int(q, 1),
		    .flags = (uint32_t)query_get_int(q, 2),
		    .keywords = (uint64_t)query_get_int(q, 3),
		};

		if (reading->what != MESSAGE_FLAGS)
			wide_get(q, reading->what, &m);
		reading->ended = !reading->show(reading->arg, &m);
	}
	query_again(q);
	return r < 0 ? -1 : 0;
}

/* message_each, of messages changed after `since`, in a transaction that is open. */
static int read_each(struct db *db, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, struct store_modseq since, unsigned what, message_show *show, void *arg,
    struct err *e)
{
	struct reading reading = {.what = what, .show = show, .arg = arg};
	int r = 0;

	if (query_begin(&reading.q, db,
		what == MESSAGE_FLAGS ? list_narrow
		: what & MESSAGE_NAME ? list_named
				      : list_wide,
		e) < 0)
		return -1;
	query_int(&reading.q, 1, folder.n);
	query_int(&reading.q, 4, (int64_t)since.n);
	for (size_t i = 0; i < ranges_n && !reading.ended && r == 0; i++)
		r = read_range(&reading, ranges[i], e);
	query_end(&reading.q);
	return r;
}

int message_each(struct store *store, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, unsigned what, message_show *show, void *arg, struct err *e)
{
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = folder_exists(t.db, folder, e);
	if (r == 0)
		r = read_each(t.db, folder, ranges, ranges_n, (struct store_modseq){0}, what, show, arg,
		    e);
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
	int r = read_each(db, folder, ranges, ranges_n, since, what, keep, &list, e);

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

/* ---- rows, for those who change them ---- */

static struct message_row *rows_room(struct message_rows *rows)
{
	if (rows->n == rows->room) {
		rows->room = rows->room ? rows->room * 2 : 16;
		rows->p = mem_realloc(rows->p, rows->room * sizeof *rows->p);
	}
	return &rows->p[rows->n++];
}

int message_rows_read(struct db *db, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, struct message_rows *rows, struct err *e)
{
	struct query q;
	int r = 0;

	if (query_begin(&q, db,
		"SELECT uid, flags, modseq, keywords, content, size, born, idate_ms, zone_min "
		"FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	for (size_t i = 0; i < ranges_n && r >= 0; i++) {
		query_int(&q, 2, ranges[i].from);
		query_int(&q, 3, ranges[i].to);
		while ((r = query_step(&q, e)) > 0)
			*rows_room(rows) = (struct message_row){
			    .uid = (uint32_t)query_get_int(&q, 0),
			    .flags = (uint32_t)query_get_int(&q, 1),
			    .modseq = (uint64_t)query_get_int(&q, 2),
			    .keywords = (uint64_t)query_get_int(&q, 3),
			    .content = (uint64_t)query_get_int(&q, 4),
			    .size = (uint64_t)query_get_int(&q, 5),
			    .born = (uint64_t)query_get_int(&q, 6),
			    .idate_ms = query_get_int(&q, 7),
			    .zone_min = query_get_int(&q, 8),
			};
		query_again(&q);
	}
	query_end(&q);
	return r;
}

void message_rows_fini(struct message_rows *rows)
{
	free(rows->p);
	*rows = (struct message_rows){0};
}

int message_insert(struct txn *t, struct folder_id folder, const struct message_row *row,
    struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"INSERT INTO message(folder, uid, modseq, flags, keywords, content, size, born, "
		"idate_ms, zone_min, saved_ms) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?3, ?8, ?9, nullif(?10, ?8))",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_int(&q, 2, row->uid);
	query_int(&q, 3, (int64_t)t->modseq.n);
	query_int(&q, 4, row->flags);
	query_int(&q, 5, (int64_t)row->keywords);
	query_int(&q, 6, (int64_t)row->content);
	query_int(&q, 7, (int64_t)row->size);
	query_int(&q, 8, row->idate_ms);
	query_int(&q, 9, row->zone_min);
	query_int(&q, 10, t->now_ms);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

/* ---- names given through the mount ---- */

static int uid_of_name(struct db *db, struct folder_id folder, const char *name, uint32_t *uid_r,
    struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT uid FROM message_name WHERE folder = ?1 AND name = ?2", e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_text(&q, 2, name);
	r = query_step(&q, e);
	*uid_r = r > 0 ? (uint32_t)query_get_int(&q, 0) : 0;
	query_end(&q);
	return r < 0 ? -1 : 0;
}

int message_by_name(struct store *store, struct folder_id folder, const char *name,
    struct store_uid *uid_r, struct err *e)
{
	struct store_uid uid;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = uid_of_name(t.db, folder, name, &uid.n, e);
	txn_read_end(&t);
	if (r == 0 && uid.n == 0)
		return err_set(e, ERR_NOTFOUND, "no message of that name");
	if (r == 0)
		*uid_r = uid;
	return r;
}

int message_name_put(struct txn *t, struct folder_id folder, uint32_t uid, const char *name,
    struct err *e)
{
	struct query q;
	uint32_t there;
	int r;

	if (uid_of_name(t->db, folder, name, &there, e) < 0)
		return -1;
	if (there == uid)
		return 0;
	if (there)
		return err_set(e, ERR_EXISTS, "a message of that name exists");
	if (DB_RUN(t->db, e, "DELETE FROM message_name WHERE folder = ?1 AND uid = ?2", folder.n, uid) <
	    0)
		return -1;
	if (query_begin(&q, t->db, "INSERT INTO message_name(folder, uid, name) VALUES (?1, ?2, ?3)",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_int(&q, 2, uid);
	query_text(&q, 3, name);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

int maildir_cur_put(struct txn *t, struct folder_id folder, uint32_t uid, bool is_cur, struct err *e)
{
	if (DB_RUN(t->db, e,
		is_cur ? "INSERT INTO maildir_cur(folder, uid) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
		       : "DELETE FROM maildir_cur WHERE folder = ?1 AND uid = ?2",
		folder.n, uid) < 0)
		return -1;
	return db_changes(t->db) > 0;
}

/* A new name is a change that watchers have to hear of: the message's modseq moves. */
static int set_name_in(struct txn *t, struct folder_id folder, struct store_uid uid,
    const char *name, struct err *e)
{
	const struct tally tally = {.folder = folder, .membership = true};

	if (DB_RUN(t->db, e, "UPDATE message SET modseq = ?3 WHERE folder = ?1 AND uid = ?2", folder.n,
		uid.n, (int64_t)t->modseq.n) < 0)
		return -1;
	if (db_changes(t->db) == 0)
		return err_set(e, ERR_EXPUNGED, "message %u", uid.n);
	if (name ? message_name_put(t, folder, uid.n, name, e) < 0
		 : DB_RUN(t->db, e, "DELETE FROM message_name WHERE folder = ?1 AND uid = ?2", folder.n,
		       uid.n) < 0)
		return -1;
	if (DB_RUN(t->db, e,
		"INSERT INTO flag_change(folder, modseq, uid_from, uid_to) VALUES (?1, ?2, ?3, ?3)",
		folder.n, (int64_t)t->modseq.n, uid.n) < 0)
		return -1;
	return tally_write(t, &tally, e);
}

int message_set_name(struct store *store, struct folder_id folder, struct store_uid uid,
    const char *name, struct err *e)
{
	struct txn t = {0};
	int r = -1;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	if (set_name_in(&t, folder, uid, name, e) == 0)
		r = txn_commit(&t, e);
	txn_abort(&t);
	return r;
}

/* ---- octets ---- */

/* A part of one row; 0 with *n_r = 0 where there is no such row, or it ends before. */
static int chunk_read(struct db *db, int64_t id, uint64_t at, char *octets, size_t n, size_t *n_r,
    struct err *e)
{
	struct query q;
	int r;

	*n_r = 0;
	if (query_begin(&q, db, "SELECT data FROM content_data WHERE id = ?1", e) < 0)
		return -1;
	query_int(&q, 1, id);
	r = query_step(&q, e);
	if (r > 0) {
		struct str_view data = query_get_view(&q, 0);

		if (at < data.n) {
			*n_r = n < data.n - at ? n : (size_t)(data.n - at);
			memcpy(octets, data.p + at, *n_r);
		}
	}
	query_end(&q);
	return r;
}

int content_read_in(struct db *db, uint64_t content, uint64_t at, void *octets, size_t n,
    size_t *n_r, struct err *e)
{
	size_t done = 0;

	*n_r = 0;
	while (done < n) {
		uint64_t chunk = (at + done) / CHUNK_OCTETS;
		uint64_t in = (at + done) % CHUNK_OCTETS;
		size_t want = n - done < CHUNK_OCTETS - in ? n - done : (size_t)(CHUNK_OCTETS - in);
		size_t got;
		int r;

		if (chunk >= CHUNKS_MAX)
			break;
		r = chunk_read(db, chunk_id(content, chunk), in, (char *)octets + done, want, &got, e);
		if (r < 0)
			return -1;
		/* The first row is always there, if only with no octet: else all were reclaimed. */
		if (r == 0 && done == 0 && chunk == 0)
			return err_set(e, ERR_EXPUNGED, "content %llu", (unsigned long long)content);
		done += got;
		if (got < want)
			break;
	}
	*n_r = done;
	return 0;
}

/* A slice in the middle that is not there: past the end, or reclaimed while it was read. */
static int check_content(struct db *db, uint64_t content, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT 1 FROM content WHERE id = ?1", e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)content);
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1
	     : r == 0 ? err_set(e, ERR_EXPUNGED, "content %llu", (unsigned long long)content)
		      : 0;
}

int content_read(struct store *store, uint64_t content, uint64_t at, void *octets, size_t n,
    size_t *n_r, struct err *e)
{
	struct txn t;
	size_t got = 0;
	/* Within a row it is one statement. */
	bool is_one = at / CHUNK_OCTETS == (at + n) / CHUNK_OCTETS;
	int r;

	if ((is_one ? txn_read_one(store, &t, e) : txn_read(store, &t, e)) < 0)
		return -1;
	r = content_read_in(t.db, content, at, octets, n, &got, e);
	if (r == 0 && got == 0)
		r = check_content(t.db, content, e);
	txn_read_end(&t);
	if (r == 0)
		*n_r = got;
	return r;
}

int content_exceptions(struct store *store, uint64_t content, struct str_buf *out, struct err *e)
{
	struct query q;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = query_begin(&q, t.db, "SELECT exceptions FROM content_ends WHERE id = ?1", e);
	if (r == 0) {
		query_int(&q, 1, (int64_t)content);
		r = query_step(&q, e);
		if (r > 0) {
			struct str_view v = query_get_view(&q, 0);

			str_buf_put(out, v.p, v.n);
		} else if (r == 0) {
			r = check_content(t.db, content, e);
		}
		query_end(&q);
	}
	txn_read_end(&t);
	return r < 0 ? -1 : 0;
}

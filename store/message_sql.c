/* store/message_sql.c - messages: rows for those who change them, names, octets. */
#include "store/message_priv.h"

#include "base/check.h"
#include "base/mem.h"
#include "store/folder_priv.h"

#include <stdlib.h>
#include <string.h>

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

int content_parts(struct store *store, uint64_t content, struct arena *arena, struct mime_part **parts_r,
    size_t *n_r, struct err *e)
{
	struct query q;
	struct txn t;
	int r;

	if (txn_read_one(store, &t, e) < 0)
		return -1;
	r = query_begin(&q, t.db, "SELECT parts FROM content WHERE id = ?1", e);
	if (r == 0) {
		query_int(&q, 1, (int64_t)content);
		r = query_step(&q, e);
		if (r > 0)
			r = mime_parts_unpack(query_get_view(&q, 0), arena, parts_r, n_r, e);
		else if (r == 0)
			r = err_set(e, ERR_EXPUNGED, "content %llu", (unsigned long long)content);
		query_end(&q);
	}
	txn_read_end(&t);
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

/*
 * store/search_sql.c - what a search reads: the narrow rows of a folder for every message, and what
 * stands beside them only for those where the rows leave it open.
 */
#include "store/search_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "mime/decode.h"
#include "store/folder_priv.h"
#include "store/message_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void row_get(struct query *q, struct search_row *row)
{
	*row = (struct search_row){
	    .uid = {(uint32_t)query_get_int(q, 0)},
	    .flags = (uint32_t)query_get_int(q, 1),
	    .modseq = (uint64_t)query_get_int(q, 2),
	    .keywords = (uint64_t)query_get_int(q, 3),
	    .content = (uint64_t)query_get_int(q, 4),
	    .size = (uint64_t)query_get_int(q, 5),
	    .idate_ms = query_get_int(q, 6),
	    .zone_min = (int)query_get_int(q, 7),
	    .saved_ms = query_get_int(q, 8),
	};
}

int search_rows(struct db *db, struct folder_id folder, struct store_uid from, size_t max_n,
    struct arena *arena, struct search_row **rows_r, size_t *n_r, struct err *e)
{
	struct search_row *rows = NULL;
	size_t n = 0, room = 0;
	struct query q;
	int r = 0;

	if (folder_exists(db, folder, e) < 0 ||
	    query_begin(&q, db,
		"SELECT uid, flags, modseq, keywords, content, size, idate_ms, zone_min, "
		"ifnull(saved_ms, idate_ms) FROM message WHERE folder = ?1 AND uid >= ?2 ORDER BY uid",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_int(&q, 2, from.n);
	while (n < max_n && (r = query_step(&q, e)) > 0) {
		if (n == room) {
			struct search_row *more;

			room = room ? room * 2 : 64;
			more = arena_alloc(arena, room * sizeof *rows);
			if (n)
				memcpy(more, rows, n * sizeof *rows);
			rows = more;
		}
		row_get(&q, &rows[n++]);
	}
	query_end(&q);
	*rows_r = rows;
	*n_r = n;
	return r < 0 ? -1 : 0;
}

/* ---- contents ---- */

/* 1: there it is. */
static int content_query(struct query *q, struct db *db, const char *sql, uint64_t content,
    struct err *e)
{
	if (query_begin(q, db, sql, e) < 0)
		return -1;
	query_int(q, 1, (int64_t)content);
	return query_step(q, e);
}

static int ended(struct query *q, int r, uint64_t content, struct err *e)
{
	query_end(q);
	if (r == 0)
		err_set(e, ERR_CORRUPT, "content %llu is missing", (unsigned long long)content);
	return r > 0 ? 0 : -1;
}

int search_content(struct db *db, uint64_t content, struct search_content *about_r, struct err *e)
{
	struct query q = {0};
	int r = content_query(&q, db,
	    "SELECT hdr, sent_ms, sent_zone_min FROM content WHERE id = ?1", content, e);

	if (r > 0)
		*about_r = (struct search_content){
		    .header_n = (uint64_t)query_get_int(&q, 0),
		    .sent_ms = query_get_null(&q, 1) ? INT64_MIN : query_get_int(&q, 1),
		    .sent_zone_min = (int)query_get_int(&q, 2),
		};
	return ended(&q, r, content, e);
}

int search_parts(struct db *db, uint64_t content, struct arena *arena, struct mime_part **parts_r,
    size_t *n_r, struct err *e)
{
	struct query q = {0};
	int r = content_query(&q, db, "SELECT parts FROM content WHERE id = ?1", content, e);

	if (r > 0 && mime_parts_unpack(query_get_view(&q, 0), arena, parts_r, n_r, e) < 0)
		r = -1;
	return ended(&q, r, content, e);
}

/* ---- octets ---- */

struct search_reader {
	struct db *db;
	sqlite3_blob *blob; /* on one row; moved from row to row */
	int64_t row;
};

struct search_reader *search_reader_new(struct db *db)
{
	struct search_reader *reader = mem_alloc(sizeof *reader);

	reader->db = db;
	return reader;
}

static void reader_close(struct search_reader *reader)
{
	sqlite3_blob_close(reader->blob);
	reader->blob = NULL;
}

void search_reader_free(struct search_reader **reader)
{
	if (!*reader)
		return;
	reader_close(*reader);
	mem_free(reader);
}

static int reader_go(struct search_reader *reader, int64_t row, struct err *e)
{
	int rc;

	if (reader->blob && reader->row == row)
		return 0;
	rc = reader->blob ? sqlite3_blob_reopen(reader->blob, row)
			  : sqlite3_blob_open(db_sqlite(reader->db), "main", "content_data", "data", row,
				0, &reader->blob);
	reader->row = row;
	if (rc == SQLITE_OK)
		return 0;
	reader_close(reader); /* one that failed can't be moved any more */
	/* No such row: says SQLITE_ERROR, which is as good as anything. */
	return rc == SQLITE_ERROR ? err_set(e, ERR_CORRUPT, "octets of content %lld are missing",
				        (long long)(row / CHUNKS_MAX))
				  : db_fail(reader->db, e);
}

int search_read(struct search_reader *reader, uint64_t content, uint64_t at, size_t n,
    struct str_buf *out, struct err *e)
{
	while (n) {
		uint64_t in = at % CHUNK_OCTETS, size;
		size_t want;

		if (at / CHUNK_OCTETS >= CHUNKS_MAX ||
		    reader_go(reader, chunk_id(content, at / CHUNK_OCTETS), e) < 0)
			return -1;
		size = (uint64_t)sqlite3_blob_bytes(reader->blob);
		if (in >= size)
			return 0;
		want = n < size - in ? n : (size_t)(size - in);
		if (sqlite3_blob_read(reader->blob, str_buf_room(out, want), (int)want, (int)in) !=
		    SQLITE_OK)
			return db_fail(reader->db, e);
		out->n += want;
		at += want;
		n -= want;
		if (size < CHUNK_OCTETS)
			return 0;
	}
	return 0;
}

/* ---- signatures ---- */

int search_sig_read(struct db *db, uint64_t content, struct str_buf *out, struct err *e)
{
	struct query q;
	int r;

	str_buf_clear(out);
	if (query_begin(&q, db, "SELECT sig FROM content_search WHERE id = ?1 AND version = ?2", e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)content);
	query_int(&q, 2, mime_text_version());
	r = query_step(&q, e);
	if (r > 0) {
		struct str_view sig = query_get_view(&q, 0);

		str_buf_put(out, sig.p, sig.n);
	}
	query_end(&q);
	return r < 0 ? -1 : 0;
}

void search_made_add(struct search_made *made, uint64_t content, struct str_view sig)
{
	if (made->n == made->room) {
		made->room = made->room ? made->room * 2 : 64;
		made->list = mem_realloc(made->list, made->room * sizeof *made->list);
	}
	made->list[made->n++] = (struct search_made_one){content, made->octets.n, sig.n};
	str_buf_put(&made->octets, sig.p, sig.n);
}

void search_made_fini(struct search_made *made)
{
	free(made->list);
	str_buf_fini(&made->octets);
	*made = (struct search_made){0};
}

/* A commit of some 64 KB takes under a millisecond: who wants to write does not notice. */
#define COMMIT_OCTETS 65536

/* Only for contents that are still there: since the search read them, they may have been reclaimed. */
static int put_some(struct db *db, const struct search_made *made, size_t *done, struct err *e)
{
	size_t octets = 0;
	struct query q;
	int r = 0;

	if (query_begin(&q, db,
		"INSERT OR REPLACE INTO content_search(id, version, sig) "
		"SELECT id, ?2, ?3 FROM content WHERE id = ?1",
		e) < 0)
		return -1;
	while (r == 0 && *done < made->n && octets < COMMIT_OCTETS) {
		const struct search_made_one *one = &made->list[(*done)++];

		query_int(&q, 1, (int64_t)one->content);
		query_int(&q, 2, mime_text_version());
		query_blob(&q, 3, str_view(made->octets.p + one->at, one->n));
		r = query_step(&q, e);
		query_again(&q);
		octets += one->n;
	}
	query_end(&q);
	return r < 0 ? -1 : 0;
}

void search_made_keep(struct search_made *made, struct mailbox *mb)
{
	size_t done = 0;
	struct db *db;
	int r = 0;

	while (r == 0 && done < made->n && mailbox_try_lend_writer(mb, HANDLE_QUICK, &db)) {
		struct err e;

		r = db_write_begin(db, &e);
		if (r == 0)
			r = put_some(db, made, &done, &e);
		if (r == 0)
			r = db_write_commit(db, &e);
		if (r < 0) { /* a full disk, say: searching goes on without */
			db_write_abort(db);
			log_warn("signatures-not-kept", "user=%016" PRIx64 " %s", mb->user.n, log_err(&e));
		}
		mailbox_give_back(mb, &db);
		mailbox_unlock_writer(mb);
	}
}

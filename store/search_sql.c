/*
 * store/search_sql.c - what a search reads: the narrow rows of a folder for every message, and what
 * stands beside them only for those where the rows leave it open.
 */
#include "store/search_priv.h"

#include "store/folder_priv.h"
#include "store/message_priv.h"

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

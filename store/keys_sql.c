/* store/keys_sql.c - the rows that keys of SORT and THREAD are made of. */
#include "store/keys_priv.h"

int keys_rows(struct db *db, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, size_t max_n, struct arena *arena, struct keys_row **rows_r, size_t *n_r,
    struct err *e)
{
	struct keys_row *rows = ARENA_ARRAY(arena, struct keys_row, max_n);
	struct query q;
	size_t n = 0;
	int r = 0;

	if (query_begin(&q, db,
		"SELECT uid, content, idate_ms, size FROM message "
		"WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	for (size_t i = 0; i < ranges_n && n < max_n && r >= 0; i++) {
		query_int(&q, 2, ranges[i].from);
		query_int(&q, 3, ranges[i].to);
		while (n < max_n && (r = query_step(&q, e)) > 0) {
			struct keys_row *row = &rows[n++];

			row->keys.uid.n = (uint32_t)query_get_int(&q, 0);
			row->content = (uint64_t)query_get_int(&q, 1);
			row->keys.arrival_ms = row->keys.sent_ms = query_get_int(&q, 2);
			row->keys.size = (uint64_t)query_get_int(&q, 3);
		}
		query_again(&q);
	}
	query_end(&q);
	if (r < 0)
		return -1;
	*rows_r = rows;
	*n_r = n;
	return 0;
}

int keys_content_read(struct keys_content *c, struct db *db, uint64_t content, struct err *e)
{
	int r;

	if (!c->is_open &&
	    query_begin(&c->q, db,
		"SELECT sent_ms, hdr, envelope FROM content WHERE id = ?1", e) < 0)
		return -1;
	c->is_open = true;
	query_again(&c->q);
	query_int(&c->q, 1, (int64_t)content);
	r = query_step(&c->q, e);
	if (r <= 0)
		return r;
	c->sent_ms = query_get_null(&c->q, 0) ? INT64_MIN : query_get_int(&c->q, 0);
	c->header_n = (uint64_t)query_get_int(&c->q, 1);
	c->envelope = query_get_view(&c->q, 2);
	return 1;
}

void keys_content_end(struct keys_content *c)
{
	if (c->is_open)
		query_end(&c->q);
	*c = (struct keys_content){0};
}

/* store/sidecar_sql.c - the files of Maildir tools: rows of a folder, by name. */
#include "store/sidecar.h"

#include "store/folder_priv.h"
#include "store/txn_priv.h"

#include <string.h>

/* ---- reading ---- */

/* name NULL: all, without data; the query lives in q until query_end. */
static int ask(struct query *q, struct db *db, struct folder_id folder, const char *name,
    struct err *e)
{
	static const char sql_all[] =
	    "SELECT name, length(data), written_ms, NULL FROM sidecar WHERE folder = ?1 ORDER BY name";
	static const char sql_one[] =
	    "SELECT name, length(data), written_ms, data FROM sidecar WHERE folder = ?1 AND name = ?2";

	if (query_begin(q, db, name ? sql_one : sql_all, e) < 0)
		return -1;
	query_int(q, 1, folder.n);
	if (name)
		query_text(q, 2, name);
	return 0;
}

static struct sidecar row_get(struct query *q, struct arena *arena)
{
	struct str_view name = query_get_view(q, 0), data = query_get_view(q, 3);

	return (struct sidecar){arena_strn(arena, name.p, name.n), (uint64_t)query_get_int(q, 1),
	    query_get_int(q, 2), str_view(arena_strn(arena, data.p, data.n), data.n)};
}

int sidecar_list(struct store *store, struct folder_id folder, struct arena *arena,
    struct sidecar **list_r, size_t *n_r, struct err *e)
{
	struct sidecar *list = NULL;
	size_t n = 0, room = 0;
	struct query q;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = ask(&q, t.db, folder, NULL, e);
	if (r == 0) {
		while ((r = query_step(&q, e)) > 0) {
			if (n == room) {
				struct sidecar *more = ARENA_ARRAY(arena, struct sidecar, room = 2 * room + 8);

				if (n)
					memcpy(more, list, n * sizeof *more);
				list = more;
			}
			list[n++] = row_get(&q, arena);
		}
		query_end(&q);
	}
	txn_read_end(&t);
	if (r == 0) {
		*list_r = list;
		*n_r = n;
	}
	return r;
}

int sidecar_get(struct store *store, struct folder_id folder, const char *name, struct arena *arena,
    struct sidecar *sidecar_r, struct err *e)
{
	struct query q;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = ask(&q, t.db, folder, name, e);
	if (r == 0) {
		r = query_step(&q, e);
		if (r > 0)
			*sidecar_r = row_get(&q, arena);
		else if (r == 0)
			r = err_set(e, ERR_NOTFOUND, "no file of that name");
		query_end(&q);
	}
	txn_read_end(&t);
	return r < 0 ? -1 : 0;
}

/* ---- writing ---- */

static int put_row(struct txn *t, struct folder_id folder, const char *name, struct str_view data,
    struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"INSERT INTO sidecar(folder, name, data, written_ms) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT(folder, name) DO UPDATE SET data = excluded.data, written_ms = excluded.written_ms",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_text(&q, 2, name);
	query_blob(&q, 3, data);
	query_int(&q, 4, t->now_ms);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

static int check_count(struct txn *t, struct folder_id folder, struct err *e)
{
	int64_t n = 0;
	struct query q;
	int r;

	if (query_begin(&q, t->db, "SELECT count(*) FROM sidecar WHERE folder = ?1", e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	r = query_step(&q, e);
	if (r > 0)
		n = query_get_int(&q, 0);
	query_end(&q);
	if (r < 0)
		return -1;
	if (n > setting_get(t->mailbox->site->site, SETTING_FS_SIDECARS))
		return err_set(e, ERR_QUOTA, "a folder with %lld files beside its messages", (long long)n);
	return 0;
}

int sidecar_put(struct store *store, struct folder_id folder, const char *name, struct str_view data,
    struct err *e)
{
	struct txn t = {0};
	int r;

	if (data.n > setting_get(store->mailbox->site->site, SETTING_FS_SIDECAR_OCTETS))
		return err_set(e, ERR_TOOBIG, "a file of %zu octets beside a folder's messages", data.n);
	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	r = folder_exists(t.db, folder, e);
	if (r == 0)
		r = put_row(&t, folder, name, data, e);
	if (r == 0)
		r = check_count(&t, folder, e);
	if (r == 0)
		r = txn_commit(&t, e);
	txn_abort(&t);
	return r;
}

static int remove_row(struct txn *t, struct folder_id folder, const char *name, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db, "DELETE FROM sidecar WHERE folder = ?1 AND name = ?2", e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_text(&q, 2, name);
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : db_changes(t->db) > 0;
}

int sidecar_remove(struct store *store, struct folder_id folder, const char *name, struct err *e)
{
	struct txn t = {0};
	int r;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	r = remove_row(&t, folder, name, e);
	if (r > 0)
		r = txn_commit(&t, e);
	else if (r == 0)
		r = err_set(e, ERR_NOTFOUND, "no file of that name");
	txn_abort(&t);
	return r;
}

static int rename_row(struct txn *t, struct folder_id folder, const char *name, const char *new_name,
    struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"UPDATE OR REPLACE sidecar SET name = ?3 WHERE folder = ?1 AND name = ?2", e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_text(&q, 2, name);
	query_text(&q, 3, new_name);
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : db_changes(t->db) > 0;
}

int sidecar_rename(struct store *store, struct folder_id folder, const char *name,
    const char *new_name, struct err *e)
{
	struct txn t = {0};
	int r;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	r = rename_row(&t, folder, name, new_name, e);
	if (r > 0)
		r = txn_commit(&t, e);
	else if (r == 0)
		r = err_set(e, ERR_NOTFOUND, "no file of that name");
	txn_abort(&t);
	return r;
}

/* store/saved_sql.c - searches that are kept: a few small rows.  Nobody is told of a change: no view of mail
 * depends on them. */
#include "store/saved.h"

#include "store/txn_priv.h"

#include <string.h>

int saved_list(struct store *store, struct arena *arena, const char *const **list_r, size_t *n_r,
    struct err *e)
{
	size_t max = setting_get(store->mailbox->site->site, SETTING_SAVED_SEARCHES), n = 0;
	const char **list = ARENA_ARRAY(arena, const char *, max ? max : 1);
	struct str_view text;
	struct query q;
	struct txn t;
	int r;

	if (txn_read_one(store, &t, e) < 0)
		return -1;
	r = query_begin(&q, t.db, "SELECT text FROM saved_search ORDER BY text", e);
	if (r == 0) {
		while (n < max && (r = query_step(&q, e)) > 0) {
			text = query_get_view(&q, 0);
			list[n++] = arena_strn(arena, text.p, text.n);
		}
		query_end(&q);
	}
	txn_read_end(&t);
	if (r < 0)
		return -1;
	*list_r = list;
	*n_r = n;
	return 0;
}

static int count(struct txn *t, int64_t *n_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db, "SELECT count(*) FROM saved_search", e) < 0)
		return -1;
	r = query_step(&q, e);
	*n_r = r > 0 ? query_get_int(&q, 0) : 0;
	query_end(&q);
	return r < 0 ? -1 : 0;
}

/* Runs a statement about one text; the rows it changed, or -1. */
static int64_t run(struct txn *t, const char *sql, const char *text, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db, sql, e) < 0)
		return -1;
	query_text(&q, 1, text);
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : db_changes(t->db);
}

int saved_add(struct store *store, const char *text, struct err *e)
{
	static const char sql_add[] =
	    "INSERT INTO saved_search(text) VALUES (?1) ON CONFLICT(text) DO NOTHING";
	int64_t max = setting_get(store->mailbox->site->site, SETTING_SAVED_SEARCHES), n, added;
	struct txn t = {0};
	int r = -1;

	if (!text[0] || strlen(text) > SAVED_OCTETS_MAX)
		return err_set(e, ERR_INVALID, "a search of %zu octets", strlen(text));
	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	if ((added = run(&t, sql_add, text, e)) < 0 || count(&t, &n, e) < 0)
		goto out;
	if (added == 0)
		err_set(e, ERR_EXISTS, "the search is kept already");
	else if (n > max)
		err_set(e, ERR_QUOTA, "%lld searches that are kept", (long long)n);
	else
		r = txn_commit(&t, e);
out:
	txn_abort(&t);
	return r;
}

int saved_remove(struct store *store, const char *text, struct err *e)
{
	static const char sql_remove[] = "DELETE FROM saved_search WHERE text = ?1";
	struct txn t = {0};
	int64_t removed;
	int r = -1;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	if ((removed = run(&t, sql_remove, text, e)) == 0)
		err_set(e, ERR_NOTFOUND, "no such search is kept");
	else if (removed > 0)
		r = txn_commit(&t, e);
	txn_abort(&t);
	return r;
}

/*
 * store/annotation_sql.c - annotations: a few small rows, read and written whole.
 *
 * What is below a name are the names between "name/" and "name0" (folder_sql.c); the column compares
 * without case, which leaves '/' before '0'.
 */
#include "store/annotation.h"
#include "store/folder_priv.h"

#include <string.h>

static bool is_below(struct str_view name, struct str_view top)
{
	return name.n > top.n + 1 && name.p[top.n] == '/' && str_begins_nocase(name, top);
}

int annotation_name_check(struct str_view name, struct err *e)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < '!' || name.p[i] > '~' || name.p[i] == '*' || name.p[i] == '%')
			return err_set(e, ERR_INVALID, "an annotation's name has a character that it can't");
	if (name.n > ANNOTATION_NAME_OCTETS || (name.n && name.p[name.n - 1] == '/') ||
	    memmem(name.p, name.n, "//", 2))
		return err_set(e, ERR_INVALID, "an annotation's name is too long, or a part of it empty");
	if (!is_below(name, SV("/private")) && !is_below(name, SV("/shared")))
		return err_set(e, ERR_INVALID, "an annotation's name is below /private or /shared");
	return 0;
}

static int folder_check(struct db *db, struct folder_id folder, struct err *e)
{
	return folder.n == ANNOTATION_MAILBOX.n ? 0 : folder_exists(db, folder, e);
}

/* ---- reading ---- */

struct found {
	struct arena *arena;
	struct annotation *list;
	size_t n, room;
};

static void put(struct found *found, struct query *q, uint64_t octets_max)
{
	struct str_view name = query_get_view(q, 0), value;
	struct annotation *a;

	if (found->n == found->room) {
		size_t room = found->room ? 2 * found->room : 16;
		struct annotation *more = ARENA_ARRAY(found->arena, struct annotation, room);

		if (found->n)
			memcpy(more, found->list, found->n * sizeof *more);
		found->list = more;
		found->room = room;
	}
	a = &found->list[found->n++];
	*a = (struct annotation){.name = arena_strn(found->arena, name.p, name.n),
	    .octets = (uint64_t)query_get_int(q, 1)};
	if (a->octets > octets_max)
		return;
	value = query_get_view(q, 2);
	a->value = str_view(arena_strn(found->arena, value.p, value.n), value.n);
}

static uint32_t levels_below(struct str_view name, size_t top_n)
{
	uint32_t n = 0;

	for (size_t i = top_n; i < name.n; i++)
		n += name.p[i] == '/';
	return n;
}

static int list_one(struct db *db, struct folder_id folder, const char *name,
    const struct annotation_query *query, struct found *found, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db,
		"SELECT name, length(value), value FROM annotation WHERE folder = ?1 AND "
		"(name = ?2 OR (?3 AND name > ?2 || '/' AND name < ?2 || '0')) ORDER BY name",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_text(&q, 2, name);
	query_int(&q, 3, query->depth > 0);
	while ((r = query_step(&q, e)) > 0)
		if (levels_below(query_get_view(&q, 0), strlen(name)) <= query->depth)
			put(found, &q, query->octets_max);
	query_end(&q);
	return r;
}

int annotation_list(struct store *store, struct folder_id folder,
    const struct annotation_query *query, struct arena *arena, struct annotation **list_r,
    size_t *n_r, struct err *e)
{
	struct found found = {.arena = arena};
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = folder_check(t.db, folder, e);
	for (size_t i = 0; r == 0 && i < query->names_n; i++)
		r = list_one(t.db, folder, query->names[i], query, &found, e);
	txn_read_end(&t);
	if (r < 0)
		return -1;
	*list_r = found.list;
	*n_r = found.n;
	return 0;
}

/* ---- writing ---- */

static int put_one(struct txn *t, struct folder_id folder, const struct annotation *a, struct err *e)
{
	static const char sql_put[] =
	    "INSERT INTO annotation(folder, name, value) VALUES (?1, ?2, ?3) "
	    "ON CONFLICT(folder, name) DO UPDATE SET value = excluded.value";
	static const char sql_remove[] = "DELETE FROM annotation WHERE folder = ?1 AND name = ?2";
	struct query q;
	int r;

	if (query_begin(&q, t->db, a->value.p ? sql_put : sql_remove, e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_text(&q, 2, a->name);
	if (a->value.p)
		query_blob(&q, 3, a->value);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

/* After the change, in its transaction: what removes and adds at once is judged by what it leaves. */
static int check_room(struct txn *t, struct folder_id folder, struct err *e)
{
	struct site *site = t->mailbox->site->site;
	int64_t count = 0, octets = 0;
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"SELECT count(*) FILTER (WHERE folder = ?1), "
		"sum(length(value) + length(CAST(name AS BLOB))) FROM annotation",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	r = query_step(&q, e);
	if (r > 0) {
		count = query_get_int(&q, 0);
		octets = query_get_int(&q, 1);
	}
	query_end(&q);
	if (r < 0)
		return -1;
	if (count > setting_get(site, SETTING_ANNOTATIONS_MAX))
		return err_set(e, ERR_LIMIT, "a folder with %lld annotations", (long long)count);
	if (octets > setting_get(site, SETTING_ANNOTATION_OCTETS_MAX))
		return err_set(e, ERR_QUOTA, "annotations of %lld octets", (long long)octets);
	return 0;
}

static int check_list(struct store *store, const struct annotation *list, size_t n, struct err *e)
{
	uint64_t max = setting_get(store->mailbox->site->site, SETTING_ANNOTATION_VALUE_MAX);

	for (size_t i = 0; i < n; i++) {
		if (annotation_name_check(str_view(list[i].name, strlen(list[i].name)), e) < 0)
			return -1;
		if (list[i].value.n > max)
			return err_set(e, ERR_TOOBIG, "an annotation of %zu octets", list[i].value.n);
	}
	return 0;
}

int annotation_set(struct store *store, struct folder_id folder, const struct annotation *list,
    size_t n, struct err *e)
{
	struct txn t = {0};
	int r;

	if (check_list(store, list, n, e) < 0 || txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	r = folder_check(t.db, folder, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_one(&t, folder, &list[i], e);
	if (r == 0)
		r = check_room(&t, folder, e);
	if (r == 0)
		r = folder_touch(&t, folder, e);
	if (r == 0)
		r = txn_commit(&t, e);
	txn_abort(&t);
	return r;
}

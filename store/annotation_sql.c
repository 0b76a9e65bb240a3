/*
 * store/annotation_sql.c - annotations: a few small rows, read and written whole.
 *
 * What is below a name are the names between "name/" and "name0" (folder_sql.c); the column compares
 * without case, which leaves '/' before '0'.
 */
#include "store/annotation.h"
#include "store/folder_priv.h"

#include "base/mem.h"

#include <stdlib.h>
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
		"value IS NOT NULL AND (name = ?2 OR (?3 AND name > ?2 || '/' AND name < ?2 || '0')) "
		"ORDER BY name",
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

/* What is so already is no change: nobody is told of it. */
static int put_one(struct txn *t, struct folder_id folder, const struct annotation *a,
    bool *changed, struct err *e)
{
	static const char sql_put[] =
	    "INSERT INTO annotation(folder, name, modseq, value) VALUES (?1, ?2, ?3, ?4) "
	    "ON CONFLICT(folder, name) DO UPDATE SET modseq = excluded.modseq, value = excluded.value "
	    "WHERE value IS NOT excluded.value";
	static const char sql_remove[] =
	    "UPDATE annotation SET modseq = ?3, value = NULL "
	    "WHERE folder = ?1 AND name = ?2 AND value IS NOT NULL";
	struct query q;
	int r;

	if (query_begin(&q, t->db, a->value.p ? sql_put : sql_remove, e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_text(&q, 2, a->name);
	query_int(&q, 3, (int64_t)t->modseq.n);
	if (a->value.p)
		query_blob(&q, 4, a->value);
	r = query_step(&q, e);
	query_end(&q);
	*changed |= r == 0 && db_changes(t->db) > 0;
	return r;
}

/* Tombstones are for those who are connected, and look at once: the oldest go first. */
static int trim_tombstones(struct txn *t, struct folder_id folder, struct err *e)
{
	int64_t max = setting_get(t->mailbox->site->site, SETTING_ANNOTATIONS_MAX);

	return DB_RUN(t->db, e,
	    "DELETE FROM annotation WHERE folder = ?1 AND value IS NULL AND name IN "
	    "(SELECT name FROM annotation WHERE folder = ?1 AND value IS NULL "
	    "ORDER BY modseq DESC, name LIMIT -1 OFFSET ?2)",
	    folder.n, max);
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
		"sum(length(value) + length(CAST(name AS BLOB))) FROM annotation WHERE value IS NOT NULL",
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

static int set_in(struct txn *t, struct folder_id folder, const struct annotation *list, size_t n,
    bool *changed_r, struct err *e)
{
	int r = folder_check(t->db, folder, e);

	*changed_r = false;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_one(t, folder, &list[i], changed_r, e);
	if (r < 0 || !*changed_r)
		return r;
	if (check_room(t, folder, e) < 0 || trim_tombstones(t, folder, e) < 0)
		return -1;
	return folder_touch(t, folder, e);
}

int annotation_set(struct store *store, struct folder_id folder, const struct annotation *list,
    size_t n, struct err *e)
{
	struct txn t = {0};
	bool changed;
	int r;

	if (check_list(store, list, n, e) < 0 || txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	r = set_in(&t, folder, list, n, &changed, e);
	if (r == 0 && changed)
		r = txn_commit(&t, e);
	txn_abort(&t);
	return r;
}

/* ---- what changed ---- */

static int changes_read_in(struct db *db, struct store_modseq since, struct store_modseq until,
    struct arena *arena, struct annotation_change **list_r, size_t *n_r, struct err *e)
{
	struct annotation_change *list = NULL;
	size_t n = 0, room = 0;
	struct query q;
	int r;

	if (query_begin(&q, db,
		"SELECT folder, name, modseq FROM annotation WHERE modseq > ?1 AND modseq <= ?2 "
		"ORDER BY folder, name",
		e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)since.n);
	query_int(&q, 2, (int64_t)until.n);
	while ((r = query_step(&q, e)) > 0) {
		struct str_view name = query_get_view(&q, 1);

		if (n == room) {
			room = room ? room * 2 : 16;
			list = mem_realloc(list, room * sizeof *list);
		}
		list[n++] = (struct annotation_change){{(uint32_t)query_get_int(&q, 0)},
		    arena_strn(arena, name.p, name.n), {(uint64_t)query_get_int(&q, 2)}};
	}
	query_end(&q);
	*list_r = n ? arena_copy(arena, list, n * sizeof *list) : NULL;
	*n_r = n;
	free(list);
	return r;
}

int annotation_changes(struct store *store, struct store_modseq since, struct store_modseq until,
    struct arena *arena, struct annotation_change **list_r, size_t *n_r, struct err *e)
{
	struct txn t;
	int r;

	if (txn_read_one(store, &t, e) < 0)
		return -1;
	r = changes_read_in(t.db, since, until, arena, list_r, n_r, e);
	txn_read_end(&t);
	return r;
}

/*
 * store/change_sql.c - what changed since a modseq.
 *
 * New messages are the tail of a folder: `born` never falls as UIDs grow.  Changed flags are runs of
 * UIDs in flag_change, and each message's own modseq decides.  What went is in the tombstones.
 */
#include "store/change_priv.h"

#include "store/folder_priv.h"
#include "store/message_priv.h"

#include "base/mem.h"

#include <stdlib.h>

struct ranges {
	struct uid_range *p; /* heap */
	size_t n, room;
};

static void range_add(struct ranges *list, uint32_t from, uint32_t to)
{
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 16;
		list->p = mem_realloc(list->p, list->room * sizeof *list->p);
	}
	list->p[list->n++] = (struct uid_range){from, to};
}

static int by_from(const void *a, const void *b)
{
	const struct uid_range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Ascending and apart, as message_list wants them. */
static void ranges_merge(struct ranges *list)
{
	size_t n = 0;

	if (list->n == 0)
		return;
	qsort(list->p, list->n, sizeof *list->p, by_from);
	for (size_t i = 1; i < list->n; i++) {
		struct uid_range *last = &list->p[n], *here = &list->p[i];

		if (here->from - 1 <= last->to) { /* no UID is 0 */
			if (here->to > last->to)
				last->to = here->to;
		} else {
			list->p[++n] = *here;
		}
	}
	list->n = n + 1;
}

/* The first UID that arrived after `since`: walks back from the end, as far as it is new. */
static int find_new(struct db *db, struct folder_id folder, struct store_modseq since,
    struct ranges *list, struct err *e)
{
	uint32_t first = 0;
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT uid, born FROM message WHERE folder = ?1 ORDER BY uid DESC",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	while ((r = query_step(&q, e)) > 0 && (uint64_t)query_get_int(&q, 1) > since.n)
		first = (uint32_t)query_get_int(&q, 0);
	query_end(&q);
	if (first)
		range_add(list, first, UINT32_MAX);
	return r < 0 ? -1 : 0;
}

static int find_changed(struct db *db, struct folder_id folder, struct store_modseq since,
    struct ranges *list, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db,
		"SELECT uid_from, uid_to FROM flag_change WHERE folder = ?1 AND modseq > ?2", e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_int(&q, 2, (int64_t)since.n);
	while ((r = query_step(&q, e)) > 0)
		range_add(list, (uint32_t)query_get_int(&q, 0), (uint32_t)query_get_int(&q, 1));
	query_end(&q);
	return r;
}

/* Ranges that hold all that came or changed. */
static int find_where(struct db *db, struct folder_id folder, struct store_modseq since,
    struct ranges *list, struct err *e)
{
	if (find_new(db, folder, since, list, e) < 0 || find_changed(db, folder, since, list, e) < 0)
		return -1;
	ranges_merge(list);
	return 0;
}

/* What went after `since` and was there at `born`. */
static int find_gone(struct db *db, struct folder_id folder, struct store_modseq since,
    int64_t born, struct ranges *list, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db,
		"SELECT uid FROM expunged WHERE folder = ?1 AND modseq > ?2 AND born <= ?3", e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_int(&q, 2, (int64_t)since.n);
	query_int(&q, 3, born);
	while ((r = query_step(&q, e)) > 0)
		range_add(list, (uint32_t)query_get_int(&q, 0), (uint32_t)query_get_int(&q, 0));
	query_end(&q);
	if (r == 0)
		ranges_merge(list);
	return r;
}

/* The UIDs in ranges, one by one. */
static void ranges_spread(const struct ranges *list, struct arena *arena, struct folder_changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += list->p[i].to - list->p[i].from + 1;
	if (n == 0)
		return;
	c->expunged = ARENA_ARRAY(arena, struct store_uid, n);
	for (size_t i = 0; i < list->n; i++)
		for (uint32_t uid = list->p[i].from;; uid++) {
			c->expunged[c->expunged_n++].n = uid;
			if (uid == list->p[i].to)
				break;
		}
}

int changes_read(struct db *db, const struct folder_info *info, struct store_modseq since,
    unsigned what, struct arena *arena, struct folder_changes *c, struct err *e)
{
	struct folder_id folder = info->id;
	struct ranges ranges = {0};
	int r;

	*c = (struct folder_changes){.highestmodseq = info->highestmodseq, .info = *info,
	    .reset = since.n < info->floormodseq.n};
	if (c->reset || since.n >= info->highestmodseq.n)
		return 0;
	r = find_where(db, folder, since, &ranges, e);
	if (r == 0)
		r = messages_list(db, folder, ranges.p, ranges.n, since, what, SIZE_MAX, arena,
		    &c->changed, &c->changed_n, e);
	/* What came and went since then was never seen, and is not told. */
	ranges.n = 0;
	if (r == 0)
		r = find_gone(db, folder, since, (int64_t)since.n, &ranges, e);
	if (r == 0)
		ranges_spread(&ranges, arena, c);
	free(ranges.p);
	return r;
}

int change_folder(struct store *store, struct folder_id folder, struct store_modseq since,
    unsigned what, struct arena *arena, struct folder_changes *changes_r, struct err *e)
{
	struct folder_changes c;
	struct folder_info info;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = folder_counters(t.db, folder, &info, e);
	if (r == 0)
		r = changes_read(t.db, &info, since, what, arena, &c, e);
	txn_read_end(&t);
	if (r == 0)
		*changes_r = c;
	return r;
}

static struct uid_range *ranges_keep(const struct ranges *list, struct arena *arena)
{
	return list->n ? arena_copy(arena, list->p, list->n * sizeof *list->p) : NULL;
}

static int where_in(struct db *db, struct folder_id folder, struct store_modseq since,
    struct arena *arena, struct change_where *where, struct err *e)
{
	struct ranges changed = {0}, gone = {0};
	struct folder_info info;
	int r = folder_counters(db, folder, &info, e);

	if (r == 0)
		r = find_where(db, folder, since, &changed, e);
	/* A client may ask from further back than it knows: so what it saw come and go counts too. */
	if (r == 0)
		r = find_gone(db, folder, since, INT64_MAX, &gone, e);
	if (r == 0)
		*where = (struct change_where){ranges_keep(&changed, arena), changed.n,
		    ranges_keep(&gone, arena), gone.n, since.n < info.floormodseq.n};
	free(changed.p);
	free(gone.p);
	return r;
}

int change_where(struct store *store, struct folder_id folder, struct store_modseq since,
    struct arena *arena, struct change_where *where_r, struct err *e)
{
	struct change_where where;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = where_in(t.db, folder, since, arena, &where, e);
	txn_read_end(&t);
	if (r == 0)
		*where_r = where;
	return r;
}

/* Folder ids that a query with one parameter finds. */
static int ids_read(struct db *db, const char *sql, struct store_modseq since, struct arena *arena,
    struct folder_id **ids_r, size_t *n_r, struct err *e)
{
	struct folder_id *ids = NULL;
	size_t n = 0, room = 0;
	struct query q;
	int r;

	if (query_begin(&q, db, sql, e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)since.n);
	while ((r = query_step(&q, e)) > 0) {
		if (n == room) {
			room = room ? room * 2 : 16;
			ids = mem_realloc(ids, room * sizeof *ids);
		}
		ids[n++].n = (uint32_t)query_get_int(&q, 0);
	}
	query_end(&q);
	*ids_r = n ? arena_copy(arena, ids, n * sizeof *ids) : NULL;
	*n_r = n;
	free(ids);
	return r;
}

static int store_position(struct db *db, struct store_status *status, uint64_t *floor_r,
    struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db,
		"SELECT c.highestmodseq, c.n_exists, c.bytes, s.floormodseq FROM counter c, store s "
		"WHERE c.folder = 0 AND s.id = 1",
		e) < 0)
		return -1;
	r = query_step(&q, e);
	if (r > 0) {
		*status = (struct store_status){{(uint64_t)query_get_int(&q, 0)},
		    (uint64_t)query_get_int(&q, 1), (uint64_t)query_get_int(&q, 2)};
		*floor_r = (uint64_t)query_get_int(&q, 3);
	}
	query_end(&q);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_CORRUPT, "the mailbox's counters are missing") : 0;
}

int store_status(struct store *store, struct store_status *status_r, struct err *e)
{
	uint64_t floor;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = store_position(t.db, status_r, &floor, e);
	txn_read_end(&t);
	return r;
}

int change_store(struct store *store, struct store_modseq since, struct arena *arena,
    struct store_changes *changes_r, struct err *e)
{
	struct store_changes c = {0};
	struct store_status status;
	uint64_t floor;
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = store_position(t.db, &status, &floor, e);
	if (r == 0) {
		c.modseq = status.modseq;
		c.reset = since.n < floor;
	}
	if (r == 0 && !c.reset)
		r = ids_read(t.db,
		    "SELECT f.id FROM folder f JOIN counter c ON c.folder = f.id "
		    "WHERE c.highestmodseq > ?1 OR f.metamodseq > ?1",
		    since, arena, &c.changed, &c.changed_n, e);
	if (r == 0 && !c.reset)
		r = ids_read(t.db, "SELECT id FROM folder_gone WHERE modseq > ?1", since, arena, &c.gone,
		    &c.gone_n, e);
	txn_read_end(&t);
	if (r == 0)
		*changes_r = c;
	return r;
}

int db_modseq(struct db *db, uint64_t *modseq_r, struct err *e)
{
	struct store_status status = {0};
	uint64_t floor;

	if (store_position(db, &status, &floor, e) < 0)
		return -1;
	*modseq_r = status.modseq.n;
	return 0;
}

int mailbox_modseq(struct mailbox *mb, uint64_t *modseq_r, struct err *e)
{
	struct db *db;
	int r;

	if (mailbox_lend_reader(mb, &db, e) < 0)
		return -1;
	r = db_modseq(db, modseq_r, e);
	mailbox_give_back(mb, &db);
	return r;
}

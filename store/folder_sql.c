/*
 * store/folder_sql.c - folders: their names, and what they are.  Changes: folder_change_sql.c.
 *
 * A name's children are the names between "name/" and "name0": '0' follows '/' in ASCII, and names
 * are compared by their bytes.
 */
#include "store/folder_priv.h"

#include "mime/decode.h"

#include <string.h>


#define FOLDER_COUNTERS                                                                            \
	"f.id, f.uidvalidity, c.next, c.highestmodseq, c.floormodseq, c.n_exists, c.n_unseen, "    \
	"c.n_deleted, c.recentuid, c.bytes, c.changed_ms"
/* ?2: enum folder_count; unbound, nothing is counted. */
#define FOLDER_SELECT                                                                              \
	"SELECT " FOLDER_COUNTERS ", f.name, f.use, "                                             \
	"EXISTS (SELECT 1 FROM subscription s WHERE s.name = f.name), "                            \
	"EXISTS (SELECT 1 FROM folder k WHERE k.name > f.name || '/' AND k.name < f.name || '0'), " \
	"CASE WHEN ?2 & 1 THEN (SELECT count(*) FROM message m WHERE m.folder = f.id "             \
	"AND m.uid >= c.recentuid) END, "                                                          \
	"CASE WHEN ?2 & 2 AND c.n_deleted THEN (SELECT sum(m.size) FROM message m "                \
	"WHERE m.folder = f.id AND m.flags & 8) END "                                              \
	"FROM folder f JOIN counter c ON c.folder = f.id "

int folder_name_check(struct str_view name, struct str_buf *out, struct err *e)
{
	size_t begun = out->n;

	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			return err_set(e, ERR_INVALID, "a folder's name has a control character");
	if (!mime_nfc(name, out))
		return err_set(e, ERR_INVALID, "a folder's name is not UTF-8");
	char *p = out->p ? out->p + begun : NULL;
	size_t n = out->n - begun;

	if (n == 0 || n > FOLDER_NAME_OCTETS)
		return err_set(e, ERR_INVALID, "a folder's name has 1 to %d octets", FOLDER_NAME_OCTETS);
	if (p[0] == '/' || p[n - 1] == '/' || memmem(p, n, "//", 2))
		return err_set(e, ERR_INVALID, "a part of a folder's name is empty");
	/* RFC 9051 5.1: INBOX in any case is INBOX; so are the folders below it. */
	if (n >= 5 && str_equal_nocase(str_view(p, 5), SV("INBOX")) && (n == 5 || p[5] == '/'))
		memcpy(p, "INBOX", 5);
	return 0;
}

static void counters_get(struct query *q, struct folder_info *f)
{
	*f = (struct folder_info){
	    .id = {(uint32_t)query_get_int(q, 0)},
	    .uidvalidity = (uint32_t)query_get_int(q, 1),
	    .uidnext = (uint32_t)query_get_int(q, 2),
	    .highestmodseq = {(uint64_t)query_get_int(q, 3)},
	    .floormodseq = {(uint64_t)query_get_int(q, 4)},
	    .exists = (uint32_t)query_get_int(q, 5),
	    .unseen = (uint32_t)query_get_int(q, 6),
	    .deleted = (uint32_t)query_get_int(q, 7),
	    .recent_from = {(uint32_t)query_get_int(q, 8)},
	    .bytes = (uint64_t)query_get_int(q, 9),
	    .changed_ms = query_get_int(q, 10),
	};
}

static void row_get(struct query *q, struct arena *arena, struct folder_info *f)
{
	struct str_view name = query_get_view(q, 11);

	counters_get(q, f);
	f->name = arena_strn(arena, name.p, name.n);
	f->use = (enum folder_use)query_get_int(q, 12);
	f->subscribed = query_get_int(q, 13) != 0;
	f->has_children = query_get_int(q, 14) != 0;
	f->recent = (uint32_t)query_get_int(q, 15);
	f->deleted_bytes = (uint64_t)query_get_int(q, 16);
}

static int counters_one(struct query *q, struct folder_info *info_r, struct err *e)
{
	int r = query_step(q, e);

	if (r > 0)
		counters_get(q, info_r);
	query_end(q);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_NOTFOUND, "no such folder") : 0;
}

int folder_counters(struct db *db, struct folder_id id, struct folder_info *info_r, struct err *e)
{
	struct query q;

	if (query_begin(&q, db,
		"SELECT " FOLDER_COUNTERS " FROM folder f JOIN counter c ON c.folder = f.id "
		"WHERE f.id = ?1", e) < 0)
		return -1;
	query_int(&q, 1, id.n);
	return counters_one(&q, info_r, e);
}

int folder_counters_by_name(struct store *store, const char *name, struct folder_info *info_r,
    struct err *e)
{
	struct str_buf checked = {0};
	struct query q;
	struct txn t;
	int r;

	/* What can't be a name is no folder's. */
	if (folder_name_check(str_view(name, strlen(name)), &checked, e) < 0) {
		str_buf_fini(&checked);
		return err_set(e, ERR_NOTFOUND, "no such folder");
	}
	r = txn_read_one(store, &t, e);
	if (r == 0)
		r = query_begin(&q, t.db,
		    "SELECT " FOLDER_COUNTERS " FROM folder f JOIN counter c ON c.folder = f.id "
		    "WHERE f.name = ?1", e);
	if (r == 0) {
		query_text(&q, 1, checked.p);
		r = counters_one(&q, info_r, e);
	}
	txn_read_end(&t);
	str_buf_fini(&checked);
	return r;
}

static int row_one(struct query *q, struct arena *arena, struct folder_info *info_r, struct err *e)
{
	int r = query_step(q, e);

	if (r > 0)
		row_get(q, arena, info_r);
	query_end(q);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_NOTFOUND, "no such folder") : 0;
}

int folder_read(struct db *db, struct folder_id id, struct arena *arena, struct folder_info *info_r,
    struct err *e)
{
	struct query q;

	if (query_begin(&q, db, FOLDER_SELECT "WHERE f.id = ?1", e) < 0)
		return -1;
	query_int(&q, 1, id.n);
	return row_one(&q, arena, info_r, e);
}

int folder_read_by_name(struct db *db, const char *name, unsigned counts, struct arena *arena,
    struct folder_info *info_r, struct err *e)
{
	struct query q;

	if (query_begin(&q, db, FOLDER_SELECT "WHERE f.name = ?1", e) < 0)
		return -1;
	query_text(&q, 1, name);
	query_int(&q, 2, counts);
	return row_one(&q, arena, info_r, e);
}

int folder_list_counted(struct store *store, unsigned counts, struct arena *arena,
    struct folder_info **list_r, size_t *n_r, struct err *e)
{
	struct folder_info *list = NULL;
	struct query q = {0};
	struct txn t;
	size_t n = 0;
	int r = -1;

	if (txn_read(store, &t, e) < 0)
		return -1;
	if (query_begin(&q, t.db, "SELECT count(*) FROM folder", e) < 0 || query_step(&q, e) < 0)
		goto out;
	size_t room = (size_t)query_get_int(&q, 0);

	query_end(&q);
	list = ARENA_ARRAY(arena, struct folder_info, room + 1);
	if (query_begin(&q, t.db, FOLDER_SELECT "ORDER BY f.name", e) < 0)
		goto out;
	query_int(&q, 2, counts);
	while (n < room && (r = query_step(&q, e)) > 0)
		row_get(&q, arena, &list[n++]);
	if (n == room)
		r = 0;
out:
	query_end(&q);
	txn_read_end(&t);
	if (r < 0)
		return -1;
	*list_r = list;
	*n_r = n;
	return 0;
}

int folder_list(struct store *store, struct arena *arena, struct folder_info **list_r, size_t *n_r,
    struct err *e)
{
	return folder_list_counted(store, 0, arena, list_r, n_r, e);
}

int folder_by_name_counted(struct store *store, const char *name, unsigned counts,
    struct arena *arena, struct folder_info *info_r, struct err *e)
{
	struct str_buf checked = {0};
	struct txn t;
	int r;

	/* What can't be a name is no folder's. */
	if (folder_name_check(str_view(name, strlen(name)), &checked, e) < 0) {
		str_buf_fini(&checked);
		return err_set(e, ERR_NOTFOUND, "no such folder");
	}
	r = txn_read(store, &t, e);
	if (r == 0) {
		r = folder_read_by_name(t.db, checked.p, counts, arena, info_r, e);
		txn_read_end(&t);
	}
	str_buf_fini(&checked);
	return r;
}

int folder_by_name(struct store *store, const char *name, struct arena *arena,
    struct folder_info *info_r, struct err *e)
{
	return folder_by_name_counted(store, name, 0, arena, info_r, e);
}

int folder_by_id(struct store *store, struct folder_id id, struct arena *arena,
    struct folder_info *info_r, struct err *e)
{
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = folder_read(t.db, id, arena, info_r, e);
	txn_read_end(&t);
	return r;
}

int folder_next_uid(struct txn *t, struct folder_id id, struct folder_next *next_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"SELECT c.next, f.uidvalidity FROM folder f JOIN counter c ON c.folder = f.id "
		"WHERE f.id = ?1",
		e) < 0)
		return -1;
	query_int(&q, 1, id.n);
	r = query_step(&q, e);
	if (r > 0)
		*next_r = (struct folder_next){(uint64_t)query_get_int(&q, 0),
		    (uint32_t)query_get_int(&q, 1)};
	query_end(&q);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_NOTFOUND, "folder %u", id.n) : 0;
}

int folder_find(struct db *db, const char *name, struct folder_id *id_r, struct err *e)
{
	struct str_buf checked = {0};
	struct query q = {0};
	int r = 0;

	/* What can't be a name is no folder's. */
	if (folder_name_check(str_view(name, strlen(name)), &checked, e) == 0) {
		r = query_begin(&q, db, "SELECT id FROM folder WHERE name = ?1", e);
		if (r == 0) {
			query_text(&q, 1, checked.p);
			r = query_step(&q, e);
		}
		if (r > 0)
			*id_r = (struct folder_id){(uint32_t)query_get_int(&q, 0)};
		query_end(&q);
	}
	str_buf_fini(&checked);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_NOTFOUND, "no such folder") : 0;
}

int folder_exists(struct db *db, struct folder_id id, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT 1 FROM folder WHERE id = ?1", e) < 0)
		return -1;
	query_int(&q, 1, id.n);
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_NOTFOUND, "folder %u", id.n) : 0;
}

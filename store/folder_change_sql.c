/*
 * store/folder_change_sql.c - folders come, go, get other names and subscriptions.
 *
 * A name's children are the names between "name/" and "name0": '0' follows '/' in ASCII, and names
 * are compared by their bytes.
 */
#include "store/folder_priv.h"

#include "store/message_priv.h"

#include <string.h>

/* ---- making ---- */

/* The id of a name, 0 if there is none. */
static int id_of(struct db *db, const char *name, uint32_t *id_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT id FROM folder WHERE name = ?1", e) < 0)
		return -1;
	query_text(&q, 1, name);
	r = query_step(&q, e);
	*id_r = r > 0 ? (uint32_t)query_get_int(&q, 0) : 0;
	query_end(&q);
	return r < 0 ? -1 : 0;
}

/* The feed of changes moves on although no folder's counters do. */
static int modseq_write(struct txn *t, struct err *e)
{
	t->has_changed = true;
	return DB_RUN(t->db, e, "UPDATE counter SET highestmodseq = ?1 WHERE folder = 0",
	    (int64_t)t->modseq.n);
}

int folder_touch(struct txn *t, struct folder_id id, struct err *e)
{
	if (DB_RUN(t->db, e, "UPDATE folder SET metamodseq = ?2 WHERE id = ?1", id.n,
		(int64_t)t->modseq.n) < 0)
		return -1;
	return modseq_write(t, e);
}

/* Takes the next folder id and UIDVALIDITY: the time, but always above the last one given, so that
 * no (name, UIDVALIDITY) ever comes back (RFC 9051 2.3.1.1). */
static int take_ids(struct txn *t, uint32_t *id_r, uint32_t *uidvalidity_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"UPDATE store SET nextfolder = nextfolder + 1, uidvalidity = max(uidvalidity + 1, ?1) "
		"WHERE id = 1 RETURNING nextfolder - 1, uidvalidity",
		e) < 0)
		return -1;
	query_int(&q, 1, t->now_ms / 1000);
	r = query_step(&q, e);
	if (r > 0) {
		*id_r = (uint32_t)query_get_int(&q, 0);
		*uidvalidity_r = (uint32_t)query_get_int(&q, 1);
		r = query_step(&q, e) < 0 ? -1 : 1; /* an UPDATE acts when it is stepped to its end */
	}
	query_end(&q);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_CORRUPT, "the store's own row is missing") : 0;
}

int folder_insert(struct txn *t, const char *name, enum folder_use use, struct folder_id *id_r,
    struct err *e)
{
	uint32_t id = 0, uidvalidity = 0;
	struct query q;
	int r;

	if (take_ids(t, &id, &uidvalidity, e) < 0 ||
	    query_begin(&q, t->db,
		"INSERT INTO folder(id, name, uidvalidity, metamodseq, use) "
		"VALUES (?1, ?2, ?3, ?4, ?5)",
		e) < 0)
		return -1;
	query_int(&q, 1, id);
	query_text(&q, 2, name);
	query_int(&q, 3, uidvalidity);
	query_int(&q, 4, (int64_t)t->modseq.n);
	query_int(&q, 5, use);
	r = query_step(&q, e);
	query_end(&q);
	if (r < 0 ||
	    DB_RUN(t->db, e,
		"INSERT INTO counter(folder, next, highestmodseq, changed_ms) VALUES (?1, 1, ?2, ?3)",
		id, (int64_t)t->modseq.n, t->now_ms) < 0)
		return -1;
	id_r->n = id;
	return modseq_write(t, e);
}

static int check_room(struct txn *t, struct err *e)
{
	int64_t max = setting_get(t->mailbox->site->site, SETTING_FOLDERS_MAX), n = 0;
	struct query q;

	if (query_begin(&q, t->db, "SELECT count(*) FROM folder", e) < 0)
		return -1;
	if (query_step(&q, e) > 0)
		n = query_get_int(&q, 0);
	query_end(&q);
	return n < max ? 0 : err_set(e, ERR_LIMIT, "the mailbox has %lld folders", (long long)n);
}

/* The folders above a name that are missing. */
static int insert_parents(struct txn *t, const char *name, struct err *e)
{
	char parent[FOLDER_NAME_OCTETS + 1];
	struct folder_id id;

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(parent, name, (size_t)(slash - name));
		parent[slash - name] = '\0';
		if (id_of(t->db, parent, &id.n, e) < 0)
			return -1;
		if (id.n == 0 && (check_room(t, e) < 0 ||
				     folder_insert(t, parent, FOLDER_NO_USE, &id, e) < 0))
			return -1;
	}
	return 0;
}

/* A use means one folder: where a client looks for the drafts it must not find two. */
static int check_use(struct txn *t, enum folder_use use, struct err *e)
{
	struct query q;
	int r;

	if (use == FOLDER_NO_USE)
		return 0;
	if (query_begin(&q, t->db, "SELECT 1 FROM folder WHERE use = ?1", e) < 0)
		return -1;
	query_int(&q, 1, use);
	r = query_step(&q, e);
	query_end(&q);
	return r > 0 ? err_set(e, ERR_INVALID, "another folder has that use") : r;
}

static int create_in(struct txn *t, const char *name, enum folder_use use, struct folder_id *id_r,
    struct err *e)
{
	uint32_t there;

	if (id_of(t->db, name, &there, e) < 0)
		return -1;
	if (there)
		return err_set(e, ERR_EXISTS, "the folder exists");
	if (check_use(t, use, e) < 0 || insert_parents(t, name, e) < 0 || check_room(t, e) < 0)
		return -1;
	return folder_insert(t, name, use, id_r, e);
}

int folder_create(struct store *store, const char *name, enum folder_use use, struct folder_id *id_r,
    struct err *e)
{
	struct str_buf checked = {0};
	struct folder_id id;
	struct txn t = {0};
	int r = -1;

	if (folder_name_check(str_view(name, strlen(name)), &checked, e) < 0 ||
	    txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		goto out;
	if (create_in(&t, checked.p, use, &id, e) < 0)
		goto out;
	r = txn_commit(&t, e);
	if (r == 0)
		*id_r = id;
out:
	txn_abort(&t);
	str_buf_fini(&checked);
	return r;
}

/* ---- renaming ---- */

/* Renames a folder and the ones below it; the new names must not be taken, nor be too long. */
static int rename_tree(struct txn *t, const char *from, const char *to, struct err *e)
{
	static const char sql[] =
	    "UPDATE folder SET name = ?2 || substr(name, length(?1) + 1), metamodseq = ?3 "
	    "WHERE name = ?1 OR (name > ?1 || '/' AND name < ?1 || '0')";
	static const char sql_check[] =
	    "SELECT max(length(CAST(f.name AS BLOB))), "
	    "count((SELECT 1 FROM folder o WHERE o.name = ?2 || substr(f.name, length(?1) + 1))) "
	    "FROM folder f WHERE f.name = ?1 OR (f.name > ?1 || '/' AND f.name < ?1 || '0')";
	struct query q;
	int64_t longest, taken;
	int r;

	if (query_begin(&q, t->db, sql_check, e) < 0)
		return -1;
	query_text(&q, 1, from);
	query_text(&q, 2, to);
	r = query_step(&q, e);
	longest = r > 0 ? query_get_int(&q, 0) : 0;
	taken = r > 0 ? query_get_int(&q, 1) : 0;
	query_end(&q);
	if (r < 0)
		return -1;
	if (taken)
		return err_set(e, ERR_EXISTS, "a folder of the new name exists");
	if (longest + (int64_t)strlen(to) - (int64_t)strlen(from) > FOLDER_NAME_OCTETS)
		return err_set(e, ERR_INVALID, "a folder's name would be too long");
	if (query_begin(&q, t->db, sql, e) < 0)
		return -1;
	query_text(&q, 1, from);
	query_text(&q, 2, to);
	query_int(&q, 3, (int64_t)t->modseq.n);
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : modseq_write(t, e);
}

/* RFC 9051 6.3.6: INBOX stays, its messages move; the folders below it are not touched. */
static int rename_inbox(struct txn *t, uint32_t inbox, const char *to, struct err *e)
{
	static const struct uid_range all = {1, UINT32_MAX};
	struct arena arena = {0};
	struct message_copied moved;
	struct folder_id id;
	int r = -1;

	if (folder_insert(t, to, FOLDER_NO_USE, &id, e) == 0)
		r = messages_move(t, (struct folder_id){inbox}, &all, 1, id, &arena, &moved, e);
	arena_fini(&arena);
	return r;
}

static int rename_in(struct txn *t, const char *from, const char *to, struct err *e)
{
	size_t n = strlen(from);
	uint32_t from_id, to_id;

	if (id_of(t->db, from, &from_id, e) < 0 || id_of(t->db, to, &to_id, e) < 0)
		return -1;
	if (!from_id)
		return err_set(e, ERR_NOTFOUND, "no such folder");
	if (to_id)
		return err_set(e, ERR_EXISTS, "a folder of the new name exists");
	if (strcmp(from, "INBOX") != 0 && strncmp(from, to, n) == 0 && to[n] == '/')
		return err_set(e, ERR_INVALID, "a folder can't be moved below itself");
	if (insert_parents(t, to, e) < 0)
		return -1;
	if (strcmp(from, "INBOX") == 0)
		return rename_inbox(t, from_id, to, e);
	return rename_tree(t, from, to, e);
}

int folder_rename(struct store *store, const char *from, const char *to, struct err *e)
{
	struct str_buf a = {0}, b = {0};
	struct txn t = {0};
	int r = -1;

	if (folder_name_check(str_view(from, strlen(from)), &a, e) < 0 ||
	    folder_name_check(str_view(to, strlen(to)), &b, e) < 0 ||
	    txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		goto out;
	if (rename_in(&t, a.p, b.p, e) == 0)
		r = txn_commit(&t, e);
out:
	txn_abort(&t);
	str_buf_fini(&a);
	str_buf_fini(&b);
	return r;
}

/* ---- deleting ---- */

static int gone_put(struct txn *t, const struct folder_info *f, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"INSERT INTO folder_gone(modseq, id, name, uidvalidity, gone_ms) "
		"VALUES (?1, ?2, ?3, ?4, ?5)",
		e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)t->modseq.n);
	query_int(&q, 2, f->id.n);
	query_text(&q, 3, f->name);
	query_int(&q, 4, f->uidvalidity);
	query_int(&q, 5, t->now_ms);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

static int check_empty(struct txn *t, const struct folder_info *f, struct err *e)
{
	struct query q;
	int r;

	if (f->exists > 0)
		return err_set(e, ERR_EXISTS, "there are messages in the folder");
	if (query_begin(&q, t->db,
		"SELECT 1 FROM folder WHERE name > ?1 || '/' AND name < ?1 || '0' LIMIT 1", e) < 0)
		return -1;
	query_text(&q, 1, f->name);
	r = query_step(&q, e);
	query_end(&q);
	return r > 0 ? err_set(e, ERR_EXISTS, "there are folders in the folder") : r;
}

static int delete_in(struct txn *t, const char *name, bool only_empty, struct arena *arena,
    struct err *e)
{
	static const struct uid_range all = {1, UINT32_MAX};
	struct folder_info f;
	struct store_uid *gone;
	size_t gone_n;

	if (strcmp(name, "INBOX") == 0)
		return err_set(e, ERR_PERM, "INBOX can't be deleted");
	if (folder_read_by_name(t->db, name, 0, arena, &f, e) < 0 ||
	    (only_empty && check_empty(t, &f, e) < 0) ||
	    messages_expunge(t, f.id, &all, 1, false, arena, &gone, &gone_n, e) < 0 ||
	    gone_put(t, &f, e) < 0)
		return -1;
	if (DB_RUN(t->db, e, "DELETE FROM flag_change WHERE folder = ?1", f.id.n) < 0 ||
	    DB_RUN(t->db, e, "DELETE FROM expunged WHERE folder = ?1", f.id.n) < 0 ||
	    DB_RUN(t->db, e, "DELETE FROM scratch WHERE folder = ?1", f.id.n) < 0 ||
	    DB_RUN(t->db, e, "DELETE FROM sidecar WHERE folder = ?1", f.id.n) < 0 ||
	    DB_RUN(t->db, e, "DELETE FROM annotation WHERE folder = ?1", f.id.n) < 0 ||
	    DB_RUN(t->db, e, "DELETE FROM counter WHERE folder = ?1", f.id.n) < 0 ||
	    DB_RUN(t->db, e, "DELETE FROM folder WHERE id = ?1", f.id.n) < 0)
		return -1;
	return modseq_write(t, e);
}

static int delete_folder(struct store *store, const char *name, bool only_empty, struct err *e)
{
	struct str_buf checked = {0};
	struct arena arena = {0};
	struct txn t = {0};
	int r = -1;

	if (folder_name_check(str_view(name, strlen(name)), &checked, e) < 0 ||
	    txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		goto out;
	if (delete_in(&t, checked.p, only_empty, &arena, e) == 0)
		r = txn_commit(&t, e);
out:
	txn_abort(&t);
	arena_fini(&arena);
	str_buf_fini(&checked);
	return r;
}

int folder_delete(struct store *store, const char *name, struct err *e)
{
	return delete_folder(store, name, false, e);
}

int folder_delete_empty(struct store *store, const char *name, struct err *e)
{
	return delete_folder(store, name, true, e);
}

/* ---- subscriptions ---- */

int subscription_put(struct txn *t, const char *name, bool on, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		on ? "INSERT INTO subscription(name) VALUES (?1) ON CONFLICT DO NOTHING"
		   : "DELETE FROM subscription WHERE name = ?1",
		e) < 0)
		return -1;
	query_text(&q, 1, name);
	r = query_step(&q, e);
	query_end(&q);
	if (r < 0 || query_begin(&q, t->db, "UPDATE folder SET metamodseq = ?2 WHERE name = ?1", e) < 0)
		return -1;
	query_text(&q, 1, name);
	query_int(&q, 2, (int64_t)t->modseq.n);
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : modseq_write(t, e);
}

int folder_subscribe(struct store *store, const char *name, bool on, struct err *e)
{
	struct str_buf checked = {0};
	struct txn t = {0};
	int r = -1;

	if (folder_name_check(str_view(name, strlen(name)), &checked, e) < 0 ||
	    txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		goto out;
	if (subscription_put(&t, checked.p, on, e) == 0)
		r = txn_commit(&t, e);
out:
	txn_abort(&t);
	str_buf_fini(&checked);
	return r;
}

int folder_subscriptions(struct store *store, struct arena *arena, const char ***names_r,
    size_t *n_r, struct err *e)
{
	const char **names = NULL;
	size_t n = 0, room = 0;
	struct query q = {0};
	struct txn t;
	int r = -1;

	if (txn_read(store, &t, e) < 0)
		return -1;
	if (query_begin(&q, t.db, "SELECT count(*) FROM subscription", e) < 0 || query_step(&q, e) < 0)
		goto out;
	room = (size_t)query_get_int(&q, 0);
	query_end(&q);
	names = ARENA_ARRAY(arena, const char *, room + 1);
	if (query_begin(&q, t.db, "SELECT name FROM subscription ORDER BY name", e) < 0)
		goto out;
	r = 0;
	while (n < room && (r = query_step(&q, e)) > 0) {
		struct str_view name = query_get_view(&q, 0);

		names[n++] = arena_strn(arena, name.p, name.n);
	}
out:
	query_end(&q);
	txn_read_end(&t);
	if (r < 0)
		return -1;
	*names_r = names;
	*n_r = n;
	return 0;
}

/* ---- \Recent ---- */

/* Two sessions that select at once: the writer lock decides who is told (RFC 3501 2.3.2). */
static int claim_in(struct txn *t, struct folder_id id, struct store_uid *from_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db, "SELECT recentuid FROM counter WHERE folder = ?1", e) < 0)
		return -1;
	query_int(&q, 1, id.n);
	r = query_step(&q, e);
	from_r->n = r > 0 ? (uint32_t)query_get_int(&q, 0) : 0;
	query_end(&q);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NOTFOUND, "folder %u", id.n);
	return DB_RUN(t->db, e, "UPDATE counter SET recentuid = next WHERE folder = ?1", id.n);
}

int folder_claim_recent(struct store *store, struct folder_id id, struct store_uid *recent_from_r,
    struct err *e)
{
	struct folder_info info;
	struct arena arena = {0};
	struct store_uid from;
	struct txn t = {0};
	int r = folder_by_id(store, id, &arena, &info, e);

	arena_fini(&arena);
	if (r < 0)
		return -1;
	/* Nothing arrived since the last claim: no commit, which is the common case of SELECT. */
	if (info.recent_from.n == info.uidnext) {
		*recent_from_r = info.recent_from;
		return 0;
	}
	if (txn_write(store, HANDLE_QUICK, &t, e) < 0)
		return -1;
	r = claim_in(&t, id, &from, e);
	if (r == 0)
		r = txn_commit(&t, e);
	txn_abort(&t);
	if (r == 0)
		*recent_from_r = from;
	return r;
}

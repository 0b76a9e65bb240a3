/*
 * store/directory_sql.c - users, in STORE/directory.db: the handle, and looking users up.
 *
 * A login must not touch SQLite: directory_cache.c.  Changes: directory_write_sql.c.
 */
#include "store/directory_priv.h"

#include "base/io.h"
#include "base/mem.h"
#include "mime/decode.h"
#include "store/credential.h"
#include "store/db_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening, locking ---- */

int directory_writer_lock(struct directory *d, struct err *e)
{
	int64_t wait = setting_get(d->site->site, SETTING_WRITE_WAIT_MS);

	if (io_lock_until(d->lock_fd, 0, 1, wait) == 0)
		return 0;
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_BUSY, "another process writes the directory");
	return err_sys(e, ERR_IO, errno, "directory.lock");
}

void directory_writer_unlock(struct directory *d)
{
	io_unlock(d->lock_fd, 0, 1);
}

static int open_files(struct directory *d, struct err *e)
{
	int dir_fd = site_dir_fd(d->site->site);

	d->lock_fd = io_open_or_make(dir_fd, "directory.lock", 0660);
	if (d->lock_fd < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, "directory.lock");
	return generation_open(d->site, "directory", &d->generation, e);
}

static const char *text_keep(struct query *q, int column, struct arena *arena)
{
	struct str_view v;

	if (query_get_null(q, column))
		return NULL;
	v = query_get_view(q, column);
	return arena_strn(arena, v.p, v.n);
}

/* All rows, as an array of elements of this size in the arena; NULL: there are none. */
static int rows_read(struct db *db, const char *sql, size_t size, void (*get)(struct query *q, struct arena *arena, void *element), struct arena *arena,
    void **list_r, size_t *n_r, struct err *e)
{
	char *list = NULL;
	size_t n = 0, room = 0;
	struct query q;
	int r;

	if (query_begin(&q, db, sql, e) < 0)
		return -1;
	while ((r = query_step(&q, e)) > 0) {
		if (n == room) {
			room = room ? room * 2 : 64;
			list = mem_realloc(list, room * size);
		}
		get(&q, arena, list + n++ * size);
	}
	query_end(&q);
	if (r == 0) {
		*list_r = n ? arena_copy(arena, list, n * size) : NULL;
		*n_r = n;
	}
	free(list);
	return r;
}

static void verifier_row(struct query *q, struct arena *arena, void *element)
{
	*(struct credential_verifier *)element =
	    (struct credential_verifier){{(uint64_t)query_get_int(q, 0)}, text_keep(q, 1, arena)};
}

/*
 * Verifiers stood here in version 1.  They are in auth.db, on the disk, before the step to version 2 forgets them;
 * killed in between, it is all done again.  A door may not write there: it waits for who checks passwords.
 */
static int move_verifiers(struct site *site, const char *path, struct err *e)
{
	struct arena arena = {0};
	void *list = NULL;
	struct err none;
	struct db *db;
	size_t n = 0;
	int r;

	if (db_open(path, &db_schema_directory_1, true, false, &db, &none) < 0)
		return 0; /* there is none yet, or it is past that; else the next to open it says what is wrong */
	r = rows_read(db, "SELECT id, verifier FROM user WHERE verifier IS NOT NULL", sizeof(struct credential_verifier),
	    verifier_row, &arena, &list, &n, e);
	if (r == 0 && n && credential_import(site, list, n, e) < 0)
		r = err_context(e, "an older version's store, which postern-authd brings up to date, or `postern user list`");
	arena_fini(&arena);
	db_allow_commit(db, true);
	db_close(&db);
	return r;
}

int directory_open_db(struct directory *d, struct err *e)
{
	char path[MAILBOX_PATH_SIZE];
	int r;

	if (d->db && !db_is_suspect(d->db))
		return 0;
	snprintf(path, sizeof path, "%s/directory.db", d->site->root);
	/* The schema may have to be made, and a doubtful handle's close may checkpoint. */
	if (directory_writer_lock(d, e) < 0)
		return -1;
	if (d->db) {
		db_allow_commit(d->db, true);
		db_close(&d->db);
	}
	r = db_open(path, &db_schema_directory, true, false, &d->db, e);
	if (r < 0 && e->code == ERR_NOTFOUND) {
		r = move_verifiers(d->site->site, path, e);
		if (r == 0)
			r = db_open(path, &db_schema_directory, true, true, &d->db, e);
	}
	directory_writer_unlock(d);
	/* Nobody waits for that: many begin at once when a machine starts. */
	if (r == 0 && fsync(site_dir_fd(d->site->site)) < 0)
		r = err_sys(e, ERR_IO, errno, "fsync the store folder");
	return r;
}

static struct directory *directory_of(struct store_site *ss, struct err *e)
{
	struct directory *d;

	pthread_mutex_lock(&ss->lock);
	d = ss->directory;
	if (!d) {
		d = mem_alloc(sizeof *d);
		d->site = ss;
		d->lock_fd = -1;
		pthread_mutex_init(&d->lock, NULL);
		if (open_files(d, e) == 0) {
			ss->directory = d;
		} else {
			if (d->lock_fd >= 0)
				close(d->lock_fd);
			mem_free(&d);
		}
	}
	pthread_mutex_unlock(&ss->lock);
	return d;
}

int directory_enter(struct site *site, struct directory **d_r, struct err *e)
{
	struct store_site *ss;

	if (store_site_get(site, &ss, e) < 0)
		return -1;
	*d_r = directory_of(ss, e);
	if (!*d_r)
		return -1;
	pthread_mutex_lock(&(*d_r)->lock);
	return 0;
}

void directory_leave(struct directory *d)
{
	pthread_mutex_unlock(&d->lock);
}

void directory_close(struct store_site *ss)
{
	struct directory *d = ss->directory;

	if (!d)
		return;
	/* Closed even where the lock can't be had: an end that waits for others is no end. */
	if (d->db && io_try_lock(d->lock_fd, 0, 1) == 0) {
		db_allow_commit(d->db, true);
		db_close(&d->db);
		directory_writer_unlock(d);
	} else if (d->db) {
		db_abandon(&d->db);
	}
	directory_cache_clear(d);
	domains_fini(&d->domains);
	close(d->lock_fd);
	generation_close(&d->generation);
	pthread_mutex_destroy(&d->lock);
	mem_free(&ss->directory);
}

/* ---- reading ---- */

#define USER_COLUMNS "id, name, policy, unix_account, permissions, disabled"

static void user_get(struct query *q, struct arena *arena, struct directory_user *u)
{
	*u = (struct directory_user){
	    .id = {(uint64_t)query_get_int(q, 0)},
	    .name = text_keep(q, 1, arena),
	    .policy = text_keep(q, 2, arena),
	    .unix_account = text_keep(q, 3, arena),
	    .permissions = (uint32_t)query_get_int(q, 4),
	    .disabled = query_get_int(q, 5) != 0,
	};
}

/* value is the cache key without its letter; ids are decimal text. */
int directory_user_query(struct directory *d, enum lookup by, const char *value, struct arena *arena,
    struct directory_user *user, struct err *e)
{
	const char *sql = by == BY_NAME
	    ? "SELECT " USER_COLUMNS " FROM user WHERE folded = ?1 "
	      "UNION ALL SELECT " USER_COLUMNS " FROM user "
	      "WHERE id = (SELECT user FROM alias WHERE folded = ?1) LIMIT 1"
	    : by == BY_ID ? "SELECT " USER_COLUMNS " FROM user WHERE id = CAST(?1 AS INTEGER)"
			  : "SELECT " USER_COLUMNS " FROM user WHERE unix_account = ?1";
	struct query q;
	int r;

	if (directory_open_db(d, e) < 0 || query_begin(&q, d->db, sql, e) < 0)
		return -1;
	query_text(&q, 1, value);
	r = query_step(&q, e);
	if (r > 0)
		user_get(&q, arena, user);
	query_end(&q);
	return r;
}

/* Under a name that was looked for, as long as nothing changed since the cache was of this generation; NULL: nobody. */
static void remember(struct directory *d, const char *key, const struct directory_user *user)
{
	if (!generation_is_settled(d->cached_at) || generation_read(&d->generation) != d->cached_at)
		return;
	if (user)
		directory_cache_put(d, key, user);
	else
		directory_cache_put_nobody(d, key);
}

/* 1, 0, -1: from the cache, or from the database and into the cache. */
static int user_lookup(struct directory *d, enum lookup by, const char *value, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	const char *key = arena_printf(arena, "%c%s", (char)by, value);
	uint64_t generation = generation_read(&d->generation);
	const struct directory_user *known;
	int r;

	if (generation != d->cached_at)
		directory_cache_clear(d);
	d->cached_at = generation;
	if (generation_is_settled(generation)) {
		if ((known = directory_cache_find(d, key))) {
			directory_user_copy(arena, known, user_r);
			return 1;
		}
		if (directory_cache_is_nobody(d, key))
			return 0;
	}
	r = directory_user_query(d, by, value, arena, user_r, e);
	if (r >= 0)
		remember(d, key, r > 0 ? user_r : NULL);
	return r;
}

int directory_lookup_done(int r, struct err *e)
{
	return r > 0 ? 0 : r < 0 ? -1 : err_set(e, ERR_NOTFOUND, "no such user");
}

/* Where the domain is a name of the default one, the user of the local part, unless the whole is somebody. */
int directory_find_named(struct directory *d, const char *name, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	enum domain_kind kind = DOMAIN_FOREIGN;
	struct str_buf key = {0};
	const char *at;
	int r;

	directory_name_key(name, &key);
	r = user_lookup(d, BY_NAME, key.p ? key.p : "", arena, user_r, e);
	at = key.p ? strrchr(key.p, '@') : NULL;
	if (r == 0 && at && at > key.p && domain_kind_of(d, at + 1, &kind, e) < 0)
		r = -1;
	if (r == 0 && kind == DOMAIN_DEFAULT) {
		const char *local = arena_strn(arena, key.p, (size_t)(at - key.p));

		r = user_lookup(d, BY_NAME, local, arena, user_r, e);
		if (r > 0)
			remember(d, arena_printf(arena, "%c%s", (char)BY_NAME, key.p), user_r);
	}
	str_buf_fini(&key);
	return r;
}

int directory_user_find(struct site *site, const char *name, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	struct directory *d;
	int r;

	if (strlen(name) > 4096 || !mime_utf8_valid(str_view(name, strlen(name))))
		return err_set(e, ERR_NOTFOUND, "no such user");
	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = directory_find_named(d, name, arena, user_r, e);
	directory_leave(d);
	return directory_lookup_done(r, e);
}

void directory_account_key(struct site *site, const char *name, struct str_buf *out)
{
	struct directory_user user;
	struct arena arena = {0};
	enum domain_kind kind = DOMAIN_FOREIGN;
	size_t begin = out->n;
	const char *at;
	struct err e;
	bool is_user = directory_user_find(site, name, &arena, &user, &e) == 0;

	directory_name_key(is_user ? user.name : name, out);
	at = out->n > begin ? strrchr(out->p + begin, '@') : NULL;
	if (!is_user && at && domain_kind(site, str_view(at + 1, strlen(at + 1)), &kind, &e) == 0 && kind == DOMAIN_DEFAULT)
		out->n = (size_t)(at - out->p);
	if (out->p)
		out->p[out->n] = '\0';
	arena_fini(&arena);
}

int directory_user_by_id(struct site *site, struct user_id id, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	struct directory *d;
	char text[32];
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	snprintf(text, sizeof text, "%" PRId64, (int64_t)id.n);
	r = user_lookup(d, BY_ID, text, arena, user_r, e);
	directory_leave(d);
	return directory_lookup_done(r, e);
}

int directory_user_by_account(struct site *site, const char *unix_account, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	struct directory *d;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = user_lookup(d, BY_ACCOUNT, unix_account, arena, user_r, e);
	directory_leave(d);
	return directory_lookup_done(r, e);
}

static void user_row(struct query *q, struct arena *arena, void *element)
{
	user_get(q, arena, element);
}

static void alias_row(struct query *q, struct arena *arena, void *element)
{
	*(struct directory_alias *)element =
	    (struct directory_alias){text_keep(q, 0, arena), text_keep(q, 1, arena)};
}

int directory_rows(struct directory *d, const char *sql, size_t size, void (*get)(struct query *q, struct arena *arena, void *element),
    struct arena *arena, void **list_r, size_t *n_r, struct err *e)
{
	return directory_open_db(d, e) < 0 ? -1 : rows_read(d->db, sql, size, get, arena, list_r, n_r, e);
}

static int list_rows(struct site *site, const char *sql, size_t size, void (*get)(struct query *q, struct arena *arena, void *element), struct arena *arena,
    void **list_r, size_t *n_r, struct err *e)
{
	struct directory *d;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = directory_rows(d, sql, size, get, arena, list_r, n_r, e);
	directory_leave(d);
	return r;
}

int directory_users(struct site *site, struct arena *arena, struct directory_user **list_r,
    size_t *n_r, struct err *e)
{
	void *list = NULL;

	if (list_rows(site, "SELECT " USER_COLUMNS " FROM user ORDER BY folded", sizeof **list_r, user_row, arena,
	        &list, n_r, e) < 0)
		return -1;
	*list_r = list;
	return 0;
}

static void id_row(struct query *q, struct arena *arena, void *element)
{
	(void)arena;
	*(uint64_t *)element = (uint64_t)query_get_int(q, 0);
}

int directory_enabled(struct site *site, struct arena *arena, uint64_t **ids_r, size_t *n_r, struct err *e)
{
	void *list = NULL;

	if (list_rows(site, "SELECT id FROM user WHERE disabled = 0", sizeof **ids_r, id_row, arena, &list, n_r, e) < 0)
		return -1;
	*ids_r = list;
	return 0;
}

int directory_aliases(struct site *site, struct arena *arena, struct directory_alias **list_r,
    size_t *n_r, struct err *e)
{
	void *list = NULL;

	if (list_rows(site, "SELECT a.name, u.name FROM alias a JOIN user u ON u.id = a.user ORDER BY a.folded",
	        sizeof **list_r, alias_row, arena, &list, n_r, e) < 0)
		return -1;
	*list_r = list;
	return 0;
}

int directory_open(struct site *site, struct err *e)
{
	struct directory *d;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = directory_open_db(d, e);
	directory_leave(d);
	return r;
}

uint64_t directory_generation(struct site *site)
{
	struct directory *d;
	struct err e;
	uint64_t n;

	if (directory_enter(site, &d, &e) < 0)
		return 0;
	n = generation_read(&d->generation);
	directory_leave(d);
	return n;
}

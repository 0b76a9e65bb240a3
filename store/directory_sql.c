/*
 * store/directory_sql.c - users, in STORE/directory.db.
 *
 * A login must not touch SQLite, so each process keeps what it looked up, for one generation.  The
 * generation is a number in the runtime folder that a writer makes odd before its COMMIT and even
 * after it: an odd one means that a commit may be under way (or that its writer died), and nothing
 * is taken from the cache or put there.  So a cache is never behind a commit that returned.
 */
#include "store/directory.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "mime/decode.h"
#include "store/db_priv.h"
#include "store/mailbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_CHARACTERS_MAX 64
#define CACHE_BUCKETS 1024
#define CACHE_MAX 4096 /* entries; then all go, and come back as they are asked for */

/* What a user is looked up by; the first letter of a cache key. */
enum lookup { BY_NAME = 'n', BY_ID = 'i', BY_ACCOUNT = 'u' };

struct cached {
	struct cached *next;
	struct arena arena; /* of key and user */
	const char *key;
	struct directory_user user;
};

struct directory {
	struct store_site *site;
	pthread_mutex_t lock; /* all below */
	struct db *db;
	int lock_fd;       /* directory.lock: every commit and checkpoint */
	int generation_fd;
	uint64_t cached_at; /* generation */
	size_t cached_n;
	struct cached *buckets[CACHE_BUCKETS];
};

/* ---- the cache ---- */

static void cache_clear(struct directory *d)
{
	for (size_t i = 0; i < CACHE_BUCKETS; i++) {
		struct cached *next;

		for (struct cached *c = d->buckets[i]; c; c = next) {
			next = c->next;
			arena_fini(&c->arena);
			free(c);
		}
		d->buckets[i] = NULL;
	}
	d->cached_n = 0;
}

static size_t bucket_of(const char *key)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return h % CACHE_BUCKETS;
}

static void user_copy(struct arena *arena, const struct directory_user *from,
    struct directory_user *to)
{
	*to = *from;
	to->name = arena_str(arena, from->name);
	to->verifier = from->verifier ? arena_str(arena, from->verifier) : NULL;
	to->policy = from->policy ? arena_str(arena, from->policy) : NULL;
	to->unix_account = from->unix_account ? arena_str(arena, from->unix_account) : NULL;
}

static const struct directory_user *cache_find(struct directory *d, const char *key)
{
	for (struct cached *c = d->buckets[bucket_of(key)]; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return &c->user;
	return NULL;
}

static void cache_put(struct directory *d, const char *key, const struct directory_user *user)
{
	struct cached *c, **bucket;

	if (d->cached_n >= CACHE_MAX)
		cache_clear(d);
	c = mem_alloc(sizeof *c);
	c->key = arena_str(&c->arena, key);
	user_copy(&c->arena, user, &c->user);
	bucket = &d->buckets[bucket_of(key)];
	c->next = *bucket;
	*bucket = c;
	d->cached_n++;
}

static uint64_t generation_read(struct directory *d)
{
	uint64_t n = 0;

	if (io_pread_all(d->generation_fd, &n, sizeof n, 0) != sizeof n)
		return 0; /* never written yet */
	return n;
}

/* ---- opening, locking ---- */

static int writer_lock(struct directory *d, struct err *e)
{
	int64_t wait = setting_get(d->site->site, SETTING_WRITE_WAIT_MS);

	if (io_lock_until(d->lock_fd, 0, 1, wait) == 0)
		return 0;
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_BUSY, "another process writes the directory");
	return err_sys(e, ERR_IO, errno, "directory.lock");
}

static void writer_unlock(struct directory *d)
{
	io_unlock(d->lock_fd, 0, 1);
}

static int open_files(struct directory *d, struct err *e)
{
	int dir_fd = site_dir_fd(d->site->site);

	d->lock_fd = openat(dir_fd, "directory.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (d->lock_fd < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, "directory.lock");
	d->generation_fd = notice_file(d->site, "directory", e);
	return d->generation_fd < 0 ? -1 : 0;
}

static int open_db(struct directory *d, struct err *e)
{
	char path[MAILBOX_PATH_SIZE];
	int r;

	if (d->db && !db_is_suspect(d->db))
		return 0;
	snprintf(path, sizeof path, "%s/directory.db", d->site->root);
	/* The schema may have to be made, and a doubtful handle's close may checkpoint. */
	if (writer_lock(d, e) < 0)
		return -1;
	if (d->db) {
		db_allow_commit(d->db, true);
		db_close(&d->db);
	}
	r = db_open(path, &db_schema_directory, true, true, &d->db, e);
	if (r == 0 && fsync(site_dir_fd(d->site->site)) < 0)
		r = err_sys(e, ERR_IO, errno, "fsync the store folder");
	writer_unlock(d);
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
		d->lock_fd = d->generation_fd = -1;
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

/* The site's directory, locked; the handle is opened only by those who need it. */
static int enter(struct site *site, struct directory **d_r, struct err *e)
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

static void leave(struct directory *d)
{
	pthread_mutex_unlock(&d->lock);
}

void directory_close(struct store_site *ss)
{
	struct directory *d = ss->directory;
	struct err e;

	if (!d)
		return;
	/* Closed even where the lock can't be had: nobody of this process is left to wait. */
	if (d->db && writer_lock(d, &e) == 0) {
		db_allow_commit(d->db, true);
		db_close(&d->db);
		writer_unlock(d);
	}
	cache_clear(d);
	close(d->lock_fd);
	close(d->generation_fd);
	pthread_mutex_destroy(&d->lock);
	mem_free(&ss->directory);
}

/* ---- names ---- */

static bool ascii_allowed(char c, bool first)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("_-+@", c)) || (c == '.' && !first);
}

int directory_name_check(const char *name, struct err *e)
{
	struct str_view rest = str_view(name, strlen(name));
	size_t characters = 0;

	for (; rest.n > 0; characters++) {
		bool first = rest.p == name, allowed;
		char c = *rest.p;
		enum mime_char kind = mime_char_next(&rest);

		allowed = kind == MIME_CHAR_LETTER || (kind == MIME_CHAR_MARK && !first) ||
			  (kind == MIME_CHAR_ASCII && ascii_allowed(c, first));
		if (!allowed)
			return err_set(e, ERR_INVALID,
			    "a user's name has letters, digits and . _ - + @, and no . in front");
	}
	if (characters < 1 || characters > NAME_CHARACTERS_MAX)
		return err_set(e, ERR_INVALID, "a user's name has 1 to %d characters",
		    NAME_CHARACTERS_MAX);
	return 0;
}

/* How names are compared. */
static void name_fold(const char *name, struct str_buf *out)
{
	mime_fold(str_view(name, strlen(name)), out);
}

/* ---- reading ---- */

#define USER_COLUMNS "id, name, verifier, policy, unix_account, permissions, disabled"

static const char *text_keep(struct query *q, int column, struct arena *arena)
{
	struct str_view v;

	if (query_get_null(q, column))
		return NULL;
	v = query_get_view(q, column);
	return arena_strn(arena, v.p, v.n);
}

static void user_get(struct query *q, struct arena *arena, struct directory_user *u)
{
	*u = (struct directory_user){
	    .id = {(uint64_t)query_get_int(q, 0)},
	    .name = text_keep(q, 1, arena),
	    .verifier = text_keep(q, 2, arena),
	    .policy = text_keep(q, 3, arena),
	    .unix_account = text_keep(q, 4, arena),
	    .permissions = (uint32_t)query_get_int(q, 5),
	    .disabled = query_get_int(q, 6) != 0,
	};
}

/* 1, 0 (there is none), -1.  value is the cache key without its letter; ids are decimal text. */
static int user_query(struct directory *d, enum lookup by, const char *value, struct arena *arena,
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

	if (open_db(d, e) < 0 || query_begin(&q, d->db, sql, e) < 0)
		return -1;
	query_text(&q, 1, value);
	r = query_step(&q, e);
	if (r > 0)
		user_get(&q, arena, user);
	query_end(&q);
	return r;
}

/* 1, 0, -1: from the cache, or from the database and into the cache. */
static int user_lookup(struct directory *d, enum lookup by, const char *value, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	uint64_t generation = generation_read(d);
	char *key = arena_printf(arena, "%c%s", (char)by, value);
	const struct directory_user *known;
	int r;

	if (generation != d->cached_at)
		cache_clear(d);
	d->cached_at = generation;
	known = generation % 2 == 0 ? cache_find(d, key) : NULL;
	if (known) {
		user_copy(arena, known, user_r);
		return 1;
	}
	r = user_query(d, by, value, arena, user_r, e);
	if (r > 0 && generation % 2 == 0 && generation_read(d) == generation)
		cache_put(d, key, user_r);
	return r;
}

static int lookup_done(int r, struct err *e)
{
	return r > 0 ? 0 : r < 0 ? -1 : err_set(e, ERR_NOTFOUND, "no such user");
}

/* "name@host" is the user "name" where host is ours, and no user has that name whole. */
static int find_named(struct directory *d, const char *name, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	const char *at = strrchr(name, '@');
	struct str_buf folded = {0};
	int r;

	name_fold(name, &folded);
	r = user_lookup(d, BY_NAME, folded.p ? folded.p : "", arena, user_r, e);
	if (r == 0 && at && at > name &&
	    str_equal_nocase(str_view(at + 1, strlen(at + 1)),
		str_view(site_host_name(d->site->site), strlen(site_host_name(d->site->site))))) {
		str_buf_clear(&folded);
		mime_fold(str_view(name, (size_t)(at - name)), &folded);
		r = user_lookup(d, BY_NAME, folded.p, arena, user_r, e);
	}
	str_buf_fini(&folded);
	return r;
}

int directory_user_find(struct site *site, const char *name, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	struct directory *d;
	int r;

	if (strlen(name) > 4096 || !mime_utf8_valid(str_view(name, strlen(name))))
		return err_set(e, ERR_NOTFOUND, "no such user");
	if (enter(site, &d, e) < 0)
		return -1;
	r = find_named(d, name, arena, user_r, e);
	leave(d);
	return lookup_done(r, e);
}

int directory_user_by_id(struct site *site, struct user_id id, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	struct directory *d;
	char text[32];
	int r;

	if (enter(site, &d, e) < 0)
		return -1;
	snprintf(text, sizeof text, "%" PRId64, (int64_t)id.n);
	r = user_lookup(d, BY_ID, text, arena, user_r, e);
	leave(d);
	return lookup_done(r, e);
}

int directory_user_by_account(struct site *site, const char *unix_account, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	struct directory *d;
	int r;

	if (enter(site, &d, e) < 0)
		return -1;
	r = user_lookup(d, BY_ACCOUNT, unix_account, arena, user_r, e);
	leave(d);
	return lookup_done(r, e);
}

static int users_read(struct directory *d, struct arena *arena, struct directory_user **list_r,
    size_t *n_r, struct err *e)
{
	struct directory_user *list = NULL;
	size_t n = 0, room = 0;
	struct query q;
	int r;

	if (query_begin(&q, d->db, "SELECT " USER_COLUMNS " FROM user ORDER BY folded", e) < 0)
		return -1;
	while ((r = query_step(&q, e)) > 0) {
		if (n == room) {
			room = room ? room * 2 : 64;
			list = mem_realloc(list, room * sizeof *list);
		}
		user_get(&q, arena, &list[n++]);
	}
	query_end(&q);
	if (r == 0) {
		*list_r = n ? arena_copy(arena, list, n * sizeof *list) : NULL;
		*n_r = n;
	}
	free(list);
	return r;
}

int directory_users(struct site *site, struct arena *arena, struct directory_user **list_r,
    size_t *n_r, struct err *e)
{
	struct directory *d;
	int r;

	if (enter(site, &d, e) < 0)
		return -1;
	r = open_db(d, e);
	if (r == 0)
		r = users_read(d, arena, list_r, n_r, e);
	leave(d);
	return r;
}

/* ---- writing ---- */

static int write_begin(struct directory *d, struct err *e)
{
	uint64_t odd;

	if (open_db(d, e) < 0 || writer_lock(d, e) < 0)
		return -1;
	odd = generation_read(d) | 1;
	if (io_pwrite_all(d->generation_fd, &odd, sizeof odd, 0) < 0) {
		err_sys(e, ERR_IO, errno, "the directory's generation");
		goto fail;
	}
	db_allow_commit(d->db, true);
	if (db_write_begin(d->db, e) == 0)
		return 0;
	db_allow_commit(d->db, false);
fail:
	writer_unlock(d);
	return -1;
}

/* Ends what write_begin began, r saying whether all went well so far.  The generation is even again
 * in either case, and higher. */
static int write_end(struct directory *d, int r, struct err *e)
{
	uint64_t even = (generation_read(d) | 1) + 1;

	if (r == 0)
		r = DB_RUN0(d->db, e, "UPDATE directory SET generation = generation + 1");
	if (r == 0)
		r = db_write_commit(d->db, e);
	if (r < 0)
		db_write_abort(d->db);
	db_allow_commit(d->db, false);
	/* Left odd by a failure here, nobody caches: slower, never wrong. */
	if (io_pwrite_all(d->generation_fd, &even, sizeof even, 0) < 0 && r == 0)
		r = err_sys(e, ERR_IO, errno, "the directory's generation");
	writer_unlock(d);
	return r;
}

/* One value of one user, found within the transaction. */
static int update_user(struct site *site, const char *name, const char *sql, const char *text,
    int64_t bit, struct err *e)
{
	struct directory_user user;
	struct arena arena = {0};
	struct directory *d;
	struct query q;
	int r;

	if (enter(site, &d, e) < 0)
		return -1;
	r = write_begin(d, e);
	if (r == 0) {
		r = lookup_done(find_named(d, name, &arena, &user, e), e);
		if (r == 0)
			r = query_begin(&q, d->db, sql, e);
		if (r == 0) {
			query_int(&q, 1, (int64_t)user.id.n);
			query_text(&q, 2, text);
			if (bit)
				query_int(&q, 2, bit);
			r = query_step(&q, e);
			query_end(&q);
		}
		r = write_end(d, r, e);
	}
	leave(d);
	arena_fini(&arena);
	return r;
}

int directory_set_verifier(struct site *site, const char *name, const char *verifier, struct err *e)
{
	return update_user(site, name, "UPDATE user SET verifier = ?2 WHERE id = ?1", verifier, 0, e);
}

int directory_set_policy(struct site *site, const char *name, const char *policy, struct err *e)
{
	return update_user(site, name, "UPDATE user SET policy = ?2 WHERE id = ?1", policy, 0, e);
}

int directory_set_permission(struct site *site, const char *name,
    enum directory_permission permission, bool on, struct err *e)
{
	return update_user(site, name,
	    on ? "UPDATE user SET permissions = permissions | ?2 WHERE id = ?1"
	       : "UPDATE user SET permissions = permissions & ~?2 WHERE id = ?1",
	    NULL, permission, e);
}

/* An account acts as one user: it can't be a second one's. */
static int check_account(struct directory *d, const char *unix_account, struct user_id except,
    struct err *e)
{
	struct arena arena = {0};
	struct directory_user user;
	int r = unix_account ? user_query(d, BY_ACCOUNT, unix_account, &arena, &user, e) : 0;

	if (r > 0 && user.id.n == except.n)
		r = 0;
	if (r > 0)
		err_set(e, ERR_EXISTS, "that Unix account is user %s", user.name);
	arena_fini(&arena);
	return r == 0 ? 0 : -1;
}

int directory_set_account(struct site *site, const char *name, const char *unix_account,
    struct err *e)
{
	struct directory_user user;
	struct arena arena = {0};
	struct directory *d;
	struct query q;
	int r;

	if (enter(site, &d, e) < 0)
		return -1;
	r = write_begin(d, e);
	if (r == 0) {
		r = lookup_done(find_named(d, name, &arena, &user, e), e);
		if (r == 0)
			r = check_account(d, unix_account, user.id, e);
		if (r == 0)
			r = query_begin(&q, d->db, "UPDATE user SET unix_account = ?2 WHERE id = ?1", e);
		if (r == 0) {
			query_int(&q, 1, (int64_t)user.id.n);
			query_text(&q, 2, unix_account);
			r = query_step(&q, e);
			query_end(&q);
		}
		r = write_end(d, r, e);
	}
	leave(d);
	arena_fini(&arena);
	return r;
}

/* A random id that nobody has or had. */
static int id_make(struct directory *d, uint64_t *id_r, struct err *e)
{
	struct query q;
	uint64_t id;
	int r;

	if (query_begin(&q, d->db,
		"SELECT 1 FROM user WHERE id = ?1 UNION ALL SELECT 1 FROM user_gone WHERE id = ?1", e) <
	    0)
		return -1;
	do {
		do
			io_random(&id, sizeof id);
		while (id == 0);
		query_int(&q, 1, (int64_t)id);
		r = query_step(&q, e);
		query_again(&q);
	} while (r > 0);
	query_end(&q);
	*id_r = id;
	return r;
}

static int user_insert(struct directory *d, const char *name, const char *verifier,
    const char *unix_account, uint64_t *id_r, struct err *e)
{
	struct str_buf folded = {0};
	struct arena arena = {0};
	struct directory_user there;
	struct query q;
	int r;

	name_fold(name, &folded);
	r = user_query(d, BY_NAME, folded.p, &arena, &there, e);
	if (r > 0)
		r = err_set(e, ERR_EXISTS, "user %s exists", there.name);
	if (r == 0)
		r = check_account(d, unix_account, (struct user_id){0}, e);
	if (r == 0)
		r = id_make(d, id_r, e);
	if (r == 0)
		r = query_begin(&q, d->db,
		    "INSERT INTO user(id, name, folded, verifier, unix_account, added_ms) "
		    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		    e);
	if (r == 0) {
		query_int(&q, 1, (int64_t)*id_r);
		query_text(&q, 2, name);
		query_text(&q, 3, folded.p);
		query_text(&q, 4, verifier);
		query_text(&q, 5, unix_account);
		query_int(&q, 6, clock_wall_ms());
		r = query_step(&q, e);
		query_end(&q);
	}
	arena_fini(&arena);
	str_buf_fini(&folded);
	return r;
}

int directory_user_add(struct site *site, const char *name, const char *verifier,
    const char *unix_account, struct user_id *id_r, struct err *e)
{
	struct mailbox *mailbox;
	struct directory *d;
	struct user_id id = {0};
	int r;

	if (directory_name_check(name, e) < 0 || enter(site, &d, e) < 0)
		return -1;
	r = write_begin(d, e);
	if (r == 0)
		r = write_end(d, user_insert(d, name, verifier, unix_account, &id.n, e), e);
	leave(d);
	if (r < 0)
		return -1;
	/* Killed here, the mailbox is made when it is first opened. */
	mailbox = mailbox_acquire(d->site, id);
	r = mailbox_open(mailbox, e);
	mailbox_release(&mailbox);
	if (r == 0)
		*id_r = id;
	return r;
}

static int user_remove(struct directory *d, const struct directory_user *user, struct err *e)
{
	struct query q;
	int r = query_begin(&q, d->db,
	    "INSERT INTO user_gone(id, name, gone_ms) VALUES (?1, ?2, ?3)", e);

	if (r < 0)
		return -1;
	query_int(&q, 1, (int64_t)user->id.n);
	query_text(&q, 2, user->name);
	query_int(&q, 3, clock_wall_ms());
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : DB_RUN(d->db, e, "DELETE FROM user WHERE id = ?1", (int64_t)user->id.n);
}

int directory_user_delete(struct site *site, const char *name, bool with_mail, struct err *e)
{
	struct directory_user user;
	struct arena arena = {0};
	struct mailbox *mailbox;
	struct directory *d;
	int r;

	if (enter(site, &d, e) < 0)
		return -1;
	r = write_begin(d, e);
	if (r == 0) {
		r = lookup_done(find_named(d, name, &arena, &user, e), e);
		if (r == 0)
			r = user_remove(d, &user, e);
		r = write_end(d, r, e);
	}
	leave(d);
	if (r == 0 && with_mail) {
		mailbox = mailbox_acquire(d->site, user.id);
		r = mailbox_delete(mailbox, e);
		mailbox_release(&mailbox);
	}
	arena_fini(&arena);
	return r;
}

uint64_t directory_generation(struct site *site)
{
	struct directory *d;
	struct err e;
	uint64_t n;

	if (enter(site, &d, &e) < 0)
		return 0;
	n = generation_read(d);
	leave(d);
	return n;
}

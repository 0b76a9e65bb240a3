/*
 * store/credential_sql.c - STORE/auth/auth.db: what users prove themselves with.
 *
 * Locked after directory.lock where both are needed.  What was read is remembered as of a generation (generation.h).
 */
#include "store/credential_cache.h"
#include "store/credential_place.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "store/db_priv.h"
#include "store/directory.h"
#include "store/generation.h"
#include "store/mailbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct credentials {
	struct store_site *site;
	pthread_mutex_t lock; /* all below */
	struct db *db;
	int folder_fd; /* STORE/auth; -1: not opened yet, as the lock */
	int lock_fd; /* its auth.lock: every commit and checkpoint */
	struct generation generation;
	struct credential_cache *cache;
	bool has_secret;
	unsigned char secret[CREDENTIAL_KEY_OCTETS];
	struct scram_known {
		uint64_t directory, generation; /* as of which */
		bool is_known;
		struct credential_scram_state state;
	} scram_known;
};

/* ---- opening, locking ---- */

static int writer_lock(struct credentials *c, struct err *e)
{
	if (io_lock_until(c->lock_fd, 0, 1, setting_get(c->site->site, SETTING_WRITE_WAIT_MS)) == 0)
		return 0;
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_BUSY, "another process writes auth.db");
	return err_sys(e, ERR_IO, errno, "auth.lock");
}

static void writer_unlock(struct credentials *c)
{
	io_unlock(c->lock_fd, 0, 1);
}

static int open_place(struct credentials *c, struct err *e)
{
	if (c->lock_fd >= 0)
		return 0;
	if (c->folder_fd < 0 && credential_folder(c->site->site, &c->folder_fd, e) < 0)
		return -1;
	if (credential_place_make(c->site->site, c->folder_fd, "auth.lock", e) < 0)
		return -1;
	c->lock_fd = openat(c->folder_fd, "auth.lock", O_RDWR | O_CLOEXEC);
	return c->lock_fd < 0 ? err_sys(e, ERR_UNAVAILABLE, errno, "auth.lock") : 0;
}

/* The secret comes with the file: under the writer lock. */
static int make_secret(struct db *db, struct err *e)
{
	unsigned char octets[CREDENTIAL_KEY_OCTETS];
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT 1 FROM secret", e) < 0)
		return -1;
	r = query_step(&q, e);
	query_end(&q);
	if (r != 0)
		return r > 0 ? 0 : -1;
	io_random(octets, sizeof octets);
	db_allow_commit(db, true);
	r = db_write_begin(db, e);
	if (r == 0) {
		r = query_begin(&q, db, "INSERT INTO secret(id, octets) VALUES (1, ?1)", e);
		if (r == 0) {
			query_blob(&q, 1, str_view((const char *)octets, sizeof octets));
			r = query_step(&q, e);
			query_end(&q);
		}
		if (r == 0)
			r = db_write_commit(db, e);
		if (r < 0)
			db_write_abort(db);
	}
	db_allow_commit(db, false);
	explicit_bzero(octets, sizeof octets);
	return r;
}

static int open_db(struct credentials *c, struct err *e)
{
	char path[MAILBOX_PATH_SIZE];
	int r;

	if (c->db && !db_is_suspect(c->db))
		return 0;
	snprintf(path, sizeof path, "%s/auth/auth.db", c->site->root);
	if (open_place(c, e) < 0 || writer_lock(c, e) < 0)
		return -1;
	if (c->db) {
		db_allow_commit(c->db, true);
		db_close(&c->db);
	}
	r = credential_place_make(c->site->site, c->folder_fd, "auth.db", e);
	if (r == 0)
		r = db_open(path, &db_schema_credential, true, true, &c->db, e);
	if (r == 0)
		r = make_secret(c->db, e);
	writer_unlock(c);
	/* Nobody waits for that: many begin at once when a machine starts. */
	if (r == 0 && fsync(c->folder_fd) < 0)
		r = err_sys(e, ERR_IO, errno, "fsync auth/");
	return r;
}

/* NULL: no notice file. */
static struct credentials *credentials_of(struct store_site *ss, struct err *e)
{
	struct credentials *c;

	pthread_mutex_lock(&ss->lock);
	if (!(c = ss->credentials)) {
		struct generation generation;

		if (generation_open(ss, "credential", &generation, e) == 0) {
			c = ss->credentials = mem_alloc(sizeof *c);
			c->site = ss;
			c->folder_fd = c->lock_fd = -1;
			c->generation = generation;
			c->cache = credential_cache_new();
			pthread_mutex_init(&c->lock, NULL);
		}
	}
	pthread_mutex_unlock(&ss->lock);
	return c;
}

static void leave(struct credentials *c)
{
	pthread_mutex_unlock(&c->lock);
}

/* Locked, and maybe not open yet: for what is remembered. */
static int enter_quickly(struct site *site, struct credentials **c_r, struct err *e)
{
	struct store_site *ss;

	if (store_site_get(site, &ss, e) < 0 || !(*c_r = credentials_of(ss, e)))
		return -1;
	pthread_mutex_lock(&(*c_r)->lock);
	return 0;
}

static int enter(struct site *site, struct credentials **c_r, struct err *e)
{
	if (enter_quickly(site, c_r, e) < 0)
		return -1;
	if (open_db(*c_r, e) == 0)
		return 0;
	leave(*c_r);
	return -1;
}

static int write_enter(struct site *site, struct credentials **c_r, struct err *e)
{
	struct err ended;

	if (enter(site, c_r, e) < 0)
		return -1;
	if (writer_lock(*c_r, e) == 0) {
		if (generation_begin(&(*c_r)->generation, e) == 0) {
			db_allow_commit((*c_r)->db, true);
			if (db_write_begin((*c_r)->db, e) == 0)
				return 0;
			db_allow_commit((*c_r)->db, false);
			(void)!generation_end(&(*c_r)->generation, &ended);
		}
		writer_unlock(*c_r);
	}
	leave(*c_r);
	return -1;
}

/* Ends what write_enter began; r says whether all went well so far. */
static int write_leave(struct credentials *c, int r, struct err *e)
{
	struct err ended;

	if (r == 0)
		r = db_write_commit(c->db, e);
	if (r < 0)
		db_write_abort(c->db);
	db_allow_commit(c->db, false);
	if (generation_end(&c->generation, r == 0 ? e : &ended) < 0)
		r = -1;
	writer_unlock(c);
	leave(c);
	return r;
}

void credentials_close(struct store_site *ss)
{
	struct credentials *c = ss->credentials;

	if (!c)
		return;
	if (c->db && io_try_lock(c->lock_fd, 0, 1) == 0) {
		db_allow_commit(c->db, true);
		db_close(&c->db);
		writer_unlock(c);
	} else if (c->db) {
		db_abandon(&c->db);
	}
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	if (c->folder_fd >= 0)
		close(c->folder_fd);
	credential_cache_free(&c->cache);
	explicit_bzero(c->secret, sizeof c->secret);
	generation_close(&c->generation);
	pthread_mutex_destroy(&c->lock);
	mem_free(&ss->credentials);
}

/* ---- reading ---- */

static void octets_get(struct query *q, int column, void *out, size_t max, size_t *n_r)
{
	struct str_view v = query_get_view(q, column);

	*n_r = v.n < max ? v.n : max;
	if (*n_r)
		memcpy(out, v.p, *n_r);
}

static void scram_get(struct query *q, int column, struct credential_scram *scram)
{
	size_t n;

	if (query_get_null(q, column))
		return;
	octets_get(q, column, scram->salt, sizeof scram->salt, &scram->salt_n);
	scram->iterations = (uint32_t)query_get_int(q, column + 1);
	octets_get(q, column + 2, scram->stored_key, sizeof scram->stored_key, &n);
	octets_get(q, column + 3, scram->server_key, sizeof scram->server_key, &n);
}

static int main_get(struct db *db, struct user_id user, struct arena *arena, struct credential *credential, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db,
	        "SELECT verifier, scram_salt, scram_iterations, scram_stored_key, scram_server_key "
	        "FROM credential WHERE user = ?1", e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)user.n);
	r = query_step(&q, e);
	if (r > 0) {
		if (!query_get_null(&q, 0))
			credential->verifier = arena_str(arena, query_get_text(&q, 0));
		scram_get(&q, 1, &credential->scram);
	}
	query_end(&q);
	return r < 0 ? -1 : 0;
}

static int apps_get(struct db *db, struct user_id user, struct arena *arena, struct credential *credential, struct err *e)
{
	size_t room = 0, n;
	struct query q;
	int r;

	if (query_begin(&q, db,
	        "SELECT name, doors, digest, added_ms, used_ms FROM application_password WHERE user = ?1 ORDER BY name", e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)user.n);
	while ((r = query_step(&q, e)) > 0) {
		struct credential_app *app;

		if (credential->apps_n == room) {
			struct credential_app *more = ARENA_ARRAY(arena, struct credential_app, room = room ? room * 2 : 8);

			if (credential->apps_n)
				memcpy(more, credential->apps, credential->apps_n * sizeof *more);
			credential->apps = more;
		}
		app = &credential->apps[credential->apps_n++];
		app->name = arena_str(arena, query_get_text(&q, 0));
		app->doors = (unsigned)query_get_int(&q, 1);
		octets_get(&q, 2, app->digest, sizeof app->digest, &n);
		app->added_ms = query_get_int(&q, 3);
		app->used_ms = query_get_int(&q, 4);
	}
	query_end(&q);
	return r;
}

int credential_get(struct site *site, struct user_id user, struct arena *arena, struct credential *credential_r,
    struct err *e)
{
	struct credential credential = {0};
	struct credentials *c;
	uint64_t generation;
	int r;

	if (enter_quickly(site, &c, e) < 0)
		return -1;
	generation = generation_read(&c->generation);
	if (generation_is_settled(generation) && credential_cache_find(c->cache, generation, user, arena, credential_r)) {
		leave(c);
		return 0;
	}
	r = open_db(c, e);
	if (r == 0)
		r = db_read_begin(c->db, e);
	if (r == 0) {
		r = main_get(c->db, user, arena, &credential, e);
		if (r == 0)
			r = apps_get(c->db, user, arena, &credential, e);
		db_read_end(c->db);
	}
	if (r == 0) {
		*credential_r = credential;
		if (generation_is_settled(generation) && generation_read(&c->generation) == generation)
			credential_cache_put(c->cache, generation, user, credential_r);
	}
	leave(c);
	return r;
}

static int secret_get(struct credentials *c, struct err *e)
{
	struct query q;
	size_t n = 0;
	int r;

	if (query_begin(&q, c->db, "SELECT octets FROM secret", e) < 0)
		return -1;
	r = query_step(&q, e);
	if (r > 0)
		octets_get(&q, 0, c->secret, CREDENTIAL_KEY_OCTETS, &n);
	query_end(&q);
	if (r < 0)
		return -1;
	c->has_secret = n == CREDENTIAL_KEY_OCTETS;
	return c->has_secret ? 0 : err_set(e, ERR_CORRUPT, "auth.db has no secret");
}

int credential_secret(struct site *site, unsigned char out[CREDENTIAL_KEY_OCTETS], struct err *e)
{
	struct credentials *c;
	int r = 0;

	if (enter(site, &c, e) < 0)
		return -1;
	if (!c->has_secret)
		r = secret_get(c, e);
	if (r == 0)
		memcpy(out, c->secret, CREDENTIAL_KEY_OCTETS);
	leave(c);
	return r;
}

/* ---- writing ---- */

static void scram_bind(struct query *q, int at, const struct credential_scram *scram)
{
	if (!scram || !scram->iterations)
		return; /* unbound is NULL */
	query_blob(q, at, str_view((const char *)scram->salt, scram->salt_n));
	query_int(q, at + 1, scram->iterations);
	query_blob(q, at + 2, str_view((const char *)scram->stored_key, sizeof scram->stored_key));
	query_blob(q, at + 3, str_view((const char *)scram->server_key, sizeof scram->server_key));
}

/* was: which verifier has to be there still; NULL: whatever is. */
static int set(struct credentials *c, struct user_id user, const char *was, const char *verifier,
    const struct credential_scram *scram, struct err *e)
{
	struct query q;
	int r = query_begin(&q, c->db,
	    was ? "UPDATE credential SET verifier = ?2, scram_salt = ?3, scram_iterations = ?4, scram_stored_key = ?5, "
	          "scram_server_key = ?6, changed_ms = ?7 WHERE user = ?1 AND verifier = ?8"
	        : "REPLACE INTO credential(user, verifier, scram_salt, scram_iterations, scram_stored_key, "
	          "scram_server_key, changed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", e);

	if (r < 0)
		return -1;
	query_int(&q, 1, (int64_t)user.n);
	query_text(&q, 2, verifier);
	scram_bind(&q, 3, scram);
	query_int(&q, 7, clock_wall_ms());
	if (was)
		query_text(&q, 8, was);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

int credential_set(struct site *site, struct user_id user, const char *verifier, const struct credential_scram *scram,
    struct err *e)
{
	struct credentials *c;

	if (write_enter(site, &c, e) < 0)
		return -1;
	return write_leave(c, set(c, user, NULL, verifier, scram, e), e);
}

int credential_import(struct site *site, const struct credential_verifier *list, size_t n, struct err *e)
{
	struct credentials *c;
	int r = 0;

	if (write_enter(site, &c, e) < 0)
		return -1;
	for (size_t i = 0; i < n && r == 0; i++)
		r = set(c, list[i].user, NULL, list[i].verifier, NULL, e);
	return write_leave(c, r, e);
}

int credential_renew(struct site *site, struct user_id user, const char *was, const char *verifier,
    const struct credential_scram *scram, struct err *e)
{
	struct credentials *c;

	if (write_enter(site, &c, e) < 0)
		return -1;
	return write_leave(c, set(c, user, was, verifier, scram, e), e);
}

int credential_forget(struct site *site, struct user_id user, struct err *e)
{
	struct credentials *c;
	int r;

	if (write_enter(site, &c, e) < 0)
		return -1;
	r = DB_RUN(c->db, e, "DELETE FROM credential WHERE user = ?1", (int64_t)user.n);
	if (r == 0)
		r = DB_RUN(c->db, e, "DELETE FROM application_password WHERE user = ?1", (int64_t)user.n);
	return write_leave(c, r, e);
}

static int app_insert(struct credentials *c, struct user_id user, const struct credential_app *app, struct err *e)
{
	struct query q;
	int r = query_begin(&q, c->db,
	    "INSERT INTO application_password(user, name, doors, digest, added_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
	    "ON CONFLICT DO NOTHING", e);

	if (r < 0)
		return -1;
	query_int(&q, 1, (int64_t)user.n);
	query_text(&q, 2, app->name);
	query_int(&q, 3, app->doors);
	query_blob(&q, 4, str_view((const char *)app->digest, sizeof app->digest));
	query_int(&q, 5, app->added_ms);
	r = query_step(&q, e);
	query_end(&q);
	if (r == 0 && db_changes(c->db) == 0)
		r = err_set(e, ERR_EXISTS, "there is an application password %s", app->name);
	return r;
}

int credential_app_add(struct site *site, struct user_id user, const struct credential_app *app, struct err *e)
{
	struct credentials *c;

	if (write_enter(site, &c, e) < 0)
		return -1;
	return write_leave(c, app_insert(c, user, app, e), e);
}

/* One statement about one application password: of a user, of a name, and perhaps when. */
static int app_run(struct site *site, const char *sql, struct user_id user, const char *name, int64_t now_ms, struct err *e)
{
	struct credentials *c;
	struct query q;
	int r;

	if (write_enter(site, &c, e) < 0)
		return -1;
	r = query_begin(&q, c->db, sql, e);
	if (r == 0) {
		query_int(&q, 1, (int64_t)user.n);
		query_text(&q, 2, name);
		if (now_ms)
			query_int(&q, 3, now_ms);
		r = query_step(&q, e);
		query_end(&q);
		if (r == 0 && db_changes(c->db) == 0)
			r = err_set(e, ERR_NOTFOUND, "no application password %s", name);
	}
	return write_leave(c, r, e);
}

int credential_app_remove(struct site *site, struct user_id user, const char *name, struct err *e)
{
	return app_run(site, "DELETE FROM application_password WHERE user = ?1 AND name = ?2", user, name, 0, e);
}

int credential_app_used(struct site *site, struct user_id user, const char *name, int64_t now_ms, struct err *e)
{
	return app_run(site, "UPDATE application_password SET used_ms = ?3 WHERE user = ?1 AND name = ?2", user, name,
	    now_ms, e);
}

/* ---- what SCRAM keys are like ---- */

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void count(struct credential_scram_state *state, uint32_t iterations)
{
	struct credential_scram_count *counts = state->counts;
	size_t i = 0;

	while (i < state->counts_n && counts[i].iterations < iterations)
		i++;
	if (i == state->counts_n || counts[i].iterations != iterations) {
		if (state->counts_n == CREDENTIAL_COUNTS_MAX) {
			counts[i == state->counts_n ? i - 1 : i].keys_n++;
			return;
		}
		memmove(&counts[i + 1], &counts[i], (state->counts_n - i) * sizeof *counts);
		counts[i] = (struct credential_scram_count){.iterations = iterations};
		state->counts_n++;
	}
	counts[i].keys_n++;
}

/* users: by id. */
static int count_keys(struct credentials *c, const uint64_t *users, size_t n, struct credential_scram_state *state_r,
    struct err *e)
{
	struct credential_scram_state state = {.is_complete = true};
	struct query q;
	int r;

	if (query_begin(&q, c->db, "SELECT user, scram_iterations, verifier IS NULL FROM credential", e) < 0)
		return -1;
	while ((r = query_step(&q, e)) > 0) {
		uint64_t user = (uint64_t)query_get_int(&q, 0);

		if (!n || !bsearch(&user, users, n, sizeof *users, compare_ids))
			continue;
		if (!query_get_null(&q, 1))
			count(&state, (uint32_t)query_get_int(&q, 1));
		else if (!query_get_int(&q, 2))
			state.is_complete = false;
	}
	query_end(&q);
	if (r == 0)
		*state_r = state;
	return r;
}

uint64_t credential_generation(struct site *site)
{
	uint64_t both[2] = {directory_generation(site), 0};
	struct credentials *c;
	struct err e;

	if (enter_quickly(site, &c, &e) < 0)
		return 0;
	both[1] = generation_read(&c->generation);
	leave(c);
	if (!generation_is_settled(both[0]) || !generation_is_settled(both[1]))
		return 0;
	return hash_bytes(both, sizeof both) | 1;
}

static bool is_known(const struct scram_known *known, uint64_t directory, uint64_t generation)
{
	return known->is_known && known->directory == directory && known->generation == generation &&
	       generation_is_settled(directory) && generation_is_settled(generation);
}

/* Asked for each connection's greeting. */
int credential_scram_state(struct site *site, struct credential_scram_state *state_r, struct err *e)
{
	struct scram_known now = {.directory = directory_generation(site), .is_known = true};
	struct arena arena = {0};
	struct credentials *c;
	uint64_t *users = NULL;
	size_t n = 0;
	int r;

	if (enter_quickly(site, &c, e) < 0)
		return -1;
	now.generation = generation_read(&c->generation);
	if (is_known(&c->scram_known, now.directory, now.generation)) {
		*state_r = c->scram_known.state;
		leave(c);
		return 0;
	}
	leave(c);
	r = directory_enabled(site, &arena, &users, &n, e);
	if (n)
		qsort(users, n, sizeof *users, compare_ids);
	if (r == 0 && (r = enter(site, &c, e)) == 0) {
		r = count_keys(c, users, n, &now.state, e);
		if (r == 0) {
			*state_r = now.state;
			c->scram_known = now;
		}
		leave(c);
	}
	arena_fini(&arena);
	return r;
}

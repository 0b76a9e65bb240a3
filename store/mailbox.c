/*
 * store/mailbox.c - what the sessions of one process share of a mailbox: the writer lock and the
 * SQLite handles.
 *
 * Order of locks: a folder view's, then writer, then site->lock, then mailbox->lock.  None is held while a handle works but
 * the writer's, and that only by the thread that writes.
 */
#include "store/mailbox_priv.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/db_priv.h"
#include "store/folder_view_priv.h"
#include "store/txn_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How often a mailbox in use is looked through for what may be reclaimed. */
#define SWEEP_EVERY_MS 3600000

void mailbox_path(const struct mailbox *mb, const char *name, char out[MAILBOX_PATH_SIZE])
{
	snprintf(out, MAILBOX_PATH_SIZE, "%s/mail/%02x/%016" PRIx64 "%s%s", mb->site->root,
	    (unsigned)(mb->user.n >> 56), mb->user.n, *name ? "/" : "", name);
}

static struct mailbox **bucket_of(struct store_site *ss, struct user_id user)
{
	struct mailbox **at = &ss->buckets[user.n % MAILBOX_BUCKETS];

	while (*at && (*at)->user.n != user.n)
		at = &(*at)->next;
	return at;
}

struct mailbox *mailbox_acquire(struct store_site *ss, struct user_id user)
{
	struct mailbox **at, *mb;

	pthread_mutex_lock(&ss->lock);
	at = bucket_of(ss, user);
	mb = *at;
	if (!mb) {
		mb = *at = mem_alloc(sizeof *mb);
		mb->site = ss;
		mb->user = user;
		mb->lock_fd = mb->notice_fd = -1;
		pthread_mutex_init(&mb->lock, NULL);
		pthread_cond_init(&mb->writer_done, NULL);
		pthread_cond_init(&mb->given_back, NULL);
		pthread_cond_init(&mb->deliveries.moved, NULL);
		mb->deliveries.end = &mb->deliveries.first;
	}
	mb->refs++;
	pthread_mutex_unlock(&ss->lock);
	return mb;
}

static bool has_handles(const struct mailbox *mb)
{
	for (int i = 0; i < HANDLES_N; i++)
		if (mb->handles[i].db || mb->handles[i].is_out)
			return true;
	return false;
}

/* Under site->lock. */
static void free_unused(struct mailbox *mb)
{
	struct mailbox **at = bucket_of(mb->site, mb->user);

	pthread_mutex_lock(&mb->lock);
	bool used = mb->refs > 0 || has_handles(mb);
	pthread_mutex_unlock(&mb->lock);
	if (used)
		return;
	*at = mb->next;
	folder_views_free(mb);
	content_cache_free(mb);
	keyword_names_release(&mb->keywords);
	if (mb->lock_fd >= 0)
		close(mb->lock_fd);
	if (mb->notice_fd >= 0)
		close(mb->notice_fd);
	pthread_cond_destroy(&mb->deliveries.moved);
	pthread_cond_destroy(&mb->given_back);
	pthread_cond_destroy(&mb->writer_done);
	pthread_mutex_destroy(&mb->lock);
	free(mb);
}

void mailbox_release(struct mailbox **mbp)
{
	struct mailbox *mb = *mbp;
	struct store_site *ss = mb->site;

	*mbp = NULL;
	pthread_mutex_lock(&ss->lock);
	CHECK(mb->refs > 0);
	mb->refs--;
	free_unused(mb);
	pthread_mutex_unlock(&ss->lock);
}

/* ---- the writer lock ---- */

static struct timespec deadline_in(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* not base/clock's: the kernel waits by it */
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

static int64_t write_wait_ms(const struct mailbox *mb)
{
	return setting_get(mb->site->site, SETTING_WRITE_WAIT_MS);
}

/* The file beside mail.db; never unlinked while the mailbox is there. */
static int open_lock_file(struct mailbox *mb, struct err *e)
{
	char path[MAILBOX_PATH_SIZE];

	if (mb->lock_fd >= 0)
		return 0;
	mailbox_path(mb, "mail.lock", path);
	mb->lock_fd = io_open_or_make(AT_FDCWD, path, 0660);
	if (mb->lock_fd < 0)
		return err_sys(e, errno == ENOENT ? ERR_NOTFOUND : ERR_UNAVAILABLE, errno, "%s", path);
	return 0;
}

/* Waits for the gate until then; no deadline: does not wait. */
static bool gate_enter(struct mailbox *mb, const struct timespec *until)
{
	int r = 0;

	pthread_mutex_lock(&mb->lock);
	while (mb->is_writing && until && r == 0)
		r = pthread_cond_clockwait(&mb->writer_done, &mb->lock, CLOCK_MONOTONIC, until);
	bool entered = !mb->is_writing;

	mb->is_writing = true;
	pthread_mutex_unlock(&mb->lock);
	return entered;
}

static void gate_leave(struct mailbox *mb)
{
	pthread_mutex_lock(&mb->lock);
	mb->is_writing = false;
	pthread_cond_signal(&mb->writer_done);
	pthread_mutex_unlock(&mb->lock);
}

int mailbox_lock_writer(struct mailbox *mb, struct err *e)
{
	int64_t begun = clock_mono_ms(), wait = write_wait_ms(mb), left;
	struct timespec until = deadline_in(wait);

	if (!gate_enter(mb, &until))
		return err_set(e, ERR_BUSY, "the writer lock is held in this process");
	if (open_lock_file(mb, e) < 0)
		goto fail;
	left = begun + wait - clock_mono_ms();
	if (io_lock_until(mb->lock_fd, 0, 1, left > 0 ? left : 0) < 0) {
		if (errno == ETIMEDOUT)
			err_set(e, ERR_BUSY, "another process holds the writer lock");
		else
			err_sys(e, ERR_IO, errno, "writer lock");
		goto fail;
	}
	return 0;
fail:
	gate_leave(mb);
	return -1;
}

bool mailbox_try_lock_writer(struct mailbox *mb)
{
	struct err ignored;

	if (!gate_enter(mb, NULL))
		return false;
	if (open_lock_file(mb, &ignored) == 0 && io_try_lock(mb->lock_fd, 0, 1) == 0)
		return true;
	gate_leave(mb);
	return false;
}

void mailbox_unlock_writer(struct mailbox *mb)
{
	io_unlock(mb->lock_fd, 0, 1);
	gate_leave(mb);
}

/* ---- handles ---- */

static void count_handles(struct mailbox *mb, int change)
{
	pthread_mutex_lock(&mb->site->lock);
	if (change > 0)
		mb->site->handles_n++;
	else
		mb->site->handles_n--;
	pthread_mutex_unlock(&mb->site->lock);
}

/* Opens into a place that is marked out, so no lock is held. */
static int open_handle(struct mailbox *mb, int place, bool create, struct err *e)
{
	char path[MAILBOX_PATH_SIZE];
	struct db *db;

	mailbox_path(mb, "mail.db", path);
	if (db_open(path, &db_schema_mailbox, place == HANDLE_DURABLE, create, &db, e) < 0)
		return -1;
	/* Whoever gives another handle back looks at all places. */
	pthread_mutex_lock(&mb->lock);
	mb->handles[place].db = db;
	mb->is_founded = false; /* whoever asks looks into this file */
	pthread_mutex_unlock(&mb->lock);
	count_handles(mb, 1);
	janitor_start(mb->site);
	return 0;
}

/* A place that may be taken now: of the kind asked for (HANDLES_N: any), open rather than empty. */
static int free_place(const struct mailbox *mb, int kind)
{
	int empty = -1;

	for (int i = 0; i < HANDLES_N; i++) {
		if (mb->handles[i].is_out || (kind != HANDLES_N && kind != i))
			continue;
		if (mb->handles[i].db)
			return i;
		if (empty < 0)
			empty = i;
	}
	return empty;
}

static int lend(struct mailbox *mb, int kind, bool create, int64_t wait_ms, struct db **db_r,
    struct err *e)
{
	struct timespec until = deadline_in(wait_ms);
	int place;

	pthread_mutex_lock(&mb->lock);
	while ((place = free_place(mb, kind)) < 0) {
		if (pthread_cond_clockwait(&mb->given_back, &mb->lock, CLOCK_MONOTONIC, &until) != 0) {
			pthread_mutex_unlock(&mb->lock);
			return err_set(e, ERR_BUSY, "all handles of the mailbox are in use");
		}
	}
	mb->handles[place].is_out = true;
	pthread_mutex_unlock(&mb->lock);

	if (!mb->handles[place].db && open_handle(mb, place, create, e) < 0) {
		pthread_mutex_lock(&mb->lock);
		mb->handles[place].is_out = false;
		pthread_cond_signal(&mb->given_back);
		pthread_mutex_unlock(&mb->lock);
		return -1;
	}
	*db_r = mb->handles[place].db;
	return 0;
}

int mailbox_lend_reader(struct mailbox *mb, struct db **db_r, struct err *e)
{
	return lend(mb, HANDLES_N, false, write_wait_ms(mb), db_r, e);
}

int mailbox_lend_writer(struct mailbox *mb, enum handle_kind kind, struct db **db_r, struct err *e)
{
	if (lend(mb, (int)kind, false, write_wait_ms(mb), db_r, e) < 0)
		return -1;
	db_allow_commit(*db_r, true);
	return 0;
}

bool mailbox_try_lend_writer(struct mailbox *mb, enum handle_kind kind, struct db **db_r)
{
	struct err ignored;

	if (!mailbox_try_lock_writer(mb))
		return false;
	if (lend(mb, (int)kind, false, 0, db_r, &ignored) == 0) {
		db_allow_commit(*db_r, true);
		return true;
	}
	mailbox_unlock_writer(mb);
	return false;
}

void mailbox_give_back(struct mailbox *mb, struct db **db)
{
	db_allow_commit(*db, false);
	pthread_mutex_lock(&mb->lock);
	for (int i = 0; i < HANDLES_N; i++) {
		if (mb->handles[i].db != *db)
			continue;
		mb->handles[i].is_out = false;
		/* Doubtful handles go at the janitor's next round, under the writer lock. */
		mb->handles[i].used_ms = db_is_suspect(*db) ? INT64_MIN : clock_mono_ms();
	}
	*db = NULL;
	pthread_cond_broadcast(&mb->given_back);
	pthread_mutex_unlock(&mb->lock);
}

/* With its last handle the WAL goes, by which the watch knows of writers that were killed between COMMIT
 * and bell: what they left silent is rung before.  Under the writer lock. */
static void ring_for_the_dead(struct mailbox *mb, struct db *db)
{
	uint64_t modseq;
	struct err ignored;

	if (!db_is_suspect(db) && db_modseq(db, &modseq, &ignored) == 0)
		notice_make_up(mb, modseq);
}

/* Takes a place that is open and free; NULL if it is not, or was used since. */
static struct db *take_idle(struct mailbox *mb, int place, int64_t used_before_ms)
{
	struct handle *h = &mb->handles[place];
	struct db *db = NULL;

	pthread_mutex_lock(&mb->lock);
	if (h->db && !h->is_out && h->used_ms < used_before_ms) {
		h->is_out = true;
		db = h->db;
	}
	pthread_mutex_unlock(&mb->lock);
	return db;
}

static void close_place(struct mailbox *mb, int place, struct db *db, bool locked)
{
	/* The place forgets it first: a handle opened elsewhere may get the same address. */
	pthread_mutex_lock(&mb->lock);
	mb->handles[place].db = NULL;
	pthread_mutex_unlock(&mb->lock);
	if (locked) {
		ring_for_the_dead(mb, db);
		db_allow_commit(db, true);
		db_close(&db);
	} else {
		db_abandon(&db);
	}
	count_handles(mb, -1);
	pthread_mutex_lock(&mb->lock);
	mb->handles[place].is_out = false;
	pthread_cond_broadcast(&mb->given_back);
	pthread_mutex_unlock(&mb->lock);
}

static void close_places(struct mailbox *mb, int64_t used_before_ms, bool locked)
{
	for (int i = 0; i < HANDLES_N; i++) {
		struct db *db = take_idle(mb, i, used_before_ms);

		if (db)
			close_place(mb, i, db, locked);
	}
}

void mailbox_close_idle(struct mailbox *mb, int64_t used_before_ms)
{
	if (!mailbox_try_lock_writer(mb))
		return;
	close_places(mb, used_before_ms, true);
	mailbox_unlock_writer(mb);
}

void mailbox_close_all(struct mailbox *mb)
{
	bool locked = mailbox_try_lock_writer(mb);

	close_places(mb, INT64_MAX, locked);
	if (locked)
		mailbox_unlock_writer(mb);
}

/* A slice at a time, so that nobody waits long; soon again where there is more. */
void mailbox_sweep(struct mailbox *mb)
{
	int64_t now = clock_mono_ms();
	struct db *db;

	if (now < mb->sweep_due_ms || !mailbox_try_lock_writer(mb))
		return;
	db = take_idle(mb, HANDLE_DURABLE, INT64_MAX);
	if (db) {
		bool more;

		db_allow_commit(db, true);
		more = !db_is_suspect(db) && sweep_slice(mb, db);
		db_allow_commit(db, false);
		mb->sweep_due_ms = now + (more ? 0 : SWEEP_EVERY_MS);
		pthread_mutex_lock(&mb->lock);
		mb->handles[HANDLE_DURABLE].is_out = false; /* not used: it may still go idle */
		pthread_cond_broadcast(&mb->given_back);
		pthread_mutex_unlock(&mb->lock);
	}
	mailbox_unlock_writer(mb);
}

/* ---- making and removing ---- */

/*
 * mail.lock holds an octet once its mailbox was made.  So a mail.db that is gone since, or was cut to
 * nothing, is damage, and not a mailbox that is still to be made.  Under the writer lock.
 */
static int refuse_lost(const struct mailbox *mb, struct err *e)
{
	char path[MAILBOX_PATH_SIZE];
	struct stat lock, db;

	mailbox_path(mb, "mail.db", path);
	if (fstat(mb->lock_fd, &lock) < 0)
		return err_sys(e, ERR_IO, errno, "stat the lock file of %s", path);
	if (lock.st_size == 0 || (stat(path, &db) == 0 && db.st_size > 0))
		return 0;
	return err_set(e, ERR_CORRUPT, "%s is gone or empty: restore it, or remove mail.lock beside it "
	    "to begin with an empty mailbox", path);
}

static int mark_made(const struct mailbox *mb, struct err *e)
{
	if (pwrite(mb->lock_fd, "1", 1, 0) != 1 || fsync(mb->lock_fd) < 0)
		return err_sys(e, ERR_IO, errno, "mark the mailbox as made");
	return 0;
}

/* First opens race: all take the writer lock, and the first makes the mailbox. */
static int create(struct mailbox *mb, struct err *e)
{
	char path[MAILBOX_PATH_SIZE];
	struct db *db = NULL;
	int r;

	snprintf(path, sizeof path, "mail/%02x/%016" PRIx64, (unsigned)(mb->user.n >> 56), mb->user.n);
	if (io_mkdir_all(site_dir_fd(mb->site->site), path, 02770, e) < 0 ||
	    mailbox_lock_writer(mb, e) < 0)
		return -1;
	r = refuse_lost(mb, e);
	if (r == 0)
		r = lend(mb, HANDLE_DURABLE, true, write_wait_ms(mb), &db, e);
	if (r == 0) {
		db_allow_commit(db, true);
		r = txn_found(mb, db, e);
		mailbox_give_back(mb, &db);
	}
	if (r == 0)
		r = mark_made(mb, e);
	/* The folder's entries for the new files are on the disk before any message is. */
	if (r == 0) {
		int fd = openat(site_dir_fd(mb->site->site), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 || fsync(fd) < 0)
			r = err_sys(e, ERR_IO, errno, "fsync %s", path);
		if (fd >= 0)
			close(fd);
	}
	mailbox_unlock_writer(mb);
	return r;
}

/* A handle that is open has seen it. */
static bool is_known(struct mailbox *mb)
{
	bool known;

	pthread_mutex_lock(&mb->lock);
	known = mb->is_founded && has_handles(mb);
	pthread_mutex_unlock(&mb->lock);
	return known;
}

int mailbox_open(struct mailbox *mb, struct err *e)
{
	struct db *db;

	if (is_known(mb))
		return 0;
	if (mailbox_lend_reader(mb, &db, e) == 0) {
		int r = txn_is_founded(db, e);

		pthread_mutex_lock(&mb->lock);
		mb->is_founded = r > 0;
		pthread_mutex_unlock(&mb->lock);
		mailbox_give_back(mb, &db);
		if (r != 0)
			return r < 0 ? -1 : 0;
	} else if (e->code != ERR_NOTFOUND) {
		return -1;
	}
	return create(mb, e);
}

int mailbox_delete(struct mailbox *mb, struct err *e)
{
	static const char *const names[] = {"mail.db", "mail.db-wal", "mail.db-shm", "mail.lock"};
	char path[MAILBOX_PATH_SIZE];
	int r = 0;

	if (mailbox_lock_writer(mb, e) < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1; /* there never was one */
	for (size_t i = 0; i < sizeof names / sizeof *names && r == 0; i++) {
		mailbox_path(mb, names[i], path);
		if (unlink(path) < 0 && errno != ENOENT)
			r = err_sys(e, ERR_IO, errno, "unlink %s", path);
	}
	mailbox_path(mb, "", path);
	if (r == 0 && rmdir(path) < 0 && errno != ENOENT)
		r = err_sys(e, ERR_IO, errno, "rmdir %s", path);
	mailbox_unlock_writer(mb);
	return r;
}

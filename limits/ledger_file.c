/*
 * limits/ledger_file.c - one ledger file: its locks, how it is read, and its repair (ledger.h has the idea).
 *
 * The order that exactness hangs on: a LIVE byte is claimed, and the records of the dead are cleared, only
 * under the MUTEX byte; a claimed record is written as zeros before anything is counted in it, since the
 * one who had it before may have been killed with counts in it.
 */
#include "limits/ledger_priv.h"
#include "limits/runtime_priv.h"
#include "limits/session.h"
#include "base/check.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MOMENTS_MAX 20 /* of a millisecond */

_Static_assert(SESSION_SERVICES_N <= LEDGER_COUNTS_N, "a record has room for every service");

/* ---- reading ---- */

/* Whether our own record is in the file as it is in memory.  A release on another thread may
 * have come between the reading and this, so it is read again before it is called wrong. */
static bool is_mine_there(struct ledger_file *file)
{
	struct ledger_record *read_one = file->records + file->region;
	bool there;

	if ((size_t)file->region >= file->records_n)
		return false;
	pthread_mutex_lock(&file->record);
	there = memcmp(read_one, &file->mine, sizeof file->mine) == 0 ||
	    (ledger_record_reread(file, (size_t)file->region) &&
	        memcmp(read_one, &file->mine, sizeof file->mine) == 0);
	pthread_mutex_unlock(&file->record);
	return there;
}

/* What every grant looks at; a claim and a repair look at more (is_sound).  A file does not shrink, and
 * no record of it is blank: even the dead leave zeros with a checksum. */
static bool looks_sound(struct ledger_file *file)
{
	if (file->records_n < file->sound_n)
		return false;
	for (size_t r = 0; r < file->records_n; r++)
		if (!ledger_record_is_valid(file, r) && !ledger_record_reread(file, r))
			return false;
	return is_mine_there(file);
}

/* Its lane, if it has one, is where it says. */
static bool has_its_lane(const struct ledger_file *file, const struct ledger_record *record)
{
	bool is_open;
	uint32_t n;

	return record->lane.place == 0 ||
	    lanes_look(file->ledger->lanes, record->lane, &n, &is_open);
}

static bool is_whole(struct ledger_file *file, size_t region)
{
	const struct ledger_record *record = &file->records[region];

	return (ledger_record_is_valid(file, region) ||
	           (!ledger_record_is_blank(record) && ledger_record_reread(file, region))) &&
	    has_its_lane(file, record);
}

/* A record that says what can't be.  A process that ends lets go of its lanes a moment before its LIVE byte, and one
 * that gives a lane up has written its record anew: so it is looked at again for a while where only the lane is missing. */
static bool is_lost(struct ledger_file *file, size_t region)
{
	for (int i = 0; i < MOMENTS_MAX; i++) {
		if (!ledger_record_is_live(file, region)) {
			ledger_record_clear(file, region);
			return false;
		}
		if (!ledger_record_is_valid(file, region))
			return true;
		if (ledger_record_reread(file, region) && has_its_lane(file, &file->records[region]))
			return false;
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	return true;
}

/* Under the MUTEX byte: nobody who lives has a record that is blank, damaged or cut off. */
static bool is_sound(struct ledger_file *file)
{
	for (size_t r = 0; r < file->records_n; r++)
		if (r != (size_t)file->region && !is_whole(file, r) && is_lost(file, r))
			return false;
	return io_is_locked(file->fd, LEDGER_LIVE_AT + (off_t)file->records_n, LEDGER_RECORDS_MAX) == 0 &&
	    is_mine_there(file);
}

/*
 * Everything about the file, and its repair: the counts are in the memories of those who hold
 * them, so each is asked to write its record again.  Who does not answer (stopped, say) leaves the
 * file damaged, and nothing is granted: better refused than over the limit.
 */
int ledger_file_verify(struct ledger_file *file, struct err *e)
{
	struct stat st;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (fstat(file->fd, &st) < 0)
			return err_sys(e, ERR_IO, errno, "stat ledger file %s", file->name);
		if (ledger_record_read_all(file, (size_t)st.st_size, e) < 0)
			return -1;
		file->is_verified = is_sound(file);
		file->sound_n = file->records_n;
		if (file->is_verified)
			return 0;
		if (attempt > 0)
			break;
		log_warn("ledger-repair", "file=%s", file->name);
		ledger_rewrite(file->ledger, file->key);
		if (file->ledger->ask)
			file->ledger->ask(file->ledger->ask_arg, file->key);
	}
	return err_set(e, ERR_CORRUPT, "ledger file %s is damaged, and a process that counts in it "
	    "does not answer", file->name);
}

static int read_all(struct ledger_file *file, size_t size, struct err *e)
{
	if (ledger_record_read_all(file, size, e) < 0)
		return -1;
	return looks_sound(file) ? 0 : ledger_file_verify(file, e);
}

/* ---- claiming a record ---- */

static int claim(struct ledger_file *file, struct err *e)
{
	int region = 0;

	while (io_try_lock(file->fd, LEDGER_LIVE_AT + region, 1) < 0) {
		if (errno != EAGAIN)
			return err_sys(e, ERR_IO, errno, "lock ledger file %s", file->name);
		if (++region == LEDGER_RECORDS_MAX)
			return err_set(e, ERR_UNAVAILABLE, "ledger file %s: too many processes",
			    file->name);
	}
	pthread_mutex_lock(&file->record);
	file->mine = (struct ledger_record){.pid = (uint32_t)getpid()};
	file->region = region;
	if (ledger_record_write_mine(file) < 0) {
		err_sys(e, ERR_IO, errno, "write ledger file %s", file->name);
		file->region = -1;
		io_unlock(file->fd, LEDGER_LIVE_AT + region, 1);
	}
	pthread_mutex_unlock(&file->record);
	file->is_verified = false;
	return file->region < 0 ? -1 : 0;
}

/* ---- opening ---- */

void ledger_file_name(struct ledger_key key, char out[48])
{
	if (key.kind == LEDGER_USER)
		snprintf(out, 48, RUNTIME_USERS "/%016llx", (unsigned long long)key.n);
	else
		snprintf(out, 48, RUNTIME_SERVICES "/%u", (unsigned)key.n);
}

/* The path comes last, since it may be long. */
static int refuse_strange(const struct ledger *ledger, const char *name, const char *what, struct err *e)
{
	char folder[PATH_MAX];

	if (io_path_of(ledger->runtime_fd, folder) < 0)
		return err_set(e, ERR_UNAVAILABLE, "a ledger file %s: %s", what, name);
	return err_set(e, ERR_UNAVAILABLE, "a ledger file %s: %s/%s", what, folder, name);
}

#define REMOVE_IT "; stop the programs of this store, remove it, and start them again"

int ledger_file_unopened(const struct ledger *ledger, const char *name, int sys, struct err *e)
{
	switch (sys) {
	case ELOOP:
		return refuse_strange(ledger, name, "is a symbolic link" REMOVE_IT, e);
	case EISDIR:
		return refuse_strange(ledger, name, "is a folder" REMOVE_IT, e);
	case ENXIO:
		return refuse_strange(ledger, name, "is no regular file" REMOVE_IT, e);
	case EACCES:
		return refuse_strange(ledger, name, "may not be opened by this program; give it the group of the folder "
		    "it is in, and mode 0660", e);
	case ENOENT:
		return refuse_strange(ledger, name, "can't be made: its folder was removed; stop the programs of this store, "
		    "and start them again", e);
	default:
		return err_sys(e, ERR_UNAVAILABLE, sys, "open ledger file %s", name);
	}
}

/* Everybody who may write it may say how many he holds, so it is to belong to one of ours: by its owner, or by its group. */
static bool is_ours(const struct ledger *ledger, const struct stat *st)
{
	struct stat folder;

	return st->st_uid == 0 || st->st_uid == geteuid() || fstat(ledger->runtime_fd, &folder) < 0 ||
	    st->st_uid == folder.st_uid || st->st_gid == folder.st_gid;
}

int ledger_file_check(const struct ledger *ledger, const char *name, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, ERR_IO, errno, "stat ledger file %s", name);
	if (!S_ISREG(st.st_mode))
		return refuse_strange(ledger, name, S_ISDIR(st.st_mode) ? "is a folder" REMOVE_IT : "is no regular file" REMOVE_IT, e);
	if (st.st_nlink > 1)
		return refuse_strange(ledger, name, "has a second name (a hard link)" REMOVE_IT, e);
	if (st.st_mode & S_IRWXO)
		return refuse_strange(ledger, name, "may be opened by everybody; take that away: chmod o= on it", e);
	if (!is_ours(ledger, &st))
		return refuse_strange(ledger, name, "belongs to somebody else; give it the owner and the group of the folder it is in", e);
	return 0;
}

/* One that is missing where there has been one was removed, and whoever else runs may count in it.  A file is made before
 * it is remembered, so what was remembered before it was looked for should be there. */
static int open_or_make(const struct ledger_file *file, struct err *e)
{
	const struct ledger *ledger = file->ledger;
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	uint64_t key = file->key.n << 1 | (file->key.kind == LEDGER_SERVICE);
	bool was_there = born_has(ledger->born, key);
	int fd = openat(ledger->runtime_fd, file->name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (was_there && ledger->hold_fd >= 0 && io_is_locked(ledger->hold_fd, 0, 1) != 0)
			return refuse_strange(ledger, file->name, "was removed while programs of this store run, which may count "
			    "sessions in it; stop them all, then start them again", e);
		fd = openat(ledger->runtime_fd, file->name, flags | O_CREAT, RUNTIME_FILE_MODE);
		if (fd >= 0)
			born_add(ledger->born, key);
	}
	return fd < 0 ? ledger_file_unopened(ledger, file->name, errno, e) : fd;
}

/* A file that was removed between open and now would be a lock domain of its own. */
static int open_fd(const struct ledger_file *file, int *fd_r, struct err *e)
{
	struct stat opened, named;
	int fd = open_or_make(file, e);

	if (fd < 0)
		return -1;
	if (ledger_file_check(file->ledger, file->name, fd, e) < 0) {
		close(fd);
		return -1;
	}
	if (fstat(fd, &opened) < 0 || fstatat(file->ledger->runtime_fd, file->name, &named, 0) < 0 ||
	    opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) {
		close(fd);
		return err_set(e, ERR_UNAVAILABLE, "ledger file %s was replaced while it was opened; "
		    "nothing in the runtime folder may be removed", file->name);
	}
	*fd_r = fd;
	return 0;
}

int ledger_file_open(struct ledger *ledger, struct ledger_key key, struct ledger_file **file_r,
    struct err *e)
{
	struct ledger_file *file = mem_alloc(sizeof *file);

	file->ledger = ledger;
	file->key = key;
	file->region = -1;
	ledger_file_name(key, file->name);
	if (open_fd(file, &file->fd, e) < 0) {
		free(file);
		return -1;
	}
	pthread_mutex_init(&file->queue, NULL);
	pthread_mutex_init(&file->record, NULL);
	*file_r = file;
	return 0;
}

/* The record before the lane, and both before the LIVE byte: nobody meets a living record without its lane. */
void ledger_file_close(struct ledger_file **file)
{
	pthread_mutex_lock(&(*file)->record);
	if ((*file)->fd >= 0) {
		ledger_lane_give_up(*file);
		close((*file)->fd);
	}
	pthread_mutex_unlock(&(*file)->record);
	pthread_mutex_destroy(&(*file)->queue);
	pthread_mutex_destroy(&(*file)->record);
	free((*file)->records);
	mem_free(file);
}

static bool is_counting(const struct ledger_file *file)
{
	for (int i = 0; i < LEDGER_COUNTS_N; i++)
		if (file->held[i])
			return true;
	return false;
}

/*
 * The file has no name any more: somebody emptied the runtime folder.  While this process counts in it
 * there is no way to agree with those who make a new one, so it says so and refuses.
 */
static int reopen(struct ledger_file *file, struct err *e)
{
	int fd, r = -1;

	pthread_mutex_lock(&file->ledger->lock);
	pthread_mutex_lock(&file->record);
	if (is_counting(file)) {
		err_set(e, ERR_UNAVAILABLE, "ledger file %s was removed while sessions are counted in it; "
		    "end them, or restart the programs of this store", file->name);
	} else if (open_fd(file, &fd, e) == 0) {
		ledger_lane_give_up(file);
		close(file->fd);
		file->fd = fd;
		file->region = -1;
		r = 0;
	}
	pthread_mutex_unlock(&file->record);
	pthread_mutex_unlock(&file->ledger->lock);
	return r;
}

/* ---- the mutex ---- */

/* ThreadSanitizer of gcc 12 does not know pthread_mutex_clocklock, and would see races everywhere. */
#ifdef __SANITIZE_THREAD__
#define QUEUE_CLOCK CLOCK_REALTIME
#define lock_until(mutex, until) pthread_mutex_timedlock(mutex, until)
#else
#define QUEUE_CLOCK CLOCK_MONOTONIC
#define lock_until(mutex, until) pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, until)
#endif

static int lock_queue(struct ledger_file *file, int64_t wait_ms)
{
	struct timespec until;

	if (pthread_mutex_trylock(&file->queue) == 0)
		return 0;
	if (wait_ms == 0)
		return EBUSY;
	clock_gettime(QUEUE_CLOCK, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return lock_until(&file->queue, &until);
}

static int lock_byte(struct ledger_file *file, int64_t wait_ms, struct err *e)
{
	if (io_lock_until(file->fd, LEDGER_MUTEX_AT, 1, wait_ms) == 0)
		return 0;
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_BUSY, "ledger file %s is held by another process", file->name);
	return err_sys(e, ERR_UNAVAILABLE, errno, "lock ledger file %s", file->name);
}

/* The MUTEX byte of the file that has the name. */
static int lock_named(struct ledger_file *file, int64_t wait_ms, size_t *size_r, struct err *e)
{
	struct stat st;

	for (int attempt = 0; attempt < 3; attempt++) {
		if (lock_byte(file, wait_ms, e) < 0)
			return -1;
		if (fstat(file->fd, &st) == 0 && st.st_nlink > 0) {
			*size_r = (size_t)st.st_size;
			return 0;
		}
		io_unlock(file->fd, LEDGER_MUTEX_AT, 1);
		if (reopen(file, e) < 0)
			return -1;
	}
	return err_set(e, ERR_UNAVAILABLE, "ledger file %s is removed again and again", file->name);
}

static int lock_and_read(struct ledger_file *file, int64_t wait_ms, struct err *e)
{
	size_t size = 0;
	int r;

	if (file->fd < 0)
		return err_set(e, ERR_UNAVAILABLE, "a forked child has no sessions");
	if (lock_named(file, wait_ms, &size, e) < 0)
		return -1;
	ledger_lane_shut(file);
	r = file->region < 0 ? claim(file, e) : 0;
	if (r == 0 && !file->is_verified)
		r = ledger_file_verify(file, e);
	else if (r == 0)
		r = read_all(file, size, e);
	if (r < 0)
		io_unlock(file->fd, LEDGER_MUTEX_AT, 1);
	else
		ledger_sum_up(file);
	return r;
}

int ledger_lock(struct ledger_file *file, int64_t wait_ms, struct err *e)
{
	if (lock_queue(file, wait_ms) != 0)
		return err_set(e, ERR_BUSY, "ledger file %s is held by another thread", file->name);
	if (lock_and_read(file, wait_ms, e) < 0) {
		pthread_mutex_unlock(&file->queue);
		return -1;
	}
	return 0;
}

void ledger_unlock(struct ledger_file *file)
{
	if (io_unlock(file->fd, LEDGER_MUTEX_AT, 1) < 0)
		log_error("ledger-unlock-failed", "file=%s errno=%d", file->name, errno);
	pthread_mutex_unlock(&file->queue);
}

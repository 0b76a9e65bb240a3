/*
 * fs/preplog.c - see preplog.h.
 *
 * Records are put under the lock, each whole before the next: so whatever a sync took along, no record that was
 * synced stands behind one that is cut short.
 */
#include "fs/preplog.h"

#include "fs/lead.h"
#include "fs/record.h"

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_OCTETS 1048576u
/* So many with nothing in them are left for what comes. */
#define SPARE_N 2u

const size_t preplog_record_max = FILE_OCTETS;

struct preplog_file {
	struct preplog_file *next;
	int fd;
	unsigned number;
	uint64_t stamp;
	uint64_t at;                /* the next record's place */
	uint64_t put_n, synced_n;   /* records ever */
	unsigned kept_n, waiting_n; /* records to be kept; those who wait for one */
	bool is_syncing;
	bool is_bad;                /* a sync failed: what it holds is not known */
};

struct preplog {
	int dir_fd;
	pthread_mutex_t lock;
	pthread_cond_t synced;
	struct preplog_file *files;
	unsigned made_n;
	uint64_t stamp; /* of the last use of a file; nobody who writes mail can guess it */
};

struct preplog *preplog_new(int dir_fd)
{
	struct preplog *log = mem_alloc(sizeof *log);

	log->dir_fd = dir_fd;
	io_random(&log->stamp, sizeof log->stamp);
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->synced, NULL);
	return log;
}

static void file_name(const struct preplog_file *f, char out[32])
{
	snprintf(out, 32, "log-%u", f->number);
}

static void remove_file(struct preplog *log, struct preplog_file *f)
{
	char name[32];

	file_name(f, name);
	unlinkat(log->dir_fd, name, 0);
	close(f->fd);
	free(f);
}

void preplog_free(struct preplog **log_p)
{
	struct preplog *log = *log_p;

	while (log->files) {
		struct preplog_file *f = log->files;

		log->files = f->next;
		if (f->kept_n == 0) {
			remove_file(log, f);
		} else {
			close(f->fd);
			free(f);
		}
	}
	pthread_cond_destroy(&log->synced);
	pthread_mutex_destroy(&log->lock);
	mem_free(log_p);
}

/* Written from end to end, so that the file system has nothing to note when it is written again. */
static int fill(int fd)
{
	char *zeros = mem_alloc(FILE_OCTETS);
	int err = io_pwrite_all(fd, zeros, FILE_OCTETS, 0) < 0 || fsync(fd) < 0 ? errno : 0;

	free(zeros);
	return err;
}

static int make_file(struct preplog *log, struct preplog_file **f_r)
{
	struct preplog_file *f = mem_alloc(sizeof *f);
	char name[32];
	int err;

	lead_let_go();
	f->number = log->made_n++;
	file_name(f, name);
	f->fd = openat(log->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	if (f->fd < 0) {
		err = errno;
		free(f);
		return err;
	}
	err = fill(f->fd);
	if (!err && fsync(log->dir_fd) < 0)
		err = errno;
	if (err) {
		remove_file(log, f);
		return err;
	}
	f->stamp = ++log->stamp;
	f->next = log->files;
	log->files = f;
	*f_r = f;
	return 0;
}

static bool is_empty(const struct preplog_file *f)
{
	return f->kept_n == 0 && f->waiting_n == 0;
}

/* One that has room for n octets. */
static int choose(struct preplog *log, size_t n, struct preplog_file **f_r)
{
	for (struct preplog_file *f = log->files; f; f = f->next) {
		if (f->is_bad)
			continue;
		if (is_empty(f) && f->at > 0) {
			f->at = 0;
			f->stamp = ++log->stamp;
		}
		if (n <= FILE_OCTETS - f->at) {
			*f_r = f;
			return 0;
		}
	}
	return make_file(log, f_r);
}

int preplog_put(struct preplog *log, char *record, size_t n, struct preplog_at *at_r)
{
	struct preplog_file *f = NULL;
	int err;

	CHECK(n <= FILE_OCTETS);
	lead_lock(&log->lock);
	err = choose(log, n, &f);
	if (!err) {
		record_set_stamp(record, f->stamp);
		if (io_pwrite_all(f->fd, record, n, (off_t)f->at) < 0)
			err = errno;
	}
	if (!err) {
		*at_r = (struct preplog_at){f, f->at, ++f->put_n};
		f->at += n;
		f->kept_n++;
		f->waiting_n++;
	}
	pthread_mutex_unlock(&log->lock);
	return err;
}

void preplog_wait(struct preplog *log, const struct preplog_at *at)
{
	lead_lock(&log->lock);
	at->file->waiting_n++;
	pthread_mutex_unlock(&log->lock);
}

/* One syncs for all who have put theirs.  Locked, but not while it syncs. */
static void sync_once(struct preplog *log, struct preplog_file *f)
{
	uint64_t put_n = f->put_n;
	int r;

	f->is_syncing = true;
	pthread_mutex_unlock(&log->lock);
	/* A colleague wakes while the disk writes. */
	sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	lead_let_go();
	r = fdatasync(f->fd);
	pthread_mutex_lock(&log->lock);
	f->is_syncing = false;
	if (r == 0)
		f->synced_n = put_n;
	else
		f->is_bad = true; /* a second try would succeed, and mean nothing */
	pthread_cond_broadcast(&log->synced);
}

/* A file with nothing in it goes when there are others. */
static void trim(struct preplog *log)
{
	struct preplog_file **at = &log->files;
	unsigned spare_n = 0;

	while (*at) {
		struct preplog_file *f = *at;

		if (is_empty(f) && (f->is_bad || ++spare_n > SPARE_N)) {
			*at = f->next;
			remove_file(log, f);
		} else {
			at = &f->next;
		}
	}
}

int preplog_sync(struct preplog *log, const struct preplog_at *at)
{
	struct preplog_file *f = at->file;
	int err;

	lead_lock(&log->lock);
	while (f->synced_n < at->turn && !f->is_bad) {
		if (f->is_syncing) {
			lead_let_go();
			pthread_cond_wait(&log->synced, &log->lock);
		} else {
			sync_once(log, f);
		}
	}
	err = f->synced_n < at->turn ? EIO : 0;
	f->waiting_n--;
	trim(log);
	pthread_mutex_unlock(&log->lock);
	return err;
}

void preplog_drop(struct preplog *log, const struct preplog_at *at)
{
	lead_lock(&log->lock);
	record_mark_done(at->file->fd, at->at);
	at->file->kept_n--;
	trim(log);
	pthread_mutex_unlock(&log->lock);
}

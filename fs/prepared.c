/*
 * fs/prepared.c - flushed files on the disk until they are messages.
 *
 * What is in memory is put into the mount's log, for one sync at most; what is so large that it is in a file gets a
 * file of its own here.
 */
#include "fs/prepared.h"

#include "fs/draft.h"
#include "fs/lead.h"
#include "fs/leftover.h"
#include "fs/record.h"
#include "fs/tree.h"

#include "base/io.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT "prepared"
/* What a mount has in its folder beside them begins with a dot. */
#define LOCK ".lock"
#define TURN ".turn"
#define SLICE 131072u

struct prepared {
	int root_fd, dir_fd, lock_fd;
	char name[17];
	struct preplog *log;
};

/* ---- keeping --------------------------------------------------------------------------------------- */

static struct record record_of(const struct draft *d)
{
	return (struct record){.user = d->folder->mailbox->user, .folder = d->folder->id, .place = (int)d->place,
	    .mtime_ms = d->mtime_ms, .size = d->size, .name = d->name, .flags = d->flags ? d->flags : ""};
}

/* In memory, as it will be in the log. */
static int put_in_log(struct preplog *log, struct draft *d)
{
	struct record r = record_of(d);
	struct str_buf record = {0};
	int err = ENAMETOOLONG;
	size_t padding;

	r.sum = record_sum_rest(&r, record_sum(RECORD_SUM_BEGIN, d->memory.p, (size_t)d->size));
	record_put_header(&r, &record);
	str_buf_put(&record, d->memory.p, (size_t)d->size);
	padding = (size_t)(record_round(d->size) - d->size);
	memset(str_buf_room(&record, padding), 0, padding);
	record.n += padding;
	if (record.n <= preplog_record_max)
		err = preplog_put(log, record.p, record.n, &d->kept_at);
	str_buf_fini(&record);
	return err;
}

static void file_name(const struct draft *d, char out[32])
{
	snprintf(out, 32, "%" PRIu32 "-%" PRIu32, d->slot, d->generation);
}

/* The octets behind the header; their sum. */
static int copy_octets(const struct draft *d, int fd, size_t at, uint64_t *sum_r)
{
	char *slice = mem_alloc(SLICE);
	uint64_t done = 0, sum = RECORD_SUM_BEGIN;
	int err = 0;

	while (!err && done < d->size) {
		size_t n = d->size - done < SLICE ? (size_t)(d->size - done) : SLICE;

		if (io_pread_all(d->fd, slice, n, (off_t)done) != (ssize_t)n)
			err = EIO;
		else if (io_pwrite_all(fd, slice, n, (off_t)(at + done)) < 0)
			err = errno;
		sum = record_sum(sum, slice, n);
		done += n;
	}
	free(slice);
	*sum_r = sum;
	return err;
}

static int put_in_file(struct prepared *p, struct draft *d)
{
	struct record r = record_of(d);
	struct str_buf header = {0};
	char name[32];
	int fd, err;

	lead_let_go();
	file_name(d, name);
	if ((fd = openat(p->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0660)) < 0)
		return errno;
	record_put_header(&r, &header); /* as long as it will be with its sum */
	err = copy_octets(d, fd, header.n, &r.sum);
	r.sum = record_sum_rest(&r, r.sum);
	str_buf_clear(&header);
	record_put_header(&r, &header);
	if (!err && (io_pwrite_all(fd, header.p, header.n, 0) < 0 || fdatasync(fd) < 0 || fsync(p->dir_fd) < 0))
		err = errno;
	close(fd);
	if (err)
		unlinkat(p->dir_fd, name, 0);
	str_buf_fini(&header);
	return err;
}

int prepared_keep(struct prepared *p, struct draft *d)
{
	int err;

	d->kept_at = (struct preplog_at){0};
	err = d->fd < 0 ? put_in_log(p->log, d) : put_in_file(p, d);
	d->is_prepared = err == 0;
	return err;
}

void prepared_wait(struct prepared *p, const struct preplog_at *at)
{
	if (at->file)
		preplog_wait(p->log, at);
}

int prepared_sync(struct prepared *p, const struct preplog_at *at)
{
	return at->file ? preplog_sync(p->log, at) : 0;
}

void prepared_drop(struct prepared *p, struct draft *d)
{
	char name[32];

	if (!d->is_prepared)
		return;
	if (d->kept_at.file) {
		preplog_drop(p->log, &d->kept_at);
	} else {
		file_name(d, name);
		unlinkat(p->dir_fd, name, 0);
	}
	d->is_prepared = false;
}

/* ---- a mount's folder -------------------------------------------------------------------------------- */

/* The folders of other mounts: those that nobody holds locked. */
static void take_over_all(struct tree *t, int root_fd)
{
	DIR *root = fdopendir(dup(root_fd));
	struct dirent *entry;

	while (root && (entry = readdir(root)) != NULL) {
		int dir_fd = -1, lock_fd = -1;

		if (entry->d_name[0] == '.')
			continue;
		dir_fd = openat(root_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir_fd >= 0)
			lock_fd = openat(dir_fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
		if (lock_fd >= 0 && io_try_lock(lock_fd, 0, 1) == 0) {
			leftover_take_over(t, dir_fd);
			unlinkat(dir_fd, LOCK, 0);
			unlinkat(root_fd, entry->d_name, AT_REMOVEDIR); /* stays while something is in it */
		}
		if (lock_fd >= 0)
			close(lock_fd);
		if (dir_fd >= 0)
			close(dir_fd);
	}
	if (root)
		closedir(root);
}

/* This mount's own folder, locked as long as it lives. */
static int make_own(struct prepared *p, struct err *e)
{
	uint64_t random;

	io_random(&random, sizeof random);
	snprintf(p->name, sizeof p->name, "%016" PRIx64, random);
	if (io_mkdir_all(p->root_fd, p->name, 02770, e) < 0)
		return -1;
	p->dir_fd = openat(p->root_fd, p->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir_fd >= 0)
		p->lock_fd = io_open_or_make(p->dir_fd, LOCK, 0660);
	if (p->lock_fd < 0 || io_lock_wait(p->lock_fd, 0, 1) < 0)
		return err_sys(e, ERR_IO, errno, "making %s/%s", ROOT, p->name);
	return 0;
}

/* One mount at a time: a folder that is made and not yet locked looks like a dead mount's. */
int prepared_new(struct tree *t, struct prepared **prepared_r, struct err *e)
{
	struct prepared *p = mem_alloc(sizeof *p);
	int turn_fd = -1, rc = -1;

	p->root_fd = p->dir_fd = p->lock_fd = -1;
	if (io_mkdir_all(site_dir_fd(t->site), ROOT, 02770, e) < 0)
		goto out;
	p->root_fd = openat(site_dir_fd(t->site), ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->root_fd >= 0)
		turn_fd = io_open_or_make(p->root_fd, TURN, 0660);
	if (turn_fd < 0 || io_lock_wait(turn_fd, 0, 1) < 0) {
		err_sys(e, ERR_IO, errno, "opening %s", ROOT);
		goto out;
	}
	take_over_all(t, p->root_fd);
	if ((rc = make_own(p, e)) == 0)
		p->log = preplog_new(p->dir_fd);
out:
	if (turn_fd >= 0)
		close(turn_fd);
	if (rc == 0)
		*prepared_r = p;
	else
		prepared_free(&p);
	return rc;
}

void prepared_free(struct prepared **pp)
{
	struct prepared *p = *pp;

	if (!p)
		return;
	if (p->log)
		preplog_free(&p->log);
	if (p->dir_fd >= 0) {
		unlinkat(p->dir_fd, LOCK, 0);
		unlinkat(p->root_fd, p->name, AT_REMOVEDIR); /* stays while something is in it */
	}
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	if (p->dir_fd >= 0)
		close(p->dir_fd);
	if (p->root_fd >= 0)
		close(p->root_fd);
	mem_free(pp);
}

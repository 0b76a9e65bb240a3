/*
 * fs/prepared.c - flushed files on the disk until they are messages.
 *
 * A file is a line of text that says what it is to become, its name, its flags, and the octets; the size and a
 * sum of them tell a whole file from one whose writing was cut short.  Name and flags are counted: a name may
 * have a line feed in it.
 */
#include "fs/prepared.h"

#include "fs/draft.h"
#include "fs/flag.h"
#include "fs/maildir.h"
#include "fs/tree.h"

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT "prepared"
#define LOCK "lock"
#define TURN ".turn"
#define MAGIC "postern-prepared-3"
#define SLICE 131072u
#define HEADER_MAX 8192u

struct prepared {
	int root_fd, dir_fd, lock_fd;
	char name[17];
};

static uint64_t sum_of(uint64_t sum, const char *octets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ (unsigned char)octets[i]) * 0x100000001b3u;
	return sum;
}
#define SUM_BEGIN 0xcbf29ce484222325u

/* ---- keeping --------------------------------------------------------------------------------------- */

static void file_name(const struct draft *d, char out[32])
{
	snprintf(out, 32, "%" PRIu32 "-%" PRIu32, d->slot, d->generation);
}

/* The octets behind the header; their sum. */
static int write_octets(struct draft *d, int fd, off_t at, uint64_t *sum_r)
{
	char *slice = d->fd >= 0 ? mem_alloc(SLICE) : NULL;
	uint64_t done = 0, sum = SUM_BEGIN;
	int err = 0;

	while (!err && done < d->size) {
		size_t n = d->size - done < SLICE ? (size_t)(d->size - done) : SLICE;
		const char *octets = slice;

		if (!slice)
			octets = d->memory.p + done;
		else if (io_pread_all(d->fd, slice, n, (off_t)done) != (ssize_t)n)
			err = EIO;
		if (!err && io_pwrite_all(fd, octets, n, at + (off_t)done) < 0)
			err = errno;
		if (!err)
			sum = sum_of(sum, octets, n);
		done += n;
	}
	free(slice);
	*sum_r = sum;
	return err;
}

int prepared_keep(struct prepared *p, struct draft *d)
{
	struct str_buf header = {0};
	char name[32];
	uint64_t sum;
	int fd, err;

	file_name(d, name);
	if ((fd = openat(p->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0660)) < 0)
		return errno;
	if ((err = write_octets(d, fd, HEADER_MAX, &sum)))
		goto out;
	str_buf_printf(&header, MAGIC " %016" PRIx64 " %" PRIu32 " %d %" PRId64 " %" PRIu64 " %016" PRIx64 " %zu %zu\n%s%s",
	    d->folder->mailbox->user.n, d->folder->id, (int)d->place, d->mtime_ms, d->size, sum, strlen(d->name),
	    d->flags ? strlen(d->flags) : 0, d->name, d->flags ? d->flags : "");
	if (header.n > HEADER_MAX)
		err = ENAMETOOLONG;
	else if (io_pwrite_all(fd, header.p, header.n, 0) < 0 || fdatasync(fd) < 0 || fsync(p->dir_fd) < 0)
		err = errno;
	d->is_prepared = err == 0;
out:
	close(fd);
	if (err)
		unlinkat(p->dir_fd, name, 0);
	str_buf_fini(&header);
	return err;
}

void prepared_drop(struct prepared *p, struct draft *d)
{
	char name[32];

	if (!d->is_prepared)
		return;
	file_name(d, name);
	unlinkat(p->dir_fd, name, 0);
	d->is_prepared = false;
}

/* ---- taking over ------------------------------------------------------------------------------------ */

struct leftover {
	struct user_id user;
	uint32_t folder;
	int place; /* enum fs_place */
	int64_t mtime_ms;
	uint64_t size, sum;
	char *name, *flags;
};

/* false: cut short, or none of ours. */
static bool read_header(int fd, struct arena *arena, struct leftover *l)
{
	char *text = arena_alloc(arena, HEADER_MAX + 1), *rest;
	size_t name_n, flags_n;

	if (io_pread_all(fd, text, HEADER_MAX, 0) <= 0)
		return false;
	if (sscanf(text, MAGIC " %" SCNx64 " %" SCNu32 " %d %" SCNd64 " %" SCNu64 " %" SCNx64 " %zu %zu",
	        &l->user.n, &l->folder, &l->place, &l->mtime_ms, &l->size, &l->sum, &name_n, &flags_n) != 8)
		return false;
	rest = strchr(text, '\n');
	if (!rest || name_n > HEADER_MAX || flags_n > HEADER_MAX || strlen(rest + 1) != name_n + flags_n)
		return false;
	l->name = arena_strn(arena, rest + 1, name_n);
	l->flags = arena_strn(arena, rest + 1 + name_n, flags_n);
	return true;
}

/* Its octets into an append; INVALID when they are not what was to be kept. */
static int feed(int fd, const struct leftover *l, struct append *append, struct err *e)
{
	char *slice = mem_alloc(SLICE);
	uint64_t done = 0, sum = SUM_BEGIN;
	ssize_t n;
	int rc = -1;

	while ((n = io_pread_all(fd, slice, SLICE, (off_t)(HEADER_MAX + done))) > 0) {
		sum = sum_of(sum, slice, (size_t)n);
		done += (uint64_t)n;
		if (append_write(append, slice, (size_t)n, e) < 0)
			goto out;
	}
	rc = done == l->size && sum == l->sum ? 0 : err_set(e, ERR_INVALID, "cut short");
out:
	free(slice);
	return rc;
}

/* name: NULL, the usual one. */
static int append_leftover(struct mailbox *mb, int fd, const struct leftover *l, uint32_t folder,
    const char *name, struct err *e)
{
	struct append_how how = {.folder = {folder}, .idate_ms = l->mtime_ms, .name = name};
	struct mailbox_access access;
	struct flag_words words = {0};
	struct maildir_name maildir;
	struct append_done done;
	struct append *append = NULL;
	struct arena arena = {0};
	struct folder_info inbox;
	int rc = -1;

	if (mailbox_access(mb, &access, e) < 0)
		return -1;
	if (folder == 0) {
		if (folder_by_name(access.store, "INBOX", &arena, &inbox, e) < 0)
			goto out;
		how.folder = inbox.id;
	}
	if (l->place != PLACE_MAIL && maildir_name_parse(l->name, &maildir)) {
		how.name = name ? maildir_name_to_keep(&maildir) : NULL;
		how.flags = maildir.flags;
		how.is_cur = l->place == PLACE_CUR;
	}
	if (flag_parse(mb, str_view(l->flags, strlen(l->flags)), true, &arena, &words) == 0)
		how.flags |= words.flags;
	how.keywords = words.keywords;
	how.keywords_n = words.keywords_n;
	if (append_begin(access.store, &append, e) < 0)
		goto out;
	if (feed(fd, l, append, e) < 0) {
		append_abort(&append);
		goto out;
	}
	rc = append_commit(&append, &how, 1, &done, e);
out:
	mailbox_access_end(&access);
	arena_fini(&arena);
	return rc;
}

/* The message that has its name is what it became before the mount died, and no other of that name. */
static bool is_there(struct mailbox *mb, const struct leftover *l)
{
	struct fs_folder *f = NULL;
	struct maildir_name maildir;
	const struct fs_msg *m;
	bool is_alias, same;
	struct err e;

	if (mailbox_sync(mb, &e) < 0)
		return false;
	for (size_t i = 0; i < mb->n && !f; i++)
		if (mb->folders[i]->id == l->folder && !mb->folders[i]->is_gone)
			f = mb->folders[i];
	if (!f || mailbox_sync_folder(mb, f, &e) < 0)
		return false;
	pthread_mutex_lock(&mb->lock);
	if (l->place == PLACE_MAIL)
		m = fs_folder_by_name(f, l->name, &is_alias);
	else
		m = maildir_name_parse(l->name, &maildir) ? maildir_by_base(f, &maildir) : NULL;
	same = m && m->size == l->size && (l->mtime_ms == INT64_MIN || m->idate_ms == l->mtime_ms);
	pthread_mutex_unlock(&mb->lock);
	return same;
}

/* Into its folder under its name; where the folder is gone, INBOX, and where the name is another's, the usual
 * one.  1: it is a message already. */
static int append_somewhere(struct mailbox *mb, int fd, const struct leftover *l, struct err *e)
{
	int rc = append_leftover(mb, fd, l, l->folder, l->name, e);

	if (rc < 0 && e->code == ERR_NOTFOUND)
		rc = append_leftover(mb, fd, l, 0, NULL, e);
	else if (rc < 0 && e->code == ERR_EXISTS)
		rc = is_there(mb, l) ? 1 : append_leftover(mb, fd, l, l->folder, NULL, e);
	return rc;
}

/* One file: true when it needs not be kept any longer. */
static bool take_over(struct tree *t, int fd)
{
	struct directory_user user;
	struct leftover l = {0};
	struct arena arena = {0};
	struct mailbox *mb;
	struct err e;
	bool is_done = true;

	if (!read_header(fd, &arena, &l))
		goto out;
	if (directory_user_by_id(t->site, l.user, &arena, &user, &e) < 0 ||
	    mailbox_find(t, user.name, &mb, &e) < 0) {
		is_done = e.code == ERR_NOTFOUND;
		goto out;
	}
	switch (append_somewhere(mb, fd, &l, &e)) {
	case 0:
		journal_say(t->journal, "file-recovered", "user=%s file=%s", LOG_Q(user.name), LOG_Q(l.name));
		break;
	case -1:
		is_done = e.code == ERR_INVALID; /* cut short: nobody was told that it is kept */
		if (!is_done)
			journal_say(t->journal, "file-kept", "user=%s file=%s %s", LOG_Q(user.name),
			    LOG_Q(l.name), log_err(&e));
	}
out:
	arena_fini(&arena);
	return is_done;
}

static void take_over_folder(struct tree *t, int dir_fd)
{
	DIR *dir = fdopendir(dup(dir_fd));
	struct dirent *entry;
	int fd;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, LOCK) == 0)
			continue;
		if ((fd = openat(dir_fd, entry->d_name, O_RDONLY | O_CLOEXEC)) < 0)
			continue;
		if (take_over(t, fd))
			unlinkat(dir_fd, entry->d_name, 0);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

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
			take_over_folder(t, dir_fd);
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
	rc = make_own(p, e);
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

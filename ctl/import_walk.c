/*
 * ctl/import_walk.c - what is mail in a tree of files: Maildirs, mbox files, *.eml, and whatever begins
 * with a header line.  The rest is named and skipped.
 */
#include "ctl/import.h"
#include "ctl/mail_form.h"
#include "ctl/mbox.h"
#include "ctl/verb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_SIZE 65536
#define DEPTH_MAX 100

enum form { FORM_SKIP, FORM_MESSAGE, FORM_MBOX };

static void skip(struct import *im, const char *path, const char *why)
{
	im->skipped++;
	import_progress_end(im);
	ctl_say("%s: skipped: %s", path, why);
}

/* --- one file ------------------------------------------------------------------------------ */

/* A *.eml and a file of a Maildir are one message, whatever they begin with. */
static enum form form_of(const char *path, bool of_maildir, struct str_view first)
{
	size_t n = strlen(path);

	if (of_maildir || (n > 4 && strcasecmp(path + n - 4, ".eml") == 0))
		return FORM_MESSAGE;
	if (first.n > 5 && memcmp(first.p, "From ", 5) == 0)
		return FORM_MBOX;
	return mail_begins_with_header(first) ? FORM_MESSAGE : FORM_SKIP;
}

static ssize_t chunk_read(int fd, char *chunk)
{
	ssize_t r;

	do
		r = read(fd, chunk, CHUNK_SIZE);
	while (r < 0 && errno == EINTR);
	return r;
}

/* fd's first n octets are in the chunk already. */
static int message_copy_in(struct import *im, int fd, char *chunk, ssize_t n,
    const struct mail_about *about, struct err *e)
{
	if (im->sink.begin(im, e) < 0)
		return -1;
	for (; n > 0; n = chunk_read(fd, chunk))
		if (im->sink.write(im, chunk, (size_t)n, e) < 0)
			return -1;
	if (n < 0)
		return err_sys(e, ERR_IO, errno, "%s", im->path);
	return im->sink.end(im, about, e);
}

/* INTERNALDATE: a Maildir's file has it in its time; others in Date:, else in their time. */
static int file_take(struct import *im, int fd, const struct stat *st, bool of_maildir,
    struct err *e)
{
	char chunk[CHUNK_SIZE];
	ssize_t n = chunk_read(fd, chunk);
	struct mail_about about = {0};
	struct str_view first;

	if (n < 0)
		return err_sys(e, ERR_IO, errno, "%s", im->path);
	first = str_view(chunk, (size_t)n);
	about.idate_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
	switch (form_of(im->path, of_maildir, first)) {
	case FORM_SKIP:
		skip(im, im->path, n ? "it does not look like mail" : "it is empty");
		return 0;
	case FORM_MBOX:
		return mbox_read(fd, first, about.idate_ms, &im->sink, e);
	case FORM_MESSAGE:
		break;
	}
	if (of_maildir)
		mail_maildir_flags(strrchr(im->path, '/') ? strrchr(im->path, '/') : im->path, &about);
	else
		mail_header_date(first, &about.idate_ms, &about.zone_min);
	return message_copy_in(im, fd, chunk, n, &about, e);
}

static int import_file(struct import *im, const char *path, bool of_maildir,
    struct import_folder *to, struct err *e)
{
	int r = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		im->refused++;
		import_progress_end(im);
		ctl_say("%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		skip(im, path, "it is no file");
	} else {
		im->path = path;
		im->folder = to;
		r = file_take(im, fd, &st, of_maildir, e);
	}
	if (fd >= 0)
		close(fd);
	if (r == 0 && import_is_interrupted())
		r = err_set(e, ERR_TEMP, "interrupted behind %s", path);
	return r;
}

/* --- folders ------------------------------------------------------------------------------- */

struct entry {
	const char *path, *name;
	struct timespec mtime;
	bool is_dir;
};

struct entries {
	struct entry *list;
	size_t n, size;
	struct arena arena;
};

static void entries_fini(struct entries *all)
{
	free(all->list);
	arena_fini(&all->arena);
}

/* Symbolic links to folders are not followed: they may lead in circles. */
static void entry_add(struct import *im, struct entries *all, int dir_fd, const char *dir,
    const char *name)
{
	struct entry entry = {0};
	struct stat st;

	entry.path = arena_printf(&all->arena, "%s/%s", dir, name);
	entry.name = strrchr(entry.path, '/') + 1;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (S_ISLNK(st.st_mode) && (fstatat(dir_fd, name, &st, 0) < 0 || S_ISDIR(st.st_mode)))) {
		skip(im, entry.path, "it is gone, or a link to a folder or to nothing");
		return;
	}
	entry.is_dir = S_ISDIR(st.st_mode);
	entry.mtime = st.st_mtim;
	if (all->n == all->size) {
		all->size = all->size ? 2 * all->size : 64;
		all->list = reallocarray(all->list, all->size, sizeof *all->list);
		if (!all->list)
			abort();
	}
	all->list[all->n++] = entry;
}

static int entries_read(struct import *im, const char *dir, struct entries *all, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *one;

	if (!d)
		return err_sys(e, ERR_IO, errno, "%s", dir);
	while ((one = readdir(d)))
		if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0)
			entry_add(im, all, dirfd(d), dir, one->d_name);
	closedir(d);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The order in which a Maildir's messages came, so that UIDs follow it. */
static int by_time(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->mtime;
	const struct timespec *y = &((const struct entry *)b)->mtime;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	if (x->tv_nsec != y->tv_nsec)
		return x->tv_nsec < y->tv_nsec ? -1 : 1;
	return by_name(a, b);
}

static bool has_dir(const struct entries *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].is_dir && strcmp(all->list[i].name, name) == 0)
			return true;
	return false;
}

/* A tree that came through git may lack the empty ones of the three. */
static bool is_maildir(const struct entries *all)
{
	return has_dir(all, "cur") || (has_dir(all, "new") && has_dir(all, "tmp"));
}

static bool is_maildir_part(const char *name)
{
	return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 || strcmp(name, "tmp") == 0;
}

/* The messages of cur and new, in the order they came. */
static int maildir_messages(struct import *im, const char *path, struct import_folder *to,
    struct err *e)
{
	struct entries all = {0};
	const char *cur = arena_printf(&all.arena, "%s/cur", path);
	const char *new = arena_printf(&all.arena, "%s/new", path);
	int r = 0;

	/* One of them may be missing. */
	if (access(cur, F_OK) == 0)
		r = entries_read(im, cur, &all, e);
	if (r == 0 && access(new, F_OK) == 0)
		r = entries_read(im, new, &all, e);
	if (all.n > 1)
		qsort(all.list, all.n, sizeof *all.list, by_time);
	for (size_t i = 0; r == 0 && i < all.n; i++)
		if (all.list[i].is_dir || all.list[i].name[0] == '.')
			skip(im, all.list[i].path, "it is no message of a Maildir");
		else
			r = import_file(im, all.list[i].path, true, to, e);
	entries_fini(&all);
	return r;
}

static int folder_walk(struct import *im, const char *path, struct import_folder *to, int depth,
    struct err *e);

static int subfolder_walk(struct import *im, const struct entry *entry, bool of_maildir,
    struct import_folder *to, int depth, struct arena *arena, struct err *e)
{
	struct import_folder sub;

	if (!im->recursive_folders)
		return folder_walk(im, entry->path, to, depth + 1, e);
	if (import_subfolder(to, entry->name, of_maildir, arena, &sub, e) < 0) {
		skip(im, entry->path, "its name can't be a folder's");
		return 0;
	}
	return folder_walk(im, entry->path, &sub, depth + 1, e);
}

static int folder_walk(struct import *im, const char *path, struct import_folder *to, int depth,
    struct err *e)
{
	struct entries all = {0};
	bool maildir;
	int r = depth > DEPTH_MAX ? err_set(e, ERR_TOOBIG, "%s: deeper than %d folders", path, DEPTH_MAX)
				  : entries_read(im, path, &all, e);

	maildir = is_maildir(&all);
	if (all.n > 1)
		qsort(all.list, all.n, sizeof *all.list, by_name);
	if (r == 0 && maildir)
		r = import_folder_find(im, to, e);
	if (r == 0 && maildir)
		r = maildir_messages(im, path, to, e);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		const struct entry *entry = &all.list[i];

		if (maildir && is_maildir_part(entry->name))
			continue;
		r = entry->is_dir ? subfolder_walk(im, entry, maildir, to, depth, &all.arena, e)
				  : import_file(im, entry->path, false, to, e);
	}
	entries_fini(&all);
	return r;
}

int import_path(struct import *im, const char *path, struct import_folder *to, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, ERR_IO, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return folder_walk(im, path, to, 0, e);
	return import_file(im, path, false, to, e);
}

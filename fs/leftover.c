/*
 * fs/leftover.c - what dead mounts left prepared becomes mail.
 */
#include "fs/leftover.h"

#include "fs/draft.h"
#include "fs/flag.h"
#include "fs/maildir.h"
#include "fs/record.h"
#include "fs/tree.h"

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE 131072u

/* Its octets into an append; INVALID when they are not what was to be kept. */
static int feed(int fd, const struct record *l, struct append *append, struct err *e)
{
	char *slice = mem_alloc(SLICE);
	uint64_t done = 0, sum = RECORD_SUM_BEGIN;
	int rc = -1;

	while (done < l->size) {
		size_t want = l->size - done < SLICE ? (size_t)(l->size - done) : SLICE;
		ssize_t n = io_pread_all(fd, slice, want, (off_t)(l->octets_at + done));

		if (n <= 0)
			break;
		sum = record_sum(sum, slice, (size_t)n);
		done += (uint64_t)n;
		if (append_write(append, slice, (size_t)n, e) < 0)
			goto out;
	}
	rc = done == l->size && record_sum_rest(l, sum) == l->sum ? 0 : err_set(e, ERR_INVALID, "cut short");
out:
	free(slice);
	return rc;
}

/* name: NULL, the usual one. */
static int append_leftover(struct mailbox *mb, int fd, const struct record *l, uint32_t folder,
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
static bool is_there(struct mailbox *mb, const struct record *l)
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
static int append_somewhere(struct mailbox *mb, int fd, const struct record *l, struct err *e)
{
	int rc = append_leftover(mb, fd, l, l->folder, l->name, e);

	if (rc < 0 && e->code == ERR_NOTFOUND)
		rc = append_leftover(mb, fd, l, 0, NULL, e);
	else if (rc < 0 && e->code == ERR_EXISTS)
		rc = is_there(mb, l) ? 1 : append_leftover(mb, fd, l, l->folder, NULL, e);
	return rc;
}

/* True when it needs not be kept any longer. */
static bool take_over(struct tree *t, int fd, const struct record *l)
{
	struct directory_user user;
	struct arena arena = {0};
	struct mailbox *mb;
	struct err e;
	bool is_done = true;

	if (directory_user_by_id(t->site, l->user, &arena, &user, &e) < 0 ||
	    mailbox_find(t, user.name, &mb, &e) < 0) {
		is_done = e.code == ERR_NOTFOUND;
		goto out;
	}
	switch (append_somewhere(mb, fd, l, &e)) {
	case 0:
		journal_say(t->journal, "file-recovered", "user=%s file=%s", LOG_Q(user.name), LOG_Q(l->name));
		break;
	case -1:
		is_done = e.code == ERR_INVALID; /* cut short: nobody was told that it is kept */
		if (!is_done)
			journal_say(t->journal, "file-kept", "user=%s file=%s %s", LOG_Q(user.name),
			    LOG_Q(l->name), log_err(&e));
	}
out:
	arena_fini(&arena);
	return is_done;
}

/* All that is in a file: true when nothing of it needs to be kept. */
static bool take_over_file(struct tree *t, int fd)
{
	struct arena arena = {0};
	struct record l;
	uint64_t stamp = 0;
	bool all_done = true;

	for (uint64_t at = 0; record_read(fd, at, &arena, &l) && (at == 0 || l.stamp == stamp); at = l.next) {
		stamp = l.stamp;
		if (!l.is_done && take_over(t, fd, &l))
			record_mark_done(fd, l.at);
		else if (!l.is_done)
			all_done = false;
		arena_fini(&arena);
	}
	arena_fini(&arena);
	return all_done;
}

void leftover_take_over(struct tree *t, int dir_fd)
{
	DIR *dir = fdopendir(dup(dir_fd));
	struct dirent *entry;
	int fd;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || (fd = openat(dir_fd, entry->d_name, O_RDWR | O_CLOEXEC)) < 0)
			continue;
		if (take_over_file(t, fd))
			unlinkat(dir_fd, entry->d_name, 0);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

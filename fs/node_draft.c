/*
 * fs/node_draft.c - a file that is no message yet.
 *
 * It becomes one when its last writer closes it: FLUSH comes too early for that (shells send it with
 * nothing or half written), and RELEASE can't report anything.  So what can be known to fail is told by
 * FLUSH, and what fails afterwards stays a file and is tried again (mailop.c).
 */
#include "fs/tree.h"

#include "fs/draft.h"
#include "fs/flag.h"
#include "fs/lead.h"
#include "fs/mailop.h"
#include "fs/message_xattr.h"
#include "fs/room.h"
#include "fs/sidecars.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* What a commit takes beside the message itself. */
#define COMMIT_SPARE 1048576u

static struct fs_folder *draft_folder(struct tree *t, struct node n)
{
	struct draft *d = draft_of_node(t, n);

	return d ? d->folder : NULL;
}

static int draft_attr(struct tree *t, struct node n, struct stat *st)
{
	struct draft *d = draft_of_node(t, n);

	if (!d)
		return ESTALE;
	draft_stat(d, st);
	return 0;
}

static int draft_open_file(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct draft *d = draft_of_node(t, h->node);
	struct mailbox *mb;
	int err = 0;

	if (!d)
		return ESTALE;
	mb = d->folder->mailbox;
	pthread_mutex_lock(&mb->lock);
	if (!d->is_linked)
		err = ESTALE;
	else if ((flags & O_ACCMODE) != O_RDONLY && d->is_closing)
		err = EPERM; /* as good as a message */
	if (!err) {
		draft_ref(d);
		draft_open(d);
		h->draft = d;
		if ((flags & O_ACCMODE) != O_RDONLY) {
			d->writers++;
			h->may_write = true;
		}
	}
	pthread_mutex_unlock(&mb->lock);
	if (!err && h->may_write && (flags & O_TRUNC))
		err = draft_truncate(d, 0);
	how->noflush = !h->may_write;
	return err;
}

static bool is_mail(struct draft *d)
{
	struct mailbox *mb = d->folder->mailbox;
	bool yes;

	pthread_mutex_lock(&mb->lock);
	yes = d->is_linked && draft_is_mail(d);
	pthread_mutex_unlock(&mb->lock);
	return yes;
}

static bool is_dead(struct handle *h)
{
	bool dead;

	pthread_mutex_lock(&h->lock);
	dead = h->is_dead;
	pthread_mutex_unlock(&h->lock);
	return dead;
}

static int draft_read_file(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r)
{
	(void)t;
	return is_dead(h) ? ESTALE : draft_read(h->draft, at, octets, n, n_r);
}

static int draft_write_file(struct tree *t, struct handle *h, uint64_t at, const char *octets,
    size_t n)
{
	(void)t;
	return is_dead(h) ? ESTALE : draft_write(h->draft, at, octets, n);
}

/* Whether the quota still has room for it. */
static int check_room(struct draft *d)
{
	uint64_t room, size;
	int err = room_left(d->folder->mailbox, d, &room);

	if (err || room == UINT64_MAX)
		return err;
	err = draft_size_crlf(d, &size);
	return err ? err : size > room ? EDQUOT : 0;
}

/* 0: what is in it can become a message. */
static int judge(struct tree *t, struct draft *d)
{
	/* What a write was refused for is missing: half a message is none. */
	int err = draft_write_err(d);
	struct statvfs fs;

	if (!err && fstatvfs(site_dir_fd(t->site), &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < draft_size(d) * 2 + COMMIT_SPARE)
		err = ENOSPC;
	return err || !(d->place == PLACE_TMP || is_mail(d)) ? err : check_room(d);
}

/* close(2) waits here, and tells: from now on it becomes a message, whatever is killed. */
static int draft_flush(struct tree *t, struct handle *h)
{
	int err;

	if (is_dead(h))
		return ESTALE;
	if (h->draft->place == PLACE_SIDE) {
		lead_let_go();
		return sidecars_keep(t, h->draft);
	}
	if (!h->may_write || draft_size(h->draft) == 0)
		return 0;
	err = judge(t, h->draft);
	if (!err && is_mail(h->draft))
		err = draft_prepare(h->draft);
	atomic_store(&h->draft->was_told, err != 0);
	return err;
}

static int draft_fsync_file(struct tree *t, struct handle *h)
{
	if (is_dead(h))
		return ESTALE;
	return h->draft->place == PLACE_SIDE ? sidecars_keep(t, h->draft) : draft_fsync(h->draft);
}

static void draft_closing(struct tree *t, struct handle *h)
{
	if (h->draft && h->may_write)
		mailop_closing(t, h->draft, is_dead(h));
	h->may_write = false;
}

static enum node_fate draft_fate(struct tree *t, struct node n)
{
	struct draft *d = draft_of_node(t, n);
	enum node_fate fate = NODE_STAYS;
	struct mailbox *mb;

	if (!d)
		return NODE_STAYS; /* which says that it is stale */
	mb = d->folder->mailbox;
	pthread_mutex_lock(&mb->lock);
	if (d->is_closing && d->is_linked)
		fate = NODE_BECOMES;
	else if (d->became && !d->is_linked)
		fate = NODE_BECAME;
	pthread_mutex_unlock(&mb->lock);
	return fate;
}

static int draft_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	struct draft *d = draft_of_node(t, n);
	struct mailbox *mb;
	int err = 0;

	(void)who;
	if (!d)
		return ESTALE;
	mb = d->folder->mailbox;
	if (((what & NODE_SET_UID) && st->st_uid != mb->uid) ||
	    ((what & NODE_SET_GID) && st->st_gid != mb->gid))
		return EPERM;
	if (what & NODE_SET_SIZE)
		err = draft_truncate(d, (uint64_t)st->st_size);
	if (!err && (what & NODE_SET_SIZE) && d->place == PLACE_SIDE && atomic_load(&d->handles) == 0)
		err = sidecars_keep(t, d);
	if (!err && (what & NODE_SET_MTIME)) {
		pthread_mutex_lock(&d->lock);
		d->mtime_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
		pthread_mutex_unlock(&d->lock);
	}
	return err;
}

static int draft_getxattr(struct tree *t, struct node n, const char *name, struct str_buf *out)
{
	struct draft *d = draft_of_node(t, n);
	int err = ENODATA;

	if (!d)
		return ESTALE;
	pthread_mutex_lock(&d->lock);
	if (d->flags && strcmp(name, "user.flags") == 0) {
		str_buf_puts(out, d->flags);
		err = 0;
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}

/* cp -a brings the attributes of the message it copies: flags are kept, the rest is ours to say. */
static int draft_setxattr(struct tree *t, struct node n, const char *name, struct str_view value)
{
	struct draft *d = draft_of_node(t, n);
	struct flag_words words;
	struct arena arena = {0};
	int err;

	if (!d)
		return ESTALE;
	if (strcmp(name, "user.flags") != 0)
		return message_xattr_is(name) ? 0 : EPERM;
	err = flag_parse(d->folder->mailbox, value, true, &arena, &words);
	if (!err) {
		pthread_mutex_lock(&d->lock);
		free(d->flags);
		d->flags = mem_strn(value.p, value.n);
		pthread_mutex_unlock(&d->lock);
	}
	arena_fini(&arena);
	return err;
}

static void draft_remember(struct tree *t, struct node n)
{
	struct draft *d = draft_of_node(t, n);

	if (d && atomic_fetch_add(&d->lookups, 1) == 0)
		draft_ref(d);
}

static void draft_forget(struct tree *t, struct node n, uint64_t lookups)
{
	struct draft *d = draft_of_node(t, n);

	if (!d || atomic_fetch_sub(&d->lookups, lookups) > lookups)
		return;
	if (d->place == PLACE_SIDE)
		sidecars_forgotten(d);
	draft_put(&d);
}

static int draft_statfs(struct tree *t, struct node n, struct statvfs *st)
{
	struct draft *d = draft_of_node(t, n);

	return d ? room_statfs(d->folder->mailbox, st) : ESTALE;
}

const struct node_row node_draft_row = {
	.name = "draft",
	.is_session = true,
	.attr = draft_attr,
	.folder = draft_folder,
	.open = draft_open_file,
	.read = draft_read_file,
	.write = draft_write_file,
	.flush = draft_flush,
	.fsync = draft_fsync_file,
	.closing = draft_closing,
	.fate = draft_fate,
	.set = draft_set,
	.statfs = draft_statfs,
	.getxattr = draft_getxattr,
	.setxattr = draft_setxattr,
	.remember = draft_remember,
	.forget = draft_forget,
};

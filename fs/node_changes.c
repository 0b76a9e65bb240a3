/*
 * fs/node_changes.c - sys/changes and sys/users/USER/changes: what changes, from the open on.
 *
 * A read waits until there is something to say; poll(2) says when.  The slot is the user's name, 0: of
 * everybody.
 */
#include "fs/tree.h"

#include "fs/changes.h"
#include "fs/err_map.h"
#include "fs/feed.h"
#include "fs/intern.h"
#include "fs/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define TAKE_BYTES 65536u

static int mailbox_of(struct tree *t, struct node n, struct mailbox **mb_r)
{
	const char *name = n.slot ? intern_name(t, n.slot) : NULL;
	struct err e;

	*mb_r = NULL;
	if (n.slot && (!name || mailbox_find(t, name, mb_r, &e) < 0))
		return ESTALE;
	return 0;
}

static int changes_attr(struct tree *t, struct node n, struct stat *st)
{
	struct mailbox *mb;
	int err = mailbox_of(t, n, &mb);

	if (err)
		return err;
	tree_stat(t, st, S_IFREG | 0400, mb ? mb->uid : t->uid, mb ? mb->gid : t->gid, t->started_ms);
	st->st_ino = tree_st_ino(t, mb ? mb->user.n : 0, NODE_changes, 0, 0);
	return 0;
}

static int changes_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct mailbox *mb;
	int err = mailbox_of(t, h->node, &mb);

	if (!err && (flags & O_ACCMODE) != O_RDONLY)
		err = EPERM;
	if (!err)
		err = changes_follow(t, mb);
	if (err)
		return err;
	h->feed = feed_follow(t->feed, mb ? mb->user.n : 0);
	h->is_following = true;
	how->direct_io = how->is_stream = true;
	return 0;
}

static bool changes_readable(struct tree *t, struct handle *h)
{
	bool is_readable;

	pthread_mutex_lock(&h->lock);
	is_readable = h->text.n > 0 || feed_has(t->feed, &h->feed);
	pthread_mutex_unlock(&h->lock);
	return is_readable;
}

/* A stream: at means nothing. */
static int changes_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r)
{
	(void)at;
	pthread_mutex_lock(&h->lock);
	feed_take(t->feed, &h->feed, &h->text, n < TAKE_BYTES ? n : TAKE_BYTES);
	*n_r = h->text.n < n ? h->text.n : n;
	if (*n_r > 0)
		memcpy(octets, h->text.p, *n_r);
	str_buf_consume(&h->text, *n_r);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

static void changes_closing(struct tree *t, struct handle *h)
{
	if (h->is_following)
		changes_unfollow(t, h->feed.user == 0);
	h->is_following = false;
}

const struct node_row node_changes_row = {
	.name = "changes",
	.attr = changes_attr,
	.open = changes_open,
	.readable = changes_readable,
	.read = changes_read,
	.closing = changes_closing,
	.set = sysfile_text_set,
	.message_changed = changes_message,
	.folder_went = changes_folder_went,
	.folder_came = changes_folder_came,
};

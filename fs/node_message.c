/*
 * fs/node_message.c - a message, as a file that never changes.
 *
 * An open file goes on being read whatever becomes of the message: the store keeps the content for a
 * while after it was expunged.
 */
#include "fs/tree.h"

#include "fs/body.h"
#include "fs/err_map.h"
#include "fs/maildirop.h"
#include "fs/mailop.h"
#include "fs/message_xattr.h"
#include "fs/room.h"
#include "fs/partread.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct fs_msg *fs_message_hold(struct tree *t, struct node n, struct fs_folder **f_r)
{
	struct fs_folder *f = tree_folder(t, n);
	struct fs_msg *m;
	struct err e;

	if (!f)
		return NULL;
	if (!f->is_loaded && mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return NULL;
	pthread_mutex_lock(&f->mailbox->lock);
	if (!(m = fs_folder_by_uid(f, n.item))) {
		pthread_mutex_unlock(&f->mailbox->lock);
		return NULL;
	}
	*f_r = f;
	return m;
}

void fs_message_let_go(struct fs_folder *f)
{
	pthread_mutex_unlock(&f->mailbox->lock);
}

void fs_message_stat(const struct fs_folder *f, const struct fs_msg *m, struct stat *st)
{
	const struct mailbox *mb = f->mailbox;

	tree_stat(mb->tree, st, S_IFREG | 0600, mb->uid, mb->gid, m->idate_ms);
	tree_stat_ctime(st, m->changed_ms > m->idate_ms ? m->changed_ms : m->idate_ms);
	st->st_size = (off_t)m->size;
	st->st_blocks = (blkcnt_t)((m->size + 511) / 512);
	st->st_ino = tree_st_ino(mb->tree, mb->user.n, NODE_message, f->id, m->uid.n);
}

/* The kernel asks before it reads: who has it open is told what it was. */
static int message_attr(struct tree *t, struct node n, struct stat *st)
{
	struct fs_folder *f;
	struct fs_msg *m = fs_message_hold(t, n, &f);

	if (!m)
		return handle_stat_gone(t, n, st) ? 0 : ESTALE;
	fs_message_stat(f, m, st);
	fs_message_let_go(f);
	return 0;
}

static int message_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f = tree_folder(t, h->node);
	struct fs_msg *m;
	struct err e;

	if (!f)
		return ESTALE;
	/* Messages are immutable; with ATOMIC_O_TRUNC nothing has been cut before we say so. */
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		return EPERM;
	if (mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return fs_errno(&e);
	if (!(m = fs_message_hold(t, h->node, &f)))
		return ESTALE; /* the kernel then looks the name up anew, and says ENOENT */
	h->msg.content = m->content;
	h->msg.size_crlf = m->size_crlf;
	h->msg.serve = m->is_lf ? EOL_LF : m->lineends;
	pthread_mutex_lock(&t->lock); /* handle_stat_gone looks at all */
	fs_message_stat(f, m, &h->msg.st);
	pthread_mutex_unlock(&t->lock);
	fs_message_let_go(f);
	how->keep_cache = how->noflush = true;
	return 0;
}

static int source_read(void *arg, uint64_t at, void *octets, size_t n, size_t *n_r, struct err *e)
{
	struct handle *h = arg;

	return content_read(h->store, h->msg.content, at, octets, n, n_r, e);
}

/* What reading needs, made at the first READ: many files are opened and never read. */
static int prepare(struct handle *h, struct err *e)
{
	struct str_buf exceptions = {0};

	if (!h->store && store_open(h->session, &h->store, e) < 0)
		return -1;
	if (h->body)
		return 0;
	if (h->msg.serve == EOL_MIXED &&
	    content_exceptions(h->store, h->msg.content, &exceptions, e) < 0)
		return -1;
	h->body = body_new(h->msg.size_crlf, h->msg.serve, &exceptions);
	return 0;
}

static int read_at(struct handle *h, uint64_t at, char *octets, size_t n, size_t *n_r, struct err *e)
{
	struct body_source source = {source_read, h};

	if (prepare(h, e) < 0)
		return -1;
	return h->part ? partread_at(h, &source, at, octets, n, n_r, e)
		       : body_read(h->body, &source, at, octets, n, n_r, e);
}

int fs_message_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n, size_t *n_r)
{
	struct err e;
	int err = 0;

	(void)t;
	pthread_mutex_lock(&h->lock);
	if (h->is_dead) {
		err = ESTALE;
	} else if (read_at(h, at, octets, n, n_r, &e) < 0) {
		err = fs_errno(&e);
		log_warn("read-failed", "%s", log_err(&e));
	} else {
		session_touch(h->session);
	}
	pthread_mutex_unlock(&h->lock);
	return err;
}

/* chmod and chown to what it is are what cp and tar do; a message's time was settled when it came, but for
 * Maildir tools that set it right behind. */
static int message_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	struct fs_folder *f = tree_folder(t, n);

	(void)who;
	if (!f)
		return ESTALE;
	if (what & NODE_SET_SIZE)
		return EPERM;
	if (((what & NODE_SET_UID) && st->st_uid != f->mailbox->uid) ||
	    ((what & NODE_SET_GID) && st->st_gid != f->mailbox->gid))
		return EPERM;
	if (what & NODE_SET_MTIME)
		return maildirop_redate(t, f, n.item,
		    (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000);
	return what & NODE_SET_ATIME ? EPERM : 0;
}

/* ---- extended attributes (fs/message_xattr.h) ---- */

static int message_setxattr(struct tree *t, struct node n, const char *name, struct str_view value)
{
	struct fs_folder *f = tree_folder(t, n);

	if (strcmp(name, "user.flags") != 0)
		return EPERM;
	return f ? mailop_set_flags(t, f, n.item, value) : ESTALE;
}

static int message_statfs(struct tree *t, struct node n, struct statvfs *st)
{
	struct fs_folder *f = tree_folder(t, n);

	return f ? room_statfs(f->mailbox, st) : ESTALE;
}

static void tell_message_touched(struct fs_folder *f, uint32_t uid, struct notices *ns)
{
	notice_inode(ns, fs_msg_node(f, uid), false);
}

const struct node_row node_message_row = {
	.name = "message",
	.is_session = true,
	.is_cached = true,
	.is_quick = true,
	.attr = message_attr,
	.folder = tree_folder,
	.open = message_open,
	.read = fs_message_read,
	.set = message_set,
	.statfs = message_statfs,
	.getxattr = message_xattr_get,
	.listxattr = message_xattr_list,
	.setxattr = message_setxattr,
	.message_touched = tell_message_touched,
	.slow_times = true,
};

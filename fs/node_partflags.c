/*
 * fs/node_partflags.c - `flags` of a message under parts/: its flags as words on a line.
 *
 * One write(2) is one command, which replaces them; nothing happens at O_TRUNC or FLUSH, since
 * `echo seen > flags` is open(O_TRUNC), FLUSH, WRITE, FLUSH, RELEASE.
 */
#include "fs/tree.h"

#include "fs/err_map.h"
#include "fs/flag.h"
#include "fs/mailop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* 0 or ESTALE; out: the line. */
static int line_of(struct tree *t, struct node n, struct str_buf *out, struct stat *st)
{
	struct fs_folder *f;
	struct fs_msg *m = fs_message_hold(t, n, &f);

	if (!m)
		return ESTALE;
	flag_put(f->mailbox, m, out);
	str_buf_putc(out, '\n');
	fs_message_stat(f, m, st);
	st->st_ino = tree_st_ino(t, f->mailbox->user.n, NODE_partflags, f->id, m->uid.n);
	st->st_mtim = st->st_ctim;
	st->st_size = (off_t)out->n;
	st->st_blocks = 1;
	fs_message_let_go(f);
	return 0;
}

static int partflags_attr(struct tree *t, struct node n, struct stat *st)
{
	struct str_buf line = {0};
	int err = line_of(t, n, &line, st);

	str_buf_fini(&line);
	return err;
}

static int partflags_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f = tree_folder(t, h->node);
	struct stat st;
	struct err e;

	if (!f)
		return ESTALE;
	h->may_write = (flags & O_ACCMODE) != O_RDONLY;
	how->direct_io = true;
	how->noflush = true;
	if (mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return fs_errno(&e);
	return line_of(t, h->node, &h->text, &st);
}

static int partflags_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r)
{
	int err = 0;

	(void)t;
	pthread_mutex_lock(&h->lock);
	*n_r = 0;
	if (h->is_dead) {
		err = ESTALE;
	} else if (at < h->text.n) {
		*n_r = n < h->text.n - at ? n : (size_t)(h->text.n - at);
		memcpy(octets, h->text.p + at, *n_r);
	}
	pthread_mutex_unlock(&h->lock);
	return err;
}

static int partflags_write(struct tree *t, struct handle *h, uint64_t at, const char *octets, size_t n)
{
	struct fs_folder *f = tree_folder(t, h->node);
	bool is_dead;

	(void)at;
	pthread_mutex_lock(&h->lock);
	is_dead = h->is_dead;
	pthread_mutex_unlock(&h->lock);
	if (is_dead || !f)
		return ESTALE;
	return mailop_set_flags(t, f, h->node.item, str_trim(str_view(octets, n)));
}

/* What truncates it, or sets its time, is taken and means nothing. */
static int partflags_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	(void)t;
	(void)n;
	(void)st;
	(void)who;
	return what & (NODE_SET_MODE | NODE_SET_UID | NODE_SET_GID) ? EPERM : 0;
}

const struct node_row node_partflags_row = {
	.name = "partflags",
	.is_session = true,
	.is_quick = true,
	.slow_writes = true,
	.attr = partflags_attr,
	.folder = tree_folder,
	.open = partflags_open,
	.read = partflags_read,
	.write = partflags_write,
	.set = partflags_set,
};

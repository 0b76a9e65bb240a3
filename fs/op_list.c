/* fs/op_list.c - directories are listed. */
#include "fs/op.h"

#include <errno.h>
#include <stdlib.h>

struct listing {
	struct op *op;
	char *octets;
	size_t n, size;
	bool plus;
};

/* The first two cookies are "." and ".."; the tree's begin behind them. */
#define COOKIE_TREE 2u

static bool put_entry(struct listing *l, const char *name, const struct node_entry *entry,
    uint64_t cookie)
{
	struct fuse_entry_param param = op_entry_param(entry);
	char *at = l->octets + l->n;
	size_t room = l->size - l->n, n;

	if (l->plus)
		n = fuse_add_direntry_plus(l->op->req, at, room, name, &param, (off_t)cookie);
	else
		n = fuse_add_direntry(l->op->req, at, room, name, &param.attr, (off_t)cookie);
	if (n > room)
		return false;
	l->n += n;
	return true;
}

static bool emit(void *arg, const char *name, const struct node_entry *entry, uint64_t cookie)
{
	struct listing *l = arg;

	if (!put_entry(l, name, entry, cookie + COOKIE_TREE))
		return false;
	if (l->plus)
		op_remember(l->op->t, entry->node);
	return true;
}

static int list(struct listing *l, uint64_t after)
{
	static const char *const dots[] = {".", ".."};
	struct node_entry self = {.node = {NODE_NONE, 0, 0}, .st.st_mode = S_IFDIR, .st.st_ino = 1};
	const struct node_row *row = op_row(l->op->n);

	if (!row || (!row->list && !row->list_open))
		return ENOTDIR;
	for (; after < COOKIE_TREE; after++)
		if (!put_entry(l, dots[after], &self, after + 1))
			return 0;
	return row->list_open ? row->list_open(l->op->t, l->op->h, after - COOKIE_TREE, emit, l)
			      : row->list(l->op->t, l->op->n, after - COOKIE_TREE, emit, l);
}

static void readdir_run(struct op *op)
{
	struct listing l = {.op = op, .octets = malloc(op->size), .size = op->size, .plus = op->what};
	int err = ENOMEM;

	pthread_mutex_lock(&op->h->lock);
	err = op->h->is_dead ? ESTALE : l.octets ? 0 : ENOMEM;
	if (!err && op->h->session)
		session_touch(op->h->session);
	pthread_mutex_unlock(&op->h->lock);
	if (!err)
		err = list(&l, op->at);
	if (err)
		op_reply_err(op, err);
	else
		fuse_reply_buf(op->req, l.octets, l.n);
	free(l.octets);
}

static void readdir_any(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi, bool plus)
{
	struct op op = op_of(req, ino, readdir_run);

	op.h = handle_of(op.t, fi->fh);
	op.size = size;
	op.at = (uint64_t)at;
	op.what = plus;
	if (op.h)
		shown_read(op.h);
	if (!op.h)
		op_reply_err(&op, EBADF);
	else if (op_row(op.n) && op_row(op.n)->is_slow && op_row(op.n)->is_slow(op.t, op.n))
		op_later(&op, op_folder(&op));
	else
		op.run(&op);
}

void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi)
{
	readdir_any(req, ino, size, at, fi, false);
}

void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi)
{
	readdir_any(req, ino, size, at, fi, true);
}

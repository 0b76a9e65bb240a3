/* fs/op_files.c - opening, reading, writing, closing. */
#include "fs/op.h"

#include "fs/grant.h"
#include "fs/parked.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

/* What the receive loop granted for the request that this thread processes next. */
static __thread int granted_err;
static __thread struct handle *granted;

void fs_ops_granted(int err, struct handle *h)
{
	granted_err = err;
	granted = h;
}

static void give_back(struct op *op)
{
	grant_close(op->t, op->h);
	handle_put(op->t, op->h);
}

static void fill_open(struct op *op, const struct node_open *how)
{
	op->fi.fh = op->h->id;
	op->fi.direct_io = how->direct_io;
	op->fi.keep_cache = how->keep_cache;
	op->fi.noflush = how->noflush;
	op->fi.nonseekable = how->is_stream;
	op->fi.cache_readdir = op_row(op->n)->is_dir && op_row(op->n)->is_cached && !how->past_cache;
}

static void open_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct node_open how = {0};
	int err = row->open ? row->open(op->t, op->h, op->flags, &how) : row->is_dir ? 0 : EPERM;

	if (err) {
		give_back(op);
		op_reply_err(op, err);
		return;
	}
	fill_open(op, &how);
	/* Interrupted meanwhile: there will be no RELEASE. */
	if (fuse_reply_open(op->req, &op->fi) < 0)
		give_back(op);
	if (how.then_load)
		row->opened(op->t, op->n);
}

static unsigned mask_of(int flags)
{
	unsigned mask = (flags & O_ACCMODE) == O_RDONLY ? OP_READ : (flags & O_ACCMODE) == O_WRONLY ? OP_WRITE : OP_READ | OP_WRITE;

	return flags & O_TRUNC ? mask | OP_WRITE : mask;
}

void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, open_run);

	if (granted_err) {
		op_reply_err(&op, granted_err);
		return;
	}
	op.h = granted;
	op.fi = *fi;
	op.flags = fi->flags;
	if (op_is_refused(&op, mask_of(fi->flags)))
		give_back(&op);
	else
		op_unless_slow(&op);
}

void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	struct op op = op_of(req, parent, NULL);
	const struct node_row *row = op_row(op.n);
	struct fuse_entry_param param;
	struct node_entry entry;
	int err;

	(void)mode;
	if (granted_err) {
		op_reply_err(&op, granted_err);
		return;
	}
	op.h = granted;
	op.fi = *fi;
	if (op_is_refused(&op, OP_WRITE | OP_EXEC)) {
		give_back(&op);
		return;
	}
	err = row->create   ? row->create(op.t, op.h, op.n, name, &op.who, &entry)
	    : row->is_read_only ? EROFS
				: EPERM;
	if (err) {
		give_back(&op);
		op_reply_err(&op, err);
		return;
	}
	op.fi.fh = op.h->id;
	/* Who only writes has no use for pages, and the kernel then asks for no security.capability before it writes. */
	op.fi.direct_io = op.h->is_sys || (fi->flags & O_ACCMODE) == O_WRONLY;
	param = op_entry_param(&entry);
	op_remember(op.t, entry.node);
	if (fuse_reply_create(req, &param, &op.fi) < 0) {
		op_forget(op.t, entry.node, 1);
		give_back(&op);
	}
}

/* The session was given back when the request was received (loop.c). */
void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct handle *h = handle_of(&fs->tree, fi->fh);

	(void)ino;
	if (h && op_row(h->node)->readable)
		parked_forget(fs->parked, h->id);
	if (h)
		handle_put(&fs->tree, h);
	fuse_reply_err(req, 0);
}

/* ---- contents ---- */

void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct op op = op_of(req, ino, NULL);
	const struct node_row *row;
	char *octets;
	size_t n = 0;
	int err;

	op.h = handle_of(op.t, fi->fh);
	op.at = (uint64_t)at;
	op.size = size;
	op.flags = fi->flags;
	row = op.h ? op_row(op.h->node) : NULL;
	if (row && row->readable) {
		parked_read(fs->parked, &op);
		return;
	}
	octets = malloc(size);
	err = octets ? row && row->read ? row->read(op.t, op.h, op.at, octets, size, &n) : EBADF : ENOMEM;
	if (err)
		op_reply_err(&op, err);
	else
		fuse_reply_buf(req, octets, n);
	free(octets);
}

/* A file that does not wait is always ready. */
void fs_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	struct fs *fs = fuse_req_userdata(req);
	struct handle *h = handle_of(&fs->tree, fi->fh);
	const struct node_row *row = h ? op_row(h->node) : NULL;

	(void)ino;
	if (!row || !row->readable) {
		if (ph)
			fuse_pollhandle_destroy(ph);
		fuse_reply_poll(req, POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
		return;
	}
	/* First who is to be told, then the look: no line falls between them. */
	if (ph)
		parked_poll(fs->parked, h, ph);
	fuse_reply_poll(req, row->readable(&fs->tree, h) ? POLLIN | POLLRDNORM : 0);
}

static void write_run(struct op *op)
{
	const struct node_row *row = op_row(op->h->node);
	int err = EBADF;

	if (row->write && op->h->may_write)
		err = row->write(op->t, op->h, op->at, op->octets.p, op->octets.n);
	if (err)
		op_reply_err(op, err);
	else
		fuse_reply_write(op->req, op->octets.n);
}

void fs_write(fuse_req_t req, fuse_ino_t ino, const char *octets, size_t n, off_t at,
    struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, write_run);

	op.h = handle_of(op.t, fi->fh);
	op.at = (uint64_t)at;
	op.octets = str_view(octets, n);
	if (!op.h)
		op_reply_err(&op, EBADF);
	else if (op_row(op.h->node)->slow_writes)
		op_later(&op, op_folder(&op));
	else
		op.run(&op);
}

void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, NULL);
	struct handle *h = handle_of(op.t, fi->fh);
	const struct node_row *row = h ? op_row(h->node) : NULL;

	op_reply_err(&op, row && row->flush ? row->flush(op.t, h) : 0);
}

void fs_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, NULL);
	struct handle *h = handle_of(op.t, fi->fh);
	const struct node_row *row = h ? op_row(h->node) : NULL;

	(void)datasync;
	op_reply_err(&op, row && row->fsync ? row->fsync(op.t, h) : 0);
}

void fs_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	(void)fi;
	fuse_reply_err(req, 0); /* names are on the disk when the call that made them returns */
}

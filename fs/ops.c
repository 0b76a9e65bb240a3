/*
 * fs/ops.c - FUSE requests to operations of the tree, and answers back.
 *
 * A request is a struct op.  Most are run at once, on the receive loop's thread; whatever writes or
 * waits is copied and run in the mailbox's lane of the second pool, and so is what asks for names of a
 * folder into which a closed file is still on its way.
 */
#include "fs/ops.h"

#include "fs/grant.h"
#include "fs/mailop.h"
#include "fs/name.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define XATTR_USER "user."

struct op {
	fuse_req_t req;
	struct tree *t;
	void (*run)(struct op *op);
	struct node n, to;
	const char *name, *to_name;
	struct str_view octets;
	struct handle *h;
	struct fuse_file_info fi;
	uint64_t at;
	size_t size;
	struct stat st;
	unsigned what;
	int flags;
	struct caller who;
};

static __thread int granted_err;
static __thread struct handle *granted;

void fs_ops_granted(int err, struct handle *h)
{
	granted_err = err;
	granted = h;
}

/* ---- where an op runs --------------------------------------------------------------------------- */

static struct op op_of(fuse_req_t req, uint64_t ino, void (*run)(struct op *op))
{
	struct fs *fs = fuse_req_userdata(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct op){.req = req, .t = &fs->tree, .run = run, .n = node_of_ino(ino),
	    .who = {ctx->uid, ctx->gid, ctx->pid}};
}

static const struct node_row *row_of(struct node n)
{
	return node_rows[n.kind];
}

static struct fs_folder *folder_of(struct op *op)
{
	const struct node_row *row = row_of(op->n);

	return row && row->folder ? row->folder(op->t, op->n) : NULL;
}

static void run_copy(void *arg)
{
	struct op *op = arg;

	op->run(op);
	free((char *)op->name);
	free((char *)op->to_name);
	free((char *)op->octets.p);
	free(op);
}

static void run_later(struct op *op, struct fs_folder *f)
{
	struct op *copy = mem_alloc(sizeof *copy);
	char *octets;

	*copy = *op;
	if (op->name)
		copy->name = mem_str(op->name);
	if (op->to_name)
		copy->to_name = mem_str(op->to_name);
	if (op->octets.n > 0) {
		octets = mem_alloc(op->octets.n);
		memcpy(octets, op->octets.p, op->octets.n);
		copy->octets.p = octets;
	} else {
		copy->octets.p = NULL;
	}
	pool_put(op->t->pool, f ? &f->mailbox->lane : &op->t->sys_lane, run_copy, copy);
}

/* At once, unless a file closed before is not a message yet. */
static void run_in_turn(struct op *op)
{
	struct fs_folder *f = folder_of(op);

	if (f && mailop_is_pending(f))
		run_later(op, f);
	else
		op->run(op);
}

static void reply_err(struct op *op, int err)
{
	fuse_reply_err(op->req, err);
}

static struct fuse_entry_param entry_param(const struct node_entry *entry)
{
	return (struct fuse_entry_param){.ino = entry->node.kind == NODE_NONE ? 0 : node_ino(entry->node),
	    .attr = entry->st, .attr_timeout = entry->timeout_s, .entry_timeout = entry->timeout_s};
}

static void remember(struct tree *t, struct node n)
{
	if (row_of(n) && row_of(n)->remember)
		row_of(n)->remember(t, n);
}

static void forget(struct tree *t, struct node n, uint64_t lookups)
{
	if (row_of(n) && row_of(n)->forget)
		row_of(n)->forget(t, n, lookups);
}

static void reply_entry(struct op *op, int err, const struct node_entry *entry)
{
	struct fuse_entry_param param;

	if (err) {
		reply_err(op, err);
		return;
	}
	param = entry_param(entry);
	remember(op->t, entry->node);
	if (fuse_reply_entry(op->req, &param) < 0)
		forget(op->t, entry->node, 1);
}

/* ---- names and attributes -------------------------------------------------------------------------- */

static void lookup_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);
	struct node_entry entry;

	reply_entry(op, row && row->lookup ? row->lookup(op->t, op->n, op->name, &entry) : ENOTDIR,
	    &entry);
}

static void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, lookup_run);

	op.name = name;
	run_in_turn(&op);
}

static void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	struct fs *fs = fuse_req_userdata(req);

	forget(&fs->tree, node_of_ino(ino), lookups);
	fuse_reply_none(req);
}

static void getattr_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);
	struct stat st;
	int err = row ? row->attr(op->t, op->n, &st) : ESTALE;

	if (err)
		reply_err(op, err);
	else
		fuse_reply_attr(op->req, &st,
		    op->n.kind == NODE_message || op->n.kind == NODE_folder ? TREE_TIMEOUT_S : 0);
}

static void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, getattr_run);

	(void)fi;
	op.run(&op);
}

static void setattr_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);
	int err = EPERM;

	if (row && row->set)
		err = row->set(op->t, op->n, &op->st, op->what, &op->who);
	if (err)
		reply_err(op, err);
	else
		getattr_run(op);
}

static void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
    struct fuse_file_info *fi)
{
	static const struct {
		int fuse;
		unsigned what;
	} bits[] = {
	    {FUSE_SET_ATTR_MODE, NODE_SET_MODE},
	    {FUSE_SET_ATTR_UID, NODE_SET_UID},
	    {FUSE_SET_ATTR_GID, NODE_SET_GID},
	    {FUSE_SET_ATTR_SIZE, NODE_SET_SIZE},
	    {FUSE_SET_ATTR_MTIME, NODE_SET_MTIME},
	    {FUSE_SET_ATTR_ATIME, NODE_SET_ATIME},
	};
	struct op op = op_of(req, ino, setattr_run);

	(void)fi;
	op.st = *st;
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		if (to_set & bits[i].fuse)
			op.what |= bits[i].what;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &op.st.st_mtim);
	op.run(&op);
}

static void fs_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fuse_req_userdata(req);
	struct statvfs st;

	(void)ino;
	if (fstatvfs(site_dir_fd(fs->tree.site), &st) < 0) {
		fuse_reply_err(req, EIO);
		return;
	}
	st.f_namemax = NAME_MAX_BYTES;
	fuse_reply_statfs(req, &st);
}

/* ---- opening and closing ---------------------------------------------------------------------------- */

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
	op->fi.cache_readdir = row_of(op->n)->is_dir && row_of(op->n)->is_session;
}

static void open_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);
	struct node_open how = {0};
	int err = row->open ? row->open(op->t, op->h, op->flags, &how) : row->is_dir ? 0 : EPERM;

	if (err) {
		give_back(op);
		reply_err(op, err);
		return;
	}
	fill_open(op, &how);
	/* Interrupted meanwhile: there will be no RELEASE. */
	if (fuse_reply_open(op->req, &op->fi) < 0)
		give_back(op);
}

static void open_any(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, open_run);

	if (granted_err) {
		reply_err(&op, granted_err);
		return;
	}
	op.h = granted;
	op.fi = *fi;
	op.flags = fi->flags;
	run_in_turn(&op);
}

static void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	struct op op = op_of(req, parent, NULL);
	const struct node_row *row = row_of(op.n);
	struct fuse_entry_param param;
	struct node_entry entry;
	int err;

	(void)mode;
	if (granted_err) {
		reply_err(&op, granted_err);
		return;
	}
	op.h = granted;
	op.fi = *fi;
	err = row->create ? row->create(op.t, op.h, op.n, name, &op.who, &entry) : EPERM;
	if (err) {
		give_back(&op);
		reply_err(&op, err);
		return;
	}
	op.fi.fh = op.h->id;
	op.fi.direct_io = op.h->is_sys;
	param = entry_param(&entry);
	remember(op.t, entry.node);
	if (fuse_reply_create(req, &param, &op.fi) < 0) {
		forget(op.t, entry.node, 1);
		give_back(&op);
	}
}

/* The session was given back when the request was received (loop.c). */
static void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct handle *h = handle_of(&fs->tree, fi->fh);

	(void)ino;
	if (h)
		handle_put(&fs->tree, h);
	fuse_reply_err(req, 0);
}

/* ---- contents ------------------------------------------------------------------------------------------ */

static void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, NULL);
	struct handle *h = handle_of(op.t, fi->fh);
	const struct node_row *row = h ? row_of(h->node) : NULL;
	char *octets = malloc(size);
	size_t n = 0;
	int err = ENOMEM;

	if (octets)
		err = row && row->read ? row->read(op.t, h, (uint64_t)at, octets, size, &n) : EBADF;
	if (err)
		reply_err(&op, err);
	else
		fuse_reply_buf(req, octets, n);
	free(octets);
}

static void write_run(struct op *op)
{
	const struct node_row *row = row_of(op->h->node);
	int err = EBADF;

	if (row->write && op->h->may_write)
		err = row->write(op->t, op->h, op->at, op->octets.p, op->octets.n);
	if (err)
		reply_err(op, err);
	else
		fuse_reply_write(op->req, op->octets.n);
}

static void fs_write(fuse_req_t req, fuse_ino_t ino, const char *octets, size_t n, off_t at,
    struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, write_run);

	op.h = handle_of(op.t, fi->fh);
	op.at = (uint64_t)at;
	op.octets = str_view(octets, n);
	if (!op.h)
		reply_err(&op, EBADF);
	else if (row_of(op.h->node)->slow_writes)
		run_later(&op, NULL);
	else
		op.run(&op);
}

static void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, NULL);
	struct handle *h = handle_of(op.t, fi->fh);
	const struct node_row *row = h ? row_of(h->node) : NULL;

	reply_err(&op, row && row->flush ? row->flush(op.t, h) : 0);
}

static void fs_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, NULL);
	struct handle *h = handle_of(op.t, fi->fh);
	const struct node_row *row = h ? row_of(h->node) : NULL;

	(void)datasync;
	reply_err(&op, row && row->fsync ? row->fsync(op.t, h) : 0);
}

static void fs_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	(void)fi;
	fuse_reply_err(req, 0); /* names are on the disk when the call that made them returns */
}

/* ---- listing --------------------------------------------------------------------------------------------- */

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
	struct fuse_entry_param param = entry_param(entry);
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
		remember(l->op->t, entry->node);
	return true;
}

static int list(struct listing *l, uint64_t after)
{
	static const char *const dots[] = {".", ".."};
	struct node_entry self = {.node = {NODE_NONE, 0, 0}, .st.st_mode = S_IFDIR, .st.st_ino = 1};
	const struct node_row *row = row_of(l->op->n);

	if (!row || !row->list)
		return ENOTDIR;
	for (; after < COOKIE_TREE; after++)
		if (!put_entry(l, dots[after], &self, after + 1))
			return 0;
	return row->list(l->op->t, l->op->n, after - COOKIE_TREE, emit, l);
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
		reply_err(op, err);
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
		op.run(&op);
	else
		reply_err(&op, EBADF);
}

static void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi)
{
	readdir_any(req, ino, size, at, fi, false);
}

static void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi)
{
	readdir_any(req, ino, size, at, fi, true);
}

/* ---- what changes names: always in the lane ----------------------------------------------------------------- */

static void unlink_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);

	reply_err(op, row && row->unlink ? row->unlink(op->t, op->n, op->name) : EPERM);
}

static void rmdir_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);

	reply_err(op, row && row->rmdir ? row->rmdir(op->t, op->n, op->name) : EPERM);
}

static void mkdir_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);
	struct node_entry entry;

	reply_entry(op, row && row->mkdir ? row->mkdir(op->t, op->n, op->name, &entry) : EPERM, &entry);
}

static void rename_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);
	int err = EXDEV;

	if (op->what & ~(unsigned)RENAME_NOREPLACE)
		err = EINVAL;
	else if (!row || !row->rename)
		err = EPERM;
	else if (op->to.kind == op->n.kind)
		err = row->rename(op->t, op->n, op->name, op->to, op->to_name, op->what & RENAME_NOREPLACE);
	reply_err(op, err);
}

static void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, unlink_run);

	op.name = name;
	run_later(&op, folder_of(&op));
}

static void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, rmdir_run);

	op.name = name;
	run_later(&op, folder_of(&op));
}

static void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct op op = op_of(req, parent, mkdir_run);

	(void)mode;
	op.name = name;
	run_later(&op, folder_of(&op));
}

static void fs_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to,
    const char *to_name, unsigned flags)
{
	struct op op = op_of(req, parent, rename_run);

	op.name = name;
	op.to = node_of_ino(to);
	op.to_name = to_name;
	op.what = flags;
	run_later(&op, folder_of(&op));
}

/* There are no second names for a message, and nothing but files and folders. */
static void fs_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link;
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

static void fs_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino;
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

static void fs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)dev;
	fuse_reply_err(req, EPERM);
}

/* ---- extended attributes ---------------------------------------------------------------------------------------- */

/* Anything but user. is EOPNOTSUPP: then ls asks once, and not for each file (mount.md, 1.4). */
static bool is_user_xattr(const char *name)
{
	return strncmp(name, XATTR_USER, strlen(XATTR_USER)) == 0;
}

static void reply_xattr(fuse_req_t req, int err, const struct str_buf *value, size_t size)
{
	if (err)
		fuse_reply_err(req, err);
	else if (size == 0)
		fuse_reply_xattr(req, value->n);
	else if (size < value->n)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value->p ? value->p : "", value->n);
}

static void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct op op = op_of(req, ino, NULL);
	const struct node_row *row = row_of(op.n);
	struct str_buf value = {0};
	int err = EOPNOTSUPP;

	if (is_user_xattr(name))
		err = row && row->getxattr ? row->getxattr(op.t, op.n, name, &value) : ENODATA;
	reply_xattr(req, err, &value, size);
	str_buf_fini(&value);
}

static void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct op op = op_of(req, ino, NULL);
	struct str_buf names = {0};

	if (row_of(op.n) && row_of(op.n)->listxattr)
		row_of(op.n)->listxattr(op.t, op.n, &names);
	reply_xattr(req, 0, &names, size);
	str_buf_fini(&names);
}

static void setxattr_run(struct op *op)
{
	const struct node_row *row = row_of(op->n);
	int err = EOPNOTSUPP;

	if (is_user_xattr(op->name))
		err = row && row->setxattr ? row->setxattr(op->t, op->n, op->name, op->octets) : EPERM;
	reply_err(op, err);
}

static void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
    size_t n, int flags)
{
	struct op op = op_of(req, ino, setxattr_run);

	(void)flags;
	op.name = name;
	op.octets = str_view(value, n);
	run_later(&op, folder_of(&op));
}

static void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	fuse_reply_err(req, is_user_xattr(name) ? EPERM : EOPNOTSUPP);
}

/* ---- the kernel is told ------------------------------------------------------------------------------------------ */

static void tell_inode(void *arg, uint64_t ino, bool contents)
{
	struct fs *fs = arg;

	/* -ENOENT: the kernel did not know it. */
	fuse_lowlevel_notify_inval_inode(fs->se, ino, contents ? 0 : -1, 0);
}

static void tell_entry(void *arg, uint64_t parent_ino, const char *name)
{
	struct fs *fs = arg;

	fuse_lowlevel_notify_inval_entry(fs->se, parent_ino, name, strlen(name));
}

static void end_handle(void *arg, uint64_t id)
{
	struct fs *fs = arg;
	struct handle *h = handle_get(&fs->tree, id);

	if (!h)
		return;
	log_info("session-ended", "uid=%u by=administrator", (unsigned)h->uid);
	handle_end_session(h, true);
	tell_inode(fs, node_ino(h->node), true);
	handle_put(&fs->tree, h);
}

static void mailbox_rang(void *arg, void *mailbox)
{
	struct fs *fs = arg;
	struct mailbox *mb = mailbox;
	struct err e;

	if (!mb) {
		tree_tick(&fs->tree);
		return;
	}
	atomic_store(&mb->has_rung, false);
	/* What failed is in the log, and is asked again by the next who opens. */
	if (mb->is_listed && mailbox_sync(mb, &e) < 0)
		return;
}

const struct teller_ops fs_teller_ops = {
	.inode = tell_inode,
	.entry = tell_entry,
	.end = end_handle,
	.rang = mailbox_rang,
};

/* ---- the session ---------------------------------------------------------------------------------------------------- */

static void fs_init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned leave = FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_WRITEBACK_CACHE |
	    FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS | FUSE_CAP_POSIX_ACL | FUSE_CAP_SPLICE_READ |
	    FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_NO_OPEN_SUPPORT |
	    FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_EXPORT_SUPPORT;
	const unsigned take = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA |
	    FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO;

	(void)userdata;
	conn->want |= take & conn->capable;
	conn->want &= ~leave;
	/* With the kernel's 12, RELEASEs are held back behind other background requests, and the slots
	 * they would free with them (mount.md, section 4). */
	conn->max_background = 256;
	conn->congestion_threshold = 192;
}

const struct fuse_lowlevel_ops fs_ops = {
	.init = fs_init,
	.lookup = fs_lookup,
	.forget = fs_forget,
	.getattr = fs_getattr,
	.setattr = fs_setattr,
	.mknod = fs_mknod,
	.mkdir = fs_mkdir,
	.unlink = fs_unlink,
	.rmdir = fs_rmdir,
	.symlink = fs_symlink,
	.rename = fs_rename,
	.link = fs_link,
	.open = open_any,
	.read = fs_read,
	.write = fs_write,
	.flush = fs_flush,
	.release = fs_release,
	.fsync = fs_fsync,
	.opendir = open_any,
	.readdir = fs_readdir,
	.readdirplus = fs_readdirplus,
	.releasedir = fs_release,
	.fsyncdir = fs_fsyncdir,
	.statfs = fs_statfs,
	.setxattr = fs_setxattr,
	.getxattr = fs_getxattr,
	.listxattr = fs_listxattr,
	.removexattr = fs_removexattr,
	.create = fs_create,
};

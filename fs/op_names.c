/* fs/op_names.c - names and attributes. */
#include "fs/op.h"

#include "fs/bell.h"
#include "fs/name.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/statvfs.h>

static void lookup_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct node_entry entry;
	int err = ENOTDIR;

	if (bell_hides(op->t->bell, op->who.tid, op->n, op->name)) {
		op_reply_err(op, ENOENT);
		return;
	}
	if (row && row->lookup_for)
		err = row->lookup_for(op->t, op->n, op->name, &op->who, &entry);
	else if (row && row->lookup)
		err = row->lookup(op->t, op->n, op->name, &entry);
	op_reply_entry(op, err, &entry);
}

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, lookup_run);

	op.name = name;
	if (!op_is_refused(&op, OP_EXEC))
		op_unless_slow(&op);
}

void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	struct fs *fs = fuse_req_userdata(req);

	op_forget(&fs->tree, node_of_ino(ino), lookups);
	fuse_reply_none(req);
}

static void getattr_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct stat st;
	int err = row ? row->attr(op->t, op->n, &st) : ESTALE;

	if (err)
		op_reply_err(op, err);
	else
		fuse_reply_attr(op->req, &st,
		    row->is_cached ? TREE_TIMEOUT_S : 0);
}

void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op = op_of(req, ino, getattr_run);

	(void)fi;
	op.run(&op);
}

static void setattr_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	int err = EPERM;

	if (bell_is_ringer(op->t->bell, op->who.tid))
		err = 0; /* nothing is set: watchers hear of it, which is all he wants */
	else if (row && row->set)
		err = row->set(op->t, op->n, &op->st, op->what, &op->who);
	if (err)
		op_reply_err(op, err);
	else
		getattr_run(op);
}

void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
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
	if (op_is_refused(&op, OP_WRITE))
		return;
	if ((op.what & NODE_SET_MTIME) && op_row(op.n) && op_row(op.n)->slow_times)
		op_later(&op, op_folder(&op));
	else
		op_when_settled(&op);
}

/* The disk's, unless the node knows better. */
static void statfs_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct statvfs st;
	int err = fstatvfs(site_dir_fd(op->t->site), &st) < 0 ? EIO : 0;

	st.f_namemax = NAME_MAX_BYTES;
	if (!err && row && row->statfs)
		err = row->statfs(op->t, op->n, &st);
	if (err)
		op_reply_err(op, err);
	else
		fuse_reply_statfs(op->req, &st);
}

void fs_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct op op = op_of(req, ino, statfs_run);

	op.run(&op);
}

static void readlink_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct str_buf target = {0};
	int err = row && row->readlink ? row->readlink(op->t, op->n, &target) : EINVAL;

	if (err)
		op_reply_err(op, err);
	else
		fuse_reply_readlink(op->req, target.p ? target.p : "");
	str_buf_fini(&target);
}

void fs_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct op op = op_of(req, ino, readlink_run);

	if (!op_is_refused(&op, 0))
		op.run(&op);
}

/* ---- what changes names: always in the lane ---- */

/* Of a row that can't. */
static int refusal(const struct node_row *row)
{
	return row && row->is_read_only ? EROFS : EPERM;
}

static void unlink_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);

	op_reply_err(op, row && row->unlink ? row->unlink(op->t, op->n, op->name) : refusal(row));
}

static void rmdir_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);

	op_reply_err(op, row && row->rmdir ? row->rmdir(op->t, op->n, op->name) : refusal(row));
}

static void mkdir_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct node_entry entry;

	op_reply_entry(op,
	    row && row->mkdir ? row->mkdir(op->t, op->n, op->name, &entry) : refusal(row), &entry);
}

static void rename_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	int err;

	if (op->what & ~(unsigned)RENAME_NOREPLACE)
		err = EINVAL;
	else if (!row || !row->rename)
		err = refusal(row);
	else if (op_row(op->to) && op_row(op->to)->is_read_only)
		err = EROFS;
	else
		err = row->rename(op->t, op->n, op->name, op->to, op->to_name, op->what & RENAME_NOREPLACE);
	op_reply_err(op, err);
}

void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, unlink_run);

	op.name = name;
	if (!op_is_refused(&op, OP_WRITE | OP_EXEC))
		op_later(&op, op_folder(&op));
}

void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, rmdir_run);

	op.name = name;
	if (!op_is_refused(&op, OP_WRITE | OP_EXEC))
		op_later(&op, op_folder(&op));
}

void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct op op = op_of(req, parent, mkdir_run);

	(void)mode;
	op.name = name;
	if (!op_is_refused(&op, OP_WRITE | OP_EXEC))
		op_later(&op, op_folder(&op));
}

void fs_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to,
    const char *to_name, unsigned flags)
{
	struct op op = op_of(req, parent, rename_run);
	int err;

	op.name = name;
	op.to = node_of_ino(to);
	op.to_name = to_name;
	op.what = flags;
	if ((err = op_refusal(&op, op.to, OP_WRITE | OP_EXEC)))
		op_reply_err(&op, err);
	else if (!op_is_refused(&op, OP_WRITE | OP_EXEC))
		op_later(&op, op_folder(&op));
}

static void link_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct node_entry entry;

	op_reply_entry(op,
	    row && row->link ? row->link(op->t, op->n, op->name, op->to, &entry) : refusal(row), &entry);
}

void fs_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, link_run);

	op.name = name;
	op.to = node_of_ino(ino);
	if (!op_is_refused(&op, OP_WRITE | OP_EXEC))
		op_later(&op, op_folder(&op));
}

/* Nothing but files and folders is made. */
void fs_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link;
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

/* But for the doorbell's ringer: what he makes is there. */
void fs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
	struct op op = op_of(req, parent, lookup_run);

	(void)mode;
	(void)dev;
	op.name = name;
	if (bell_is_ringer(op.t->bell, op.who.tid))
		op_in_turn(&op);
	else
		op_reply_err(&op, EPERM);
}

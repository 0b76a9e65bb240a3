/* fs/ops.c - the table of operations, and what the kernel is told. */
#include "fs/op.h"
#include "fs/parked.h"

#include "base/log.h"

#include <string.h>

/* ---- the kernel is told ---- */

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

static void wake_readers(void *arg)
{
	struct fs *fs = arg;

	parked_wake(fs->parked);
}

const struct teller_ops fs_teller_ops = {
	.inode = tell_inode,
	.entry = tell_entry,
	.end = end_handle,
	.rang = mailbox_rang,
	.readable = wake_readers,
};

/* ---- the session ---- */

static void fs_init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned leave = FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_WRITEBACK_CACHE |
	    FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS | FUSE_CAP_POSIX_ACL | FUSE_CAP_SPLICE_READ |
	    FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_NO_OPEN_SUPPORT |
	    FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_CACHE_SYMLINKS;
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
	.open = fs_open,
	.read = fs_read,
	.write = fs_write,
	.flush = fs_flush,
	.release = fs_release,
	.fsync = fs_fsync,
	.opendir = fs_open,
	.readdir = fs_readdir,
	.readdirplus = fs_readdirplus,
	.releasedir = fs_release,
	.fsyncdir = fs_fsyncdir,
	.readlink = fs_readlink,
	.statfs = fs_statfs,
	.setxattr = fs_setxattr,
	.getxattr = fs_getxattr,
	.listxattr = fs_listxattr,
	.removexattr = fs_removexattr,
	.create = fs_create,
	.poll = fs_poll,
};

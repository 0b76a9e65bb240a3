/*
 * A FUSE request on its way through the tree.  Most are run at once, on the receive loop's thread;
 * whatever writes or waits is copied and run in the mailbox's lane of the second pool, and so is what
 * asks for names of a folder into which a closed file is still on its way.
 */
#ifndef FS_OP_H
#define FS_OP_H

#include "fs/ops.h"

struct op {
	fuse_req_t req;
	struct tree *t;
	void (*run)(struct op *op);
	struct node n, to;
	const char *name, *to_name;
	struct str_view octets;
	struct handle *h;
	struct fuse_file_info fi;
	void (*then)(struct op *op); /* once it is settled what the node is */
	uint64_t at;
	size_t size;
	struct stat st;
	unsigned what;
	int flags;
	struct caller who;
};

struct op op_of(fuse_req_t req, uint64_t ino, void (*run)(struct op *op));
/* NULL for a number that is no node's. */
const struct node_row *op_row(struct node n);
/* The folder op's node stands in; NULL outside mailboxes. */
struct fs_folder *op_folder(struct op *op);

/* In one user's own mount: EACCES where n does not let its owner do that, or is another's. */
enum { OP_EXEC = 1, OP_WRITE = 2, OP_READ = 4 };
int op_refusal(const struct op *op, struct node n, unsigned mask);
/* The same of op's node; true: it was answered. */
bool op_is_refused(struct op *op, unsigned mask);

/* A copy of op is run in the lane of f's mailbox; NULL: in that of sys/. */
void op_later(struct op *op, struct fs_folder *f);
/* At once, unless a file closed before is not a message yet. */
void op_in_turn(struct op *op);
/* At once, unless the node is a closed file that is no message yet: then in the lane, and what it has become is asked by
 * its name (ESTALE). */
void op_when_settled(struct op *op);
/* The same, in the lane in any case. */
void op_later_settled(struct op *op);
/* As op_in_turn for what asks for names: in the lane too where the directory's answer takes long. */
void op_unless_slow(struct op *op);

void op_reply_err(struct op *op, int err);
void op_reply_entry(struct op *op, int err, const struct node_entry *entry);
struct fuse_entry_param op_entry_param(const struct node_entry *entry);

/* The kernel holds a node's number once more, and so many times less. */
void op_remember(struct tree *t, struct node n);
void op_forget(struct tree *t, struct node n, uint64_t lookups);

/* The handlers, for the table in ops.c. */
void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups);
void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi);
void fs_readlink(fuse_req_t req, fuse_ino_t ino);
void fs_statfs(fuse_req_t req, fuse_ino_t ino);
void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void fs_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name,
    unsigned flags);
void fs_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name);
void fs_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void fs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev);
void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi);
void fs_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph);
void fs_write(fuse_req_t req, fuse_ino_t ino, const char *octets, size_t n, off_t at, 
    struct fuse_file_info *fi);
void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void fs_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi);
void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi);
void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t n, int flags);
void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

#endif

/* FUSE to tree: the low-level operations, and what the kernel is told. Only op*.c, loop.c and main.c
 * know FUSE. */
#ifndef FS_OPS_H
#define FS_OPS_H

#define FUSE_USE_VERSION 314

#include "fs/tree.h"

#include <fuse_lowlevel.h>

extern const struct fuse_lowlevel_ops fs_ops;

struct parked_reads;

/* The session's userdata. */
struct fs {
	struct tree tree;
	struct fuse_session *se;
	struct parked_reads *parked;
};

/* The teller's hands: arg is a struct fs. */
extern const struct teller_ops fs_teller_ops;

/* What the receive loop granted for the request that this thread processes next. */
void fs_ops_granted(int err, struct handle *h);

#endif

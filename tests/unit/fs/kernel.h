/*
 * The kernel's side of a mount, for tests: requests as the kernel writes them, over a socket in the place of
 * /dev/fuse (fuse_session_custom_io), so that every operation is tested where there is no FUSE.  One request at
 * a time; what the file system tells of itself (FUSE_NOTIFY_*) is kept for the test to look at.
 *
 * Calls return 0, or the errno value of the answer.
 */
#ifndef TEST_FS_KERNEL_H
#define TEST_FS_KERNEL_H

#include "fs/ops.h"
#include "fs/loop.h"
#include "support.h"

#include <linux/fuse.h>

#define KERNEL_NOTICES 256
#define KERNEL_ANSWERS 16

struct kernel_notice {
	int code; /* enum fuse_notify_code */
	uint64_t node;
	char name[256];
};

struct kernel_answer {
	uint64_t unique;
	int err;
};

struct kernel {
	struct support site;
	struct fs *fs;
	struct loop *loop;
	int fd;
	uint64_t unique;
	uint32_t uid, pid; /* who asks */
	char *reply;       /* the last answer, behind its header */
	size_t reply_n;
	struct kernel_notice notices[KERNEL_NOTICES];
	size_t notices_n;
	struct kernel_answer answers[KERNEL_ANSWERS]; /* that came while another was waited for */
	size_t answers_n;
};

/* A site with alice and bob, its file system served. */
void kernel_begin(struct kernel *k);
void kernel_end(struct kernel *k);
/* Ends the file system as SIGTERM does, and serves the same store again. */
void kernel_remount(struct kernel *k);

/* Any request: its argument, then up to two names, each with its NUL, or octets. */
int kernel_ask(struct kernel *k, uint32_t opcode, uint64_t node, const void *in, size_t in_n,
    const char *name, const void *more, size_t more_n);
/* Sends without waiting; the answer is taken with kernel_wait, in any order where only its error counts. */
uint64_t kernel_send(struct kernel *k, uint32_t opcode, uint64_t node, const void *in, size_t in_n,
    const char *name, const void *more, size_t more_n);
int kernel_wait(struct kernel *k, uint64_t unique);
/* Waits until a notice of this code came, about this node and name (NULL: any). */
void kernel_wait_notice(struct kernel *k, int code, uint64_t node, const char *name);

int kernel_lookup(struct kernel *k, uint64_t dir, const char *name, struct fuse_entry_out *entry_r);
/* Names from the root on: the test fails where one is missing. */
uint64_t kernel_node(struct kernel *k, const char *path);
int kernel_attr(struct kernel *k, uint64_t node, struct fuse_attr *attr_r);
int kernel_open(struct kernel *k, uint64_t node, int flags, struct fuse_open_out *open_r);
int kernel_opendir(struct kernel *k, uint64_t node, struct fuse_open_out *open_r);
int kernel_release(struct kernel *k, uint64_t node, uint64_t fh);
int kernel_releasedir(struct kernel *k, uint64_t node, uint64_t fh);
int kernel_create(struct kernel *k, uint64_t dir, const char *name, struct fuse_entry_out *entry_r,
    struct fuse_open_out *open_r);
int kernel_write(struct kernel *k, uint64_t node, uint64_t fh, uint64_t at, const char *octets, size_t n);
int kernel_flush(struct kernel *k, uint64_t node, uint64_t fh);
int kernel_read(struct kernel *k, uint64_t node, uint64_t fh, uint64_t at, uint32_t n);
int kernel_rename(struct kernel *k, uint64_t dir, const char *name, uint64_t to, const char *to_name,
    uint32_t flags);
int kernel_setxattr(struct kernel *k, uint64_t node, const char *name, const char *value);
/* The value is the reply. */
int kernel_getxattr(struct kernel *k, uint64_t node, const char *name);
int kernel_setattr(struct kernel *k, uint64_t node, const struct fuse_setattr_in *in);
/* The names in a directory, one a line, "." and ".." left out; opens it and closes it. */
int kernel_list(struct kernel *k, uint64_t node, bool plus, struct str_buf *names);
/* A whole file: opens it, reads it in slices, closes it. */
int kernel_cat(struct kernel *k, uint64_t node, struct str_buf *octets);
/* A whole file written and closed: CREATE, WRITE, FLUSH, RELEASE; the first that fails. */
int kernel_put(struct kernel *k, uint64_t dir, const char *name, const char *text);

#endif

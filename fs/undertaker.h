/*
 * A process beside the daemon that takes the mount away when the daemon was killed.
 *
 * A dead mount answers ENOTCONN to everybody until somebody unmounts it; and it may not even be dead:
 * a thread that was telling the kernel of a new message waits for the folder's lock, which a cp holds until
 * it is answered by the daemon that no longer answers.  A SIGKILL does not reach a thread that waits so;
 * the process keeps /dev/fuse open and its place in the process table, and nobody, neither who waits for a
 * file nor who would restart the daemon, sees that it is gone.  The kernel tells this process.
 */
#ifndef FS_UNDERTAKER_H
#define FS_UNDERTAKER_H

#include "base/err.h"

#include <sys/types.h>

struct undertaker {
	pid_t pid;
	int fd; /* on which it is told the device of the mount */
};

/* Before there are threads and locks.  keep_fd: a descriptor that it is to have open, and nobody else, as long as the
 * daemon lives; -1: none. */
WARN_UNUSED int undertaker_start(struct undertaker *u, int keep_fd, struct err *e);
/* It is mounted at this real path now. */
void undertaker_tell(const struct undertaker *u, const char *real);
/* The mount is gone by itself. */
void undertaker_end(struct undertaker *u);

#endif

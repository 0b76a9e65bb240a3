/*
 * Files and locks: whole reads and writes, durable replacement, OFD locks.  Locks are always
 * open-file-description locks: a POSIX lock is lost when any descriptor of the file is closed.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/err.h"
#include "base/str.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* All of n bytes, through EINTR and short writes.  -1 with errno. */
int io_write_all(int fd, const void *bytes, size_t n);
int io_pwrite_all(int fd, const void *bytes, size_t n, off_t at);
/* Up to n bytes, fewer only at end of file; the number read, or -1 with errno. */
ssize_t io_pread_all(int fd, void *bytes, size_t n, off_t at);
ssize_t io_read_all(int fd, void *bytes, size_t n);

/* The whole of a file, at most max_bytes (else TOOBIG), appended to out. */
WARN_UNUSED int io_read_file(int dir_fd, const char *name, size_t max_bytes, struct str_buf *out,
    struct err *e);
/* Replaces a file durably: a new file, fsync, rename, fsync of the folder. */
WARN_UNUSED int io_replace_file(int dir_fd, const char *name, const void *bytes, size_t n,
    mode_t mode, struct err *e);
/* Opens a file for reading and writing; one that it makes gets this mode, whatever the umask.  -1: errno. */
WARN_UNUSED int io_open_or_make(int dir_fd, const char *name, mode_t mode);
/* Makes a folder and its missing parents, of this mode whatever the umask (and of the set-group-id bit
 * of the parent), each fsynced into its parent.  EEXIST is no error. */
WARN_UNUSED int io_mkdir_all(int dir_fd, const char *path, mode_t mode, struct err *e);
/* The absolute path of what is open, as it is now; its length, or -1 with errno.  Whoever must open by path, because a
 * library knows no other way, has it from here just before. */
WARN_UNUSED ssize_t io_path_of(int fd, char path[PATH_MAX]);

/* OFD locks of one byte (or of n bytes, n = 0: to the end of the file).  -1 with errno;
 * io_try_lock: EAGAIN when somebody else holds it. */
int io_lock_wait(int fd, off_t at, off_t n);
int io_try_lock(int fd, off_t at, off_t n);
int io_unlock(int fd, off_t at, off_t n);
/* Whether another open file holds a lock in the range: 1, 0, or -1 with errno. */
int io_is_locked(int fd, off_t at, off_t n);
/* The same as io_lock_wait but gives up after wait_ms: -1 with errno ETIMEDOUT. */
int io_lock_until(int fd, off_t at, off_t n, int64_t wait_ms);

/* Random bytes from the kernel; can't fail. */
void io_random(void *bytes, size_t n);

#endif

/*
 * The runtime folder of a site: where locks, counts and sockets live, from one boot of the host to
 * the next.  Two processes of a site that used different runtime folders would be two lock domains
 * and count apart, so opening one is strict: see runtime.c.
 */
#ifndef LIMITS_RUNTIME_PRIV_H
#define LIMITS_RUNTIME_PRIV_H

#include "base/err.h"

#include <stdbool.h>

/* The folders in it. */
#define RUNTIME_USERS "user"
#define RUNTIME_SERVICES "service"
#define RUNTIME_ROSTERS "roster"
#define RUNTIME_CONTROLS "control"

/*
 * Opens (makes, empties after a boot) the runtime folder of the store at store_fd.  path is
 * relative to the store or absolute.  *hold_fd_r holds a shared lock for as long as it is open:
 * that this process uses this store with this runtime folder.
 */
WARN_UNUSED int runtime_open(int store_fd, const char *path, const char *token, int *fd_r,
    int *hold_fd_r, struct err *e);

/* UNSUPPORTED where fd is on a network or FUSE file system, whose locks are not the kernel's. */
WARN_UNUSED int runtime_check_fs(int fd, const char *what, struct err *e);

/* The modes of design: 2770 and 0660, and the group `postern` where the machine has one. */
#define RUNTIME_DIR_MODE 02770
#define RUNTIME_FILE_MODE 0660
WARN_UNUSED int runtime_own_dir(int fd, struct err *e);

#endif

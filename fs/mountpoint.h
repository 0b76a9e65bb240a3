/* The folder to mount on, and the device: whether they can serve, and if not, what to do about it. */
#ifndef FS_MOUNTPOINT_H
#define FS_MOUNTPOINT_H

#include "base/err.h"

#include <limits.h>

/* Clears away a mount whose daemon died.  The path without links in real_r: once it is mounted, asking for that
 * would be a request.  The errors are sentences for people. */
WARN_UNUSED int mountpoint_check(const char *path, char real_r[PATH_MAX], struct err *e);

#endif

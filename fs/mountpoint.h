/* The folder to mount on, and the device: whether they can serve, and if not, what to do about it. */
#ifndef FS_MOUNTPOINT_H
#define FS_MOUNTPOINT_H

#include "base/err.h"

/* Clears away a mount whose daemon died.  The errors are sentences for people. */
WARN_UNUSED int mountpoint_check(const char *path, struct err *e);

#endif

/* How an error of the layers below sounds in a system call. */
#ifndef FS_ERR_MAP_H
#define FS_ERR_MAP_H

#include "base/err.h"

int fs_errno(const struct err *e);

#endif

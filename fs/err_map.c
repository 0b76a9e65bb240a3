/* fs/err_map.c - error meanings as errno values (mount.md, section 3).  No default: a new meaning does
 * not build until it is said here how it sounds. */
#include "fs/err_map.h"

#include <errno.h>

int fs_errno(const struct err *e)
{
	switch (e->code) {
	case ERR_NONE:
		return 0;
	case ERR_INVALID:
		return EINVAL;
	case ERR_NOTFOUND:
		return ENOENT;
	case ERR_EXISTS:
		return EEXIST;
	case ERR_PERM:
		return EPERM;
	case ERR_AUTH:
		return EACCES;
	case ERR_BUSY:
	case ERR_TEMP:
		return EAGAIN;
	case ERR_LIMIT:
		return EUSERS;
	case ERR_QUOTA:
		return EDQUOT;
	case ERR_TOOBIG:
		return EFBIG;
	case ERR_EXPUNGED:
		return ESTALE;
	case ERR_UNSUPPORTED:
		return EOPNOTSUPP;
	case ERR_NOSPACE:
		return ENOSPC;
	case ERR_CORRUPT:
	case ERR_UNAVAILABLE:
	case ERR_IO:
	case ERR_BUG:
		return EIO;
	}
	return EIO;
}

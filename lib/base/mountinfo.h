/* The mounts of postern's among all mounts (proc(5), mountinfo): asked without asking who serves them. */
#ifndef BASE_MOUNTINFO_H
#define BASE_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>

struct mountinfo {
	char device[32]; /* "0:57" */
	char path[PATH_MAX];
};

/* The uppermost mount of postern's at this real path, or of this device (the other is NULL). */
bool mountinfo_find(const char *path, const char *device, struct mountinfo *found_r);
/* The real path of what may be a dead mount, which realpath(3) can't tell: its folder's, and its name. */
bool mountinfo_real_path(const char *path, char real_r[PATH_MAX]);

#endif

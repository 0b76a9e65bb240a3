/* fs/mountpoint.c - may we mount here? */
#include "fs/mountpoint.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_device(struct err *e)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return err_set(e, ERR_UNAVAILABLE,
		    "there is no /dev/fuse: load it with `modprobe fuse`; a container needs "
		    "`--device /dev/fuse --cap-add SYS_ADMIN`");
	return err_sys(e, ERR_PERM, errno, "can't open /dev/fuse (run as root?)");
}

/* Whether a mount of ours stands there: the fifth field of mountinfo is the place, the first behind
 * " - " the type. */
static bool is_ours(const char *path)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, place[PATH_MAX], *dash;
	bool found = false;
	size_t size = 0;

	if (!f)
		return false;
	while (!found && getline(&line, &size, f) > 0)
		if (sscanf(line, "%*s %*s %*s %*s %4095s", place) == 1 && (dash = strstr(line, " - ")))
			found = strcmp(place, path) == 0 && strncmp(dash + 3, "fuse.postern ", 13) == 0;
	free(line);
	fclose(f);
	return found;
}

int mountpoint_check(const char *path, struct err *e)
{
	char real[PATH_MAX];
	struct stat st;

	if (check_device(e) < 0)
		return -1;
	if (stat(path, &st) < 0 && errno == ENOTCONN) {
		/* A daemon was killed here: its mount stays, and serves nobody. */
		log_info("dead-mount-removed", "path=%s", LOG_Q(path));
		if (umount2(path, MNT_DETACH) < 0)
			return err_sys(e, ERR_BUSY, errno,
			    "a dead mount is in the way; try `umount -l %.100s`", path);
	}
	if (stat(path, &st) < 0) {
		if (errno == ENOENT)
			return err_set(e, ERR_NOTFOUND,
			    "mount point %.100s does not exist: make it with `mkdir`", path);
		return err_sys(e, ERR_IO, errno, "mount point %.100s", path);
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "mount point %.100s is not a directory", path);
	if (realpath(path, real) && is_ours(real))
		return err_set(e, ERR_EXISTS,
		    "a postern mount is at %.100s already: use it, or `umount` it first", path);
	return 0;
}

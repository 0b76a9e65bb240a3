/* fs/mountpoint.c - may we mount here? */
#include "fs/mountpoint.h"

#include "base/log.h"
#include "base/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define CLEAR_STEP_NS 50000000
#define CLEAR_STEPS 40

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

/* Not by stat(2), which the kernel may answer from what it keeps of the top. */
static bool is_dead(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

/* A daemon was killed here.  Its undertaker is given time, so that it does not meet what is mounted next; where it
 * was killed too, the mount stays, and serves nobody. */
static int clear(const char *path, struct err *e)
{
	const struct timespec step = {0, CLEAR_STEP_NS};

	for (int i = 0; i < CLEAR_STEPS && is_dead(path); i++)
		nanosleep(&step, NULL);
	if (!is_dead(path))
		return 0;
	if (umount2(path, MNT_FORCE | MNT_DETACH) < 0)
		return err_sys(e, ERR_BUSY, errno, "a dead mount is in the way; try `umount -f -l %.100s`", path);
	log_info("dead-mount-removed", "path=%s", LOG_Q(path));
	return 0;
}

int mountpoint_check(const char *path, char real_r[PATH_MAX], struct err *e)
{
	struct mountinfo mount;
	struct stat st;

	if (check_device(e) < 0 || clear(path, e) < 0)
		return -1;
	if (stat(path, &st) < 0) {
		if (errno == ENOENT)
			return err_set(e, ERR_NOTFOUND,
			    "mount point %.100s does not exist: make it with `mkdir`", path);
		return err_sys(e, ERR_IO, errno, "mount point %.100s", path);
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "mount point %.100s is not a directory", path);
	if (!realpath(path, real_r))
		return err_sys(e, ERR_IO, errno, "mount point %.100s", path);
	if (mountinfo_find(real_r, NULL, &mount))
		return err_set(e, ERR_EXISTS,
		    "a postern mount is at %.100s already: use it, or `umount` it first", path);
	return 0;
}

/*
 * ctl/mount_user.c - postern mount --user DIR: one's own mailbox, mounted by oneself.
 *
 * The person has no right to the store; postern-fs has, and serves what he mounts (fs/porter.h).  A process of his stays
 * behind, and takes the mount away when it is served no more: fusermount3's own auto_unmount does so only for mounts
 * that others may look into, before libfuse 3.15.
 */
#include "ctl/mount.h"

#include "base/handover.h"
#include "base/mountinfo.h"
#include "ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 15000
#define READY_MS 65000 /* postern-fs gives up before */

/* "ok ...", "ready": what is wanted; else it was said what is wrong. */
static bool answer_is(int fd, const char *want, int64_t wait_ms)
{
	char text[HANDOVER_TEXT_MAX];
	struct err e;

	if (handover_receive(fd, wait_ms, text, NULL, &e) < 0) {
		ctl_fail("postern-fs: %s", e.what);
		return false;
	}
	if (strncmp(text, want, strlen(want)) == 0)
		return true;
	ctl_fail("%s", strncmp(text, "no ", 3) == 0 ? text + 3 : "postern-fs speaks another language: is it as old as this?");
	return false;
}

/* fusermount3 [ARGUMENT...] DIR; 0 when it ended well. */
static int fusermount(const char *path, const char *const *arguments, int pass_fd)
{
	char fd_text[16];
	int status;
	pid_t pid;

	snprintf(fd_text, sizeof fd_text, "%d", pass_fd);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (pass_fd >= 0) {
			fcntl(pass_fd, F_SETFD, 0);
			setenv("_FUSE_COMMFD", fd_text, 1);
		}
		execv(path, (char *const *)arguments);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* Mounts as who we are; the descriptor, or -1 when it was said what is wrong. */
static int mount_own(const char *fusermount_path, const char *dir, bool read_only)
{
	char options[160], text[HANDOVER_TEXT_MAX];
	const char *arguments[] = {"fusermount3", "-o", options, "--", dir, NULL};
	int pair[2], fuse_fd = -1;
	struct err e;

	/* No allow_other: nobody but him is let in, not even root. */
	snprintf(options, sizeof options, "fsname=postern,subtype=postern,default_permissions,nosuid,nodev,noexec%s",
	    read_only ? ",ro" : "");
	if (handover_pair(pair, &e) < 0)
		return ctl_fail_err(&e), -1;
	if (fusermount(fusermount_path, arguments, pair[1]) < 0)
		ctl_fail("nothing is mounted at %s", dir); /* why, it has said itself */
	else if (handover_receive(pair[0], ANSWER_MS, text, &fuse_fd, &e) < 0)
		ctl_fail("fusermount3: %s", e.what);
	close(pair[0]);
	close(pair[1]);
	return fuse_fd;
}

static void unmount_own(const char *fusermount_path, const char *dir)
{
	const char *arguments[] = {"fusermount3", "-u", "-z", "-q", "--", dir, NULL};

	fusermount(fusermount_path, arguments, -1);
}

/* Whoever waits for an answer of a daemon that was killed gets an error; where the kernel's control files are not
 * mounted he waits until the daemon's last thread ends. */
static void abort_connection(const char *device)
{
	char path[64];
	const char *minor = strchr(device, ':');
	int fd;

	snprintf(path, sizeof path, "/sys/fs/fuse/connections/%s/abort", minor ? minor + 1 : "");
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
		return;
	if (write(fd, "1", 1) < 0)
		fprintf(stderr, "postern: %s: %s\n", path, strerror(errno));
	close(fd);
}

/* In a process of its own: until nobody holds the other end any more. */
static void keep(int fd, const char *fusermount_path, const char *dir)
{
	struct mountinfo mount, now;
	int nothing;
	char octet;

	if (!mountinfo_find(dir, NULL, &mount) || fork() != 0)
		return;
	setsid();
	prctl(PR_SET_NAME, "postern-keeper");
	if (chdir("/") < 0 || (nothing = open("/dev/null", O_RDWR)) < 0)
		_exit(1);
	for (int i = 0; i <= 2; i++)
		dup2(nothing, i);
	while (read(fd, &octet, 1) > 0 || errno == EINTR)
		errno = 0;
	if (mountinfo_find(dir, mount.device, &now)) {
		abort_connection(mount.device);
		unmount_own(fusermount_path, dir);
	}
	_exit(0);
}

/* One that was served and is not any more; and one that is. */
static int make_way(const char *fusermount_path, const char *dir)
{
	struct mountinfo mount;
	struct statfs fs; /* access(2) may be answered from what the kernel keeps of the top */

	if (statfs(dir, &fs) < 0 && (errno == ENOTCONN || errno == ECONNABORTED))
		unmount_own(fusermount_path, dir);
	if (mountinfo_find(dir, NULL, &mount))
		return ctl_fail("%s is mounted already: use it, or `postern umount` it first", dir), -1;
	return 0;
}

static int hand_over(int fd, const char *fusermount_path, const char *dir, const char *options)
{
	struct err e;
	int fuse_fd = mount_own(fusermount_path, dir, options && strstr(options, "ro")), r;

	if (fuse_fd < 0)
		return CTL_FAILED;
	r = handover_send(fd, "take", fuse_fd, &e);
	close(fuse_fd);
	if (r < 0)
		ctl_fail("postern-fs: %s", e.what);
	if (r == 0 && answer_is(fd, "ready", READY_MS)) {
		keep(fd, fusermount_path, dir);
		return CTL_OK;
	}
	unmount_own(fusermount_path, dir);
	return CTL_FAILED;
}

static int connect_to(const struct mount_user *how, int *fd_r)
{
	char path[HANDOVER_PATH_MAX];
	struct err e;

	if (!how->socket && handover_path_of(how->store, path, &e) < 0)
		return ctl_fail("the store %s can't be found: %s; --store names another", how->store, e.what);
	if (handover_connect(how->socket ? how->socket : path, fd_r, &e) == 0)
		return CTL_OK;
	if (e.code == ERR_NOTFOUND)
		return ctl_fail("no postern-fs is running for the store %s, or it lets nobody mount (%s)", how->store, e.what);
	return ctl_fail_err(&e);
}

int mount_user(const struct mount_user *how)
{
	char fusermount_path[PATH_MAX], real[PATH_MAX], request[HANDOVER_TEXT_MAX];
	struct err e;
	int fd, code;

	if (program_find("fusermount3", fusermount_path, &e) < 0)
		return ctl_fail_err(&e);
	if (!mountinfo_real_path(how->dir, real))
		return ctl_fail("%s: %s", how->dir, strerror(errno));
	if (snprintf(request, sizeof request, "mount %s", how->options ? how->options : "") >= (int)sizeof request)
		return ctl_fail("too many options");
	if (make_way(fusermount_path, real) < 0)
		return CTL_FAILED;
	if (access(real, F_OK) < 0)
		return ctl_fail("%s: %s", real, strerror(errno));
	if ((code = connect_to(how, &fd)) != CTL_OK)
		return code;
	if (handover_send(fd, request, -1, &e) < 0)
		code = ctl_fail("postern-fs: %s", e.what);
	else if (!answer_is(fd, "ok ", ANSWER_MS))
		code = CTL_FAILED;
	else
		code = hand_over(fd, fusermount_path, real, how->options);
	close(fd);
	return code;
}

/* ctl/mount_start.c - postern-fs, started and waited for. */
#include "ctl/mount.h"

#include "base/io.h"
#include "base/notify.h"
#include "base/str.h"
#include "ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_STEP_MS 50
#define READY_MS 60000
#define SLICE 1024

/* What it said so far, kept until it is known whether anybody should see it. */
static void listen_to(int fd, struct str_buf *said)
{
	ssize_t n;

	while (fd >= 0 && (n = read(fd, str_buf_room(said, SLICE), SLICE)) > 0)
		said->n += (size_t)n;
}

/* CTL_OK when it said READY=1; CTL_FAILED when it ended first, having said why itself. */
static int wait_ready(struct notify_listener *l, pid_t pid, int said_fd, struct str_buf *said)
{
	struct pollfd in = {l->fd, POLLIN, 0};
	char end[64];
	int status;

	for (int waited = 0; waited < READY_MS; waited += READY_STEP_MS) {
		pid_t from;
		bool ready;

		poll(&in, 1, READY_STEP_MS);
		listen_to(said_fd, said);
		while (notify_take(l, &from, &ready))
			if (from == pid && ready)
				return CTL_OK;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			listen_to(said_fd, said);
			io_write_all(STDERR_FILENO, said->p ? said->p : "", said->n);
			return ctl_fail("nothing is mounted: postern-fs ended with %s",
			    program_end_text(status, end));
		}
	}
	return ctl_fail("postern-fs (process %d) is not ready after %d seconds", (int)pid,
	    READY_MS / 1000);
}

/* Where its standard error goes, in *fd_r (-1: where ours does), and where we read it from. */
static int open_log(const struct mount_start *how, int *fd_r, int *said_fd_r)
{
	int fd[2] = {-1, -1};

	if (how->log && (fd[1] = open(how->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0660)) < 0)
		return ctl_fail("%s: %s", how->log, strerror(errno));
	if (!how->log && how->leaves_stderr &&
	    (pipe2(fd, O_CLOEXEC) < 0 || fcntl(fd[0], F_SETFL, O_NONBLOCK) < 0))
		return ctl_fail("pipe: %s", strerror(errno));
	*fd_r = fd[1];
	*said_fd_r = fd[0];
	return CTL_OK;
}

int mount_start(const struct mount_start *how)
{
	char path[PATH_MAX];
	const char *argv[] = {"postern-fs", "--store", how->store, how->dir, how->options ? "-o" : NULL,
	    how->options, NULL};
	struct notify_listener l = {.fd = -1};
	struct program_start start = {.path = path, .argv = (char *const *)argv};
	struct str_buf said = {0};
	int said_fd = -1, code;
	struct err e;
	pid_t pid;

	if (program_find("postern-fs", path, &e) < 0)
		return ctl_fail_err(&e);
	if ((code = open_log(how, &start.stderr_fd, &said_fd)) != CTL_OK)
		return code;
	if (notify_listen(&l, &e) < 0)
		return ctl_fail_err(&e);
	start.notify_address = l.address;
	code = program_start(&start, &pid, &e) == 0 ? wait_ready(&l, pid, said_fd, &said) : ctl_fail_err(&e);
	notify_listen_fini(&l);
	str_buf_fini(&said);
	return code;
}

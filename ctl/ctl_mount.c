/* ctl/ctl_mount.c - postern mount DIR [-o OPTIONS] [--foreground] [--log FILE] */
#include "base/notify.h"
#include "ctl/program.h"
#include "ctl/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_STEP_MS 50
#define READY_MS 60000

static const char *mount_options, *log_file;
static bool foreground;

/* CTL_OK when it said READY=1; CTL_FAILED when it ended first, having said why itself. */
static int wait_ready(struct notify_listener *l, pid_t pid)
{
	struct pollfd in = {l->fd, POLLIN, 0};
	char end[64];
	int status;

	for (int waited = 0; waited < READY_MS; waited += READY_STEP_MS) {
		pid_t from;
		bool ready;

		poll(&in, 1, READY_STEP_MS);
		while (notify_take(l, &from, &ready))
			if (from == pid && ready)
				return CTL_OK;
		if (waitpid(pid, &status, WNOHANG) == pid)
			return ctl_fail("nothing is mounted: postern-fs ended with %s",
			    program_end_text(status, end));
	}
	return ctl_fail("postern-fs (process %d) is not ready after %d seconds", (int)pid,
	    READY_MS / 1000);
}

static int start_and_wait(const char *path, char *const *argv)
{
	struct notify_listener l = {.fd = -1};
	struct program_start how = {.path = path, .argv = argv, .stderr_fd = -1};
	struct err e;
	pid_t pid;
	int code;

	if (log_file)
		how.stderr_fd = open(log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0660);
	if (log_file && how.stderr_fd < 0)
		return ctl_fail("%s: %s", log_file, strerror(errno));
	if (notify_listen(&l, &e) < 0)
		return ctl_fail_err(&e);
	how.notify_address = l.address;
	code = program_start(&how, &pid, &e) == 0 ? wait_ready(&l, pid) : ctl_fail_err(&e);
	notify_listen_fini(&l);
	return code;
}

static int mount_run(struct ctl *ctl, char **operands, int n)
{
	char path[PATH_MAX];
	const char *argv[] = {"postern-fs", "--store", ctl_store_dir(ctl), operands[0],
	    mount_options ? "-o" : NULL, mount_options, NULL};
	struct err e;

	(void)n;
	/* Opened and closed: what is wrong with the store is better said by this program. */
	if (ctl_site_open(ctl) < 0)
		return CTL_FAILED;
	ctl_site_close(ctl);
	if (program_find("postern-fs", path, &e) < 0)
		return ctl_fail_err(&e);
	if (!foreground)
		return start_and_wait(path, (char *const *)argv);
	return program_become(path, (char *const *)argv, &e) < 0 ? ctl_fail_err(&e) : CTL_OK;
}

static const struct verb_option options[] = {
    {'o', "options", "OPTIONS", &mount_options, "mount options, see postern-fs(8)"},
    {'f', "foreground", NULL, &foreground, "stay in the foreground; Ctrl-C unmounts"},
    {0, "log", "FILE", &log_file, "where its log goes (else to this terminal)"},
    {0},
};

const struct verb ctl_verb_mount = {
    .name = "mount",
    .summary = "show the mailboxes as files",
    .help = "Returns once DIR is mounted; `postern umount DIR` ends it. Every file or folder held open\n"
	    "in a mailbox is a session of its user. `postern serve --mount DIR` keeps it mounted.",
    .actions =
	(const struct verb_action[]){
	    {NULL, "DIR", 1, 1, options, mount_run, NULL},
	    {0},
	},
};

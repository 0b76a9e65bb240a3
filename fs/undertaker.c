/* fs/undertaker.c - waits for the daemon's death, and unmounts by force. */
#include "fs/undertaker.h"

#include "base/io.h"
#include "base/log.h"
#include "base/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATH SIGUSR1
#define OWN_MAX 64 /* its pipe is below that */

static void bury(int fd)
{
	struct mountinfo mount;
	char device[sizeof mount.device] = "";

	if (read(fd, device, sizeof device - 1) <= 0 || !mountinfo_find(NULL, device, &mount))
		return; /* it was not mounted yet, or is gone */
	/* By force: whoever waits for an answer gets an error, and the last of the daemon can end. */
	if (umount2(mount.path, MNT_FORCE | MNT_DETACH) < 0)
		log_error("dead-mount-stays", "path=%s errno=%d", LOG_Q(mount.path), errno);
	else
		log_warn("dead-mount-removed", "path=%s", LOG_Q(mount.path));
}

/* The signal comes when the daemon's main thread has ended, whatever its other threads wait for.  It names the
 * daemon as its sender; nobody else's counts. */
_Noreturn static void wait_and_bury(pid_t daemon, int fd, int keep_fd)
{
	siginfo_t info = {0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "postern-fs-end");
	prctl(PR_SET_PDEATHSIG, DEATH);
	/* Nothing of the daemon's is held here, above all not /dev/fuse; standard error says what was done. */
	for (int i = 3; i < OWN_MAX; i++)
		if (i != fd && i != keep_fd)
			close(i);
	close_range(OWN_MAX, ~0u, 0);
	sigemptyset(&all);
	sigaddset(&all, DEATH);
	while (getppid() == daemon && (sigwaitinfo(&all, &info) < 0 || info.si_pid != daemon))
		;
	bury(fd);
	_exit(0);
}

int undertaker_start(struct undertaker *u, int keep_fd, struct err *e)
{
	pid_t daemon = getpid();
	int fd[2];

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0 || fd[0] >= OWN_MAX)
		return err_sys(e, ERR_TEMP, errno, "pipe");
	u->pid = fork();
	if (u->pid == 0)
		wait_and_bury(daemon, fd[0], keep_fd);
	close(fd[0]);
	if (keep_fd >= 0)
		close(keep_fd);
	u->fd = fd[1];
	if (u->pid < 0) {
		close(u->fd);
		return err_sys(e, ERR_TEMP, errno, "fork");
	}
	return 0;
}

void undertaker_tell(const struct undertaker *u, const char *real)
{
	struct mountinfo mount;

	if (!mountinfo_find(real, NULL, &mount) || io_write_all(u->fd, mount.device, strlen(mount.device)) < 0)
		log_warn("undertaker", "path=%s text=\"a killed daemon's mount will stay\"", LOG_Q(real));
}

void undertaker_end(struct undertaker *u)
{
	if (u->pid <= 0)
		return;
	close(u->fd);
	kill(u->pid, SIGKILL);
	waitpid(u->pid, NULL, 0);
	u->pid = 0;
}

/* ctl/program.c - finds and starts the daemons. */
#include "ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a build tree every program stands in its own folder. */
static const struct {
	const char *program, *folder;
} build_folders[] = {
    {"postern-imapd", "imapd"},
    {"postern-pop3d", "pop3d"},
    {"postern-lmtpd", "lmtpd"},
    {"postern-authd", "authd"},
    {"postern-metrics", "metrics"},
    {"postern-fs", "fs"},
};

static bool found(char path[PATH_MAX], const char *dir, size_t dir_n, const char *between,
    const char *name)
{
	int n = snprintf(path, PATH_MAX, "%.*s%s/%s", (int)dir_n, dir, between, name);

	return n > 0 && n < PATH_MAX && access(path, X_OK) == 0;
}

static bool found_in_path(char path[PATH_MAX], const char *name)
{
	const char *dirs = getenv("PATH");

	for (const char *p = dirs ? dirs : ""; *p;) {
		size_t n = strcspn(p, ":");

		if (n > 0 && found(path, p, n, "", name))
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

int program_find(const char *name, char path_r[PATH_MAX], struct err *e)
{
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *slash = n > 0 ? strrchr(self, '/') : NULL;
	size_t dir_n = slash ? (size_t)(slash - self) : 0;

	if (slash && found(path_r, self, dir_n, "", name))
		return 0;
	for (size_t i = 0; slash && i < sizeof build_folders / sizeof *build_folders; i++) {
		char between[32];

		snprintf(between, sizeof between, "/../%s", build_folders[i].folder);
		if (strcmp(build_folders[i].program, name) == 0 &&
		    found(path_r, self, dir_n, between, name))
			return 0;
	}
	if (slash && found(path_r, self, dir_n, "/../sbin", name))
		return 0;
	if (found_in_path(path_r, name))
		return 0;
	return err_set(e, ERR_NOTFOUND, "%s is not installed beside postern, nor in PATH", name);
}

/* The child's part: only what is safe between fork and exec. */
_Noreturn static void child(const struct program_start *how, pid_t parent, char **env)
{
	sigset_t none;
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	if (nothing >= 0)
		dup2(nothing, STDIN_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (how->ends_with_us) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(127); /* it was gone before we asked */
	}
	if (how->stderr_fd >= 0)
		dup2(how->stderr_fd, STDERR_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is for `ready` */
	execve(how->path, how->argv, env);
	_exit(127);
}

/* The environment with NOTIFY_SOCKET set or left out, and without systemd's sockets, which are ours. */
static char **environment(char *notify)
{
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof *env);
	if (!env)
		abort();
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "NOTIFY_SOCKET=", 14) != 0 &&
		    strncmp(environ[i], "WATCHDOG_", 9) != 0 && strncmp(environ[i], "LISTEN_", 7) != 0)
			env[kept++] = environ[i];
	if (notify)
		env[kept] = notify;
	return env;
}

int program_start(const struct program_start *how, pid_t *pid_r, struct err *e)
{
	char notify[64];
	char **env;
	pid_t us = getpid(), pid;

	snprintf(notify, sizeof notify, "NOTIFY_SOCKET=%s",
	    how->notify_address ? how->notify_address : "");
	env = environment(how->notify_address ? notify : NULL);
	pid = fork();
	if (pid == 0)
		child(how, us, env);
	free(env);
	if (pid < 0)
		return err_sys(e, ERR_TEMP, errno, "starting %s", how->path);
	*pid_r = pid;
	return 0;
}

int program_become(const char *path, char *const *argv, struct err *e)
{
	signal(SIGPIPE, SIG_DFL);
	execv(path, argv);
	return err_sys(e, ERR_IO, errno, "starting %s", path);
}

const char *program_end_text(int status, char out[64])
{
	if (WIFSIGNALED(status))
		snprintf(out, 64, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, 64, "exit status %d", WEXITSTATUS(status));
	return out;
}

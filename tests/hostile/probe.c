/*
 * Loaded into a daemon (LD_PRELOAD), this does what an intruder would: at each connection that the daemon accepts, that is,
 * once it has given up what it gives up, it tries to open what $POSTERN_PROBE names (paths, separated by colons), and says in
 * $POSTERN_PROBED, which was opened before, how that went: a line "PATH ERRNO" each.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int said_fd = -1;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("POSTERN_PROBED");

	if (path)
		said_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void try_one(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	dprintf(said_fd, "%s %d\n", path, fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int (*real)(int, struct sockaddr *, socklen_t *, int);
	char paths[4096], *rest = paths, *path;

	*(void **)&real = dlsym(RTLD_NEXT, "accept4");
	fd = real(fd, address, size, flags);
	if (fd >= 0 && said_fd >= 0 && getenv("POSTERN_PROBE")) {
		snprintf(paths, sizeof paths, "%s", getenv("POSTERN_PROBE"));
		while ((path = strsep(&rest, ":")))
			try_one(path);
	}
	return fd;
}

/*
 * net/listen.c - listening sockets: addresses, sockets handed over by systemd, accepting.
 *
 * A Unix socket is bound beside its name and renamed over it, so that what a killed process left
 * behind is replaced in one step, and nobody can connect before its mode is set.
 */
#include "net/conn_priv.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ACCEPT_BATCH 64
#define UNIX_MODE 0660
#define LOCK_WAIT_MS 5000
#define LOCK_PAUSE_MS 5
#define SYSTEMD_FIRST_FD 3 /* sd_listen_fds(3) */

/* "ADDR:PORT", "[v6]:PORT" or ":PORT" (every address). */
static int resolve(const char *address, struct addrinfo **list_r, struct err *e)
{
	const struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	const char *colon = strrchr(address, ':');
	char host[256];
	size_t n = colon ? (size_t)(colon - address) : 0;
	int failed;

	if (!colon || n >= sizeof host || !colon[1])
		return err_set(e, ERR_INVALID, "\"%s\" is no ADDR:PORT", address);
	if (n >= 2 && address[0] == '[' && address[n - 1] == ']')
		snprintf(host, sizeof host, "%.*s", (int)(n - 2), address + 1);
	else
		snprintf(host, sizeof host, "%.*s", (int)n, address);
	failed = getaddrinfo(n ? host : "::", colon + 1, &hints, list_r);
	if (failed)
		return err_set(e, ERR_INVALID, "\"%s\": %s", address, gai_strerror(failed));
	return 0;
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr *b)
{
	if (a->ss_family != b->sa_family)
		return false;
	if (b->sa_family == AF_UNIX)
		return strcmp(((const struct sockaddr_un *)(const void *)a)->sun_path,
			   ((const struct sockaddr_un *)(const void *)b)->sun_path) == 0;
	if (b->sa_family == AF_INET) {
		const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;

		return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
	}
	const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;

	return x->sin6_port == y->sin6_port &&
	       memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0;
}

/* A number from the environment; 0 if it is not there, or is none. */
static int env_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && str_number(str_view(text, strlen(text)), INT_MAX, &n) ? (int)n : 0;
}

/* A socket that systemd listens on for us, or -1. */
static int passed_in(const struct sockaddr *wanted)
{
	int n = env_number("LISTEN_PID") == getpid() ? env_number("LISTEN_FDS") : 0;

	for (int fd = SYSTEMD_FIRST_FD; fd < SYSTEMD_FIRST_FD + n; fd++) {
		struct sockaddr_storage has = {0};
		socklen_t size = sizeof has;

		if (getsockname(fd, (struct sockaddr *)&has, &size) < 0 || !same_address(&has, wanted))
			continue;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		return fd;
	}
	return -1;
}

/* Connections have these from the socket that they were accepted on (tcp(7)), so they cost nothing at each. */
static void set_options(const struct net_limits *limits, int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	alive_options(limits, fd);
}

/* ---- a Unix socket ---- */

int unix_address(const char *path, const char *suffix, struct sockaddr_un *address_r, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path, sizeof address.sun_path, "%s%s", path, suffix);

	if (n < 0 || (size_t)n >= sizeof address.sun_path)
		return err_set(e, ERR_INVALID, "the path of a socket has at most %zu octets: %s",
		    sizeof address.sun_path - sizeof ".new", path);
	*address_r = address;
	return 0;
}

static bool somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is = fd >= 0 && connect(fd, (const void *)address, sizeof *address) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

/* An id of 0: as it is. */
static int give(const char *path, uid_t owner, gid_t group)
{
	if (!owner && !group)
		return 0;
	return chown(path, owner ? owner : (uid_t)-1, group ? group : (gid_t)-1);
}

static int unix_bind(int fd, const struct net_listen *how, const struct sockaddr_un *beside,
    const struct sockaddr_un *address)
{
	unlink(beside->sun_path);
	if (bind(fd, (const void *)beside, sizeof *beside) < 0)
		return -1;
	if (give(beside->sun_path, how->owner, how->group) < 0 ||
	    chmod(beside->sun_path, how->mode ? how->mode : UNIX_MODE) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -1;
	return rename(beside->sun_path, address->sun_path);
}

/* Two that start at once would each take the other's new file for its own.  Closed, it is free. */
static int lock_folder(const char *path, int *fd_r, struct err *e)
{
	const struct timespec pause = {0, LOCK_PAUSE_MS * 1000000};
	char folder[PATH_MAX];
	int fd;

	snprintf(folder, sizeof folder, "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int waited_ms = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0; waited_ms += LOCK_PAUSE_MS) {
		if (errno != EWOULDBLOCK || waited_ms >= LOCK_WAIT_MS) {
			close(fd);
			return err_set(e, ERR_BUSY, "the folder of %s is locked by a process that is about to listen there", path);
		}
		nanosleep(&pause, NULL);
	}
	if (fd < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, "open the folder of %s", path);
	*fd_r = fd;
	return 0;
}

static int unix_listen(const struct net_listen *how, const struct sockaddr_un *beside, const struct sockaddr_un *address,
    int *fd_r, struct err *e)
{
	const char *path = address->sun_path;
	int fd;

	if (somebody_listens(address))
		return err_set(e, ERR_UNAVAILABLE, "somebody else listens on %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || unix_bind(fd, how, beside, address) < 0) {
		err_sys(e, ERR_UNAVAILABLE, errno, "listen on %s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*fd_r = fd;
	return 0;
}

static int unix_open(const struct net_listen *how, int *fd_r, struct err *e)
{
	const char *path = how->address + sizeof NET_UNIX - 1;
	struct sockaddr_un address, beside;
	int lock_fd, result;

	if (unix_address(path, "", &address, e) < 0 || unix_address(path, ".new", &beside, e) < 0)
		return -1;
	*fd_r = passed_in((const void *)&address);
	if (*fd_r >= 0)
		return 0;
	if (lock_folder(path, &lock_fd, e) < 0)
		return -1;
	result = unix_listen(how, &beside, &address, fd_r, e);
	close(lock_fd);
	return result;
}

int listen_open(const struct net_listen *how, const struct net_limits *limits, int *fd_r, struct err *e)
{
	const char *address = how->address;
	struct addrinfo *list = NULL;
	int fd = -1, on = 1, off = 0, result = -1;

	if (strncmp(address, NET_UNIX, sizeof NET_UNIX - 1) == 0)
		return unix_open(how, fd_r, e);
	if (resolve(address, &list, e) < 0)
		return -1;
	fd = passed_in(list->ai_addr);
	if (fd < 0) {
		fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0) {
			err_sys(e, ERR_UNAVAILABLE, errno, "socket for %s", address);
			goto out;
		}
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (list->ai_family == AF_INET6) /* ":143" serves both families */
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
		if (bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0) {
			err_sys(e, ERR_UNAVAILABLE, errno, "listen on %s", address);
			close(fd);
			goto out;
		}
	}
	set_options(limits, fd);
	*fd_r = fd;
	result = 0;
out:
	freeaddrinfo(list);
	return result;
}

int net_listen_open(const struct net_listen *how, int *fd_r, struct err *e)
{
	return listen_open(how, &net_limits_default, fd_r, e);
}

/* Out of descriptors: a spare one is given up to accept and close, so that the peer hears of it and
 * the listener does not spin.  False: nobody is waiting (accept says EMFILE before it looks). */
static bool turn_away(struct net_server *server, int listen_fd)
{
	bool spare_is_gone;
	int fd;

	pthread_mutex_lock(&server->slots_lock);
	close(server->spare_fd);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	spare_is_gone = fd < 0 && errno != EAGAIN;
	if (fd >= 0)
		close(fd);
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pthread_mutex_unlock(&server->slots_lock);
	if (spare_is_gone) /* somebody else took it: the listener would fire again at once */
		usleep(10000);
	if (fd < 0)
		return false;
	log_error("descriptors-full", "connections=%u", (unsigned)atomic_load(&server->conns));
	return true;
}

struct conn *listen_accept(struct net_server *server, const struct listener *listener)
{
	for (int i = 0; i < ACCEPT_BATCH && !server->stopping; i++) {
		struct sockaddr_storage from = {0};
		socklen_t size = sizeof from;
		struct conn *conn;
		int fd = accept4(listener->fd, (struct sockaddr *)&from, &size,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
			if (turn_away(server, listener->fd))
				continue;
			return NULL;
		}
		if (fd < 0 && errno == EAGAIN)
			return NULL;
		if (fd < 0)
			continue; /* that peer is gone already (accept(2)) */
		conn = slot_new(server, listener, fd, &from);
		if (conn)
			return conn;
	}
	return NULL;
}

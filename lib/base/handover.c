/* base/handover.c - SOCK_SEQPACKET and SCM_RIGHTS. */
#include "base/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define RUN_FOLDER "/run/postern-mount"

int handover_path_of(const char *folder, char path_r[HANDOVER_PATH_MAX], struct err *e)
{
	struct stat st;

	if (stat(folder, &st) < 0)
		return err_sys(e, errno == ENOENT ? ERR_NOTFOUND : ERR_PERM, errno, "%.200s", folder);
	snprintf(path_r, HANDOVER_PATH_MAX, RUN_FOLDER "/%llx-%llx", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	return 0;
}

static int make_address(const char *path, struct sockaddr_un *address, struct err *e)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address->sun_path)
		return err_set(e, ERR_INVALID, "socket name %.200s is too long", path);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

/* Others may go through it, and put nothing into it. */
static int make_folder(const char *path, struct err *e)
{
	char folder[HANDOVER_PATH_MAX];
	char *slash;
	struct stat st;

	snprintf(folder, sizeof folder, "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (mkdir(folder, 0711) == 0)
		return chmod(folder, 0711) < 0 ? err_sys(e, ERR_IO, errno, "%s", folder) : 0;
	if (errno != EEXIST || stat(folder, &st) < 0)
		return err_sys(e, ERR_IO, errno, "making %s", folder);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(e, ERR_PERM, "%s can be written to by others: who stands there could take our place", folder);
	return 0;
}

int handover_listen(const char *path, int *fd_r, struct err *e)
{
	struct sockaddr_un address;
	int fd, sys;

	if (make_address(path, &address, e) < 0 || make_folder(path, e) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "socket");
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		sys = errno;
		close(fd);
		return err_sys(e, ERR_IO, sys, "socket %s", path);
	}
	*fd_r = fd;
	return 0;
}

int handover_accept(int fd, struct handover_peer *who_r)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), sys;
	struct ucred who = {0};
	socklen_t n = sizeof who;

	if (peer >= 0 && getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0) {
		sys = errno;
		close(peer);
		errno = sys;
		return -1;
	}
	*who_r = (struct handover_peer){who.uid, who.pid};
	return peer;
}

int handover_connect(const char *path, int *fd_r, struct err *e)
{
	struct sockaddr_un address;
	int fd, sys;

	if (make_address(path, &address, e) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		sys = errno;
		close(fd);
		if (sys == ENOENT || sys == ECONNREFUSED)
			return err_set(e, ERR_NOTFOUND, "nobody listens at %s", path);
		return err_sys(e, ERR_IO, sys, "connect to %s", path);
	}
	*fd_r = fd;
	return 0;
}

int handover_pair(int pair_r[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_r) < 0)
		return err_sys(e, ERR_TEMP, errno, "socketpair");
	return 0;
}

int handover_packets(int pair_r[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair_r) < 0)
		return err_sys(e, ERR_TEMP, errno, "socketpair");
	return 0;
}

void handover_end(int fd)
{
	shutdown(fd, SHUT_RDWR);
}

int handover_put(int fd, const void *octets, size_t n, int passed, struct err *e)
{
	union {
		char octets[CMSG_SPACE(sizeof passed)];
		struct cmsghdr align;
	} control = {0};
	struct iovec piece = {(void *)(uintptr_t)octets, n};
	struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (passed >= 0) {
		m.msg_control = control.octets;
		m.msg_controllen = sizeof control.octets;
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof passed);
		memcpy(CMSG_DATA(c), &passed, sizeof passed);
	}
	if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		return err_sys(e, ERR_TEMP, errno, "the other side is gone");
	return 0;
}

int handover_send(int fd, const char *text, int passed, struct err *e)
{
	return handover_put(fd, text, strlen(text), passed, e);
}

/* The first descriptor of a message; what else was sent along is closed. */
static int passed_take(struct msghdr *m)
{
	int first = -1, fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof fd) <= c->cmsg_len; at += sizeof fd) {
			memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
			if (first < 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

/* How many octets it had, up to size; -1. */
static ssize_t receive(int fd, int64_t wait_ms, void *octets, size_t size, int *passed_r, struct err *e)
{
	union {
		char octets[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct pollfd in = {fd, POLLIN, 0};
	struct iovec piece = {octets, size};
	struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.octets,
	    .msg_controllen = sizeof control.octets};
	ssize_t n;
	int passed;

	if (poll(&in, 1, (int)wait_ms) <= 0)
		return err_set(e, ERR_TEMP, "no answer came in time");
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return err_sys(e, ERR_TEMP, errno, "receiving");
	passed = passed_take(&m);
	if (n == 0 || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (passed >= 0 && !passed_r)) {
		if (passed >= 0)
			close(passed);
		return err_set(e, ERR_TEMP, n == 0 ? "the other side hung up" : "a message of the wrong form");
	}
	if (passed_r)
		*passed_r = passed;
	return n;
}

int handover_receive(int fd, int64_t wait_ms, char text[HANDOVER_TEXT_MAX], int *passed_r, struct err *e)
{
	ssize_t n = receive(fd, wait_ms, text, HANDOVER_TEXT_MAX - 1, passed_r, e);

	if (n < 0)
		return -1;
	text[n] = '\0';
	return 0;
}

int handover_take(int fd, int64_t wait_ms, void *octets, size_t n, int *passed_r, struct err *e)
{
	ssize_t came = receive(fd, wait_ms, octets, n, passed_r, e);

	if (came >= 0 && (size_t)came < n) {
		if (passed_r && *passed_r >= 0)
			close(*passed_r);
		return err_set(e, ERR_TEMP, "a message that is too short");
	}
	return came < 0 ? -1 : 0;
}

/* base/notify.c - READY=1 and STOPPING=1, told and heard, as sd_notify(3) describes the protocol. */
#include "base/notify.h"
#include "base/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	/* A path, or "@name": a name in the abstract namespace, which has no NUL behind it. */
	if (n < 2 || n >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_warn("notify", "socket=%s error=\"%s\"", LOG_Q(path), strerror(errno));
	if (fd >= 0)
		close(fd);
}

void notify_ready(void)
{
	notify("READY=1");
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}

int notify_listen(struct notify_listener *l, struct err *e)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t n = sizeof at;
	const int on = 1;

	l->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Bound by its family alone, the kernel picks a name in the abstract namespace that is free. */
	if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
	    bind(l->fd, (struct sockaddr *)&at, sizeof at.sun_family) < 0 ||
	    getsockname(l->fd, (struct sockaddr *)&at, &n) < 0) {
		err_sys(e, ERR_IO, errno, "notification socket");
		notify_listen_fini(l);
		return -1;
	}
	snprintf(l->address, sizeof l->address, "@%.*s",
	    (int)(n - offsetof(struct sockaddr_un, sun_path) - 1), at.sun_path + 1);
	return 0;
}

bool notify_take(struct notify_listener *l, pid_t *from_r, bool *ready_r)
{
	char text[512], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec piece = {text, sizeof text - 1};
	struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control,
	    .msg_controllen = sizeof control};
	const struct cmsghdr *c;
	struct ucred who = {0};
	ssize_t n = recvmsg(l->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return false;
	text[n] = '\0';
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
		memcpy(&who, CMSG_DATA(c), sizeof who);
	*from_r = who.pid;
	*ready_r = strncmp(text, "READY=1", 7) == 0 || strstr(text, "\nREADY=1");
	return true;
}

void notify_listen_fini(struct notify_listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

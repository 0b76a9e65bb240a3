/* net/dial.c - a blocking socket whose calls are bounded by the kernel's time-outs. */
#include "net/dial.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_OCTETS_MAX 8192
#define SLICE_OCTETS 1024

static void bound(int fd, int64_t wait_ms)
{
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	/* SO_SNDTIMEO bounds connect too: a listener whose process was stopped has a backlog that fills. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
}

static enum err_code why_not(int sys)
{
	switch (sys) {
	case ENOENT:
	case ECONNREFUSED:
		return ERR_NOTFOUND;
	case EACCES:
	case EPERM:
		return ERR_PERM;
	case EAGAIN:
	case EINPROGRESS:
		return ERR_TEMP;
	default:
		return ERR_IO;
	}
}

int dial_unix(const char *path, int64_t wait_ms, struct dial *dial_r, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd;

	if (n == 0 || n >= sizeof address.sun_path)
		return err_set(e, ERR_INVALID, "the path of a socket has 1 to %zu octets: %s",
		    sizeof address.sun_path - 1, path);
	memcpy(address.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "socket");
	bound(fd, wait_ms);
	if (connect(fd, (const void *)&address, sizeof address) < 0) {
		err_sys(e, why_not(errno), errno, "connect to %s", path);
		close(fd);
		return -1;
	}
	*dial_r = (struct dial){.fd = fd};
	return 0;
}

int dial_send(struct dial *dial, const void *octets, size_t n, struct err *e)
{
	const char *p = octets;

	while (n) {
		ssize_t sent = send(dial->fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return err_sys(e, ERR_TEMP, errno, "send");
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static int receive(struct dial *dial, struct err *e)
{
	char *room = str_buf_room(&dial->in, SLICE_OCTETS);
	ssize_t n;

	do
		n = recv(dial->fd, room, SLICE_OCTETS, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, ERR_TEMP, errno, "receive");
	if (n == 0)
		return err_set(e, ERR_TEMP, "the other side hung up");
	dial->in.n += (size_t)n;
	return 0;
}

int dial_line(struct dial *dial, struct str_buf *line, struct err *e)
{
	size_t looked = 0;
	const char *lf;
	size_t n;

	while (!(lf = dial->in.n > looked ? memchr(dial->in.p + looked, '\n', dial->in.n - looked) : NULL)) {
		looked = dial->in.n;
		if (looked > LINE_OCTETS_MAX)
			return err_set(e, ERR_TOOBIG, "a line of over %d octets", LINE_OCTETS_MAX);
		if (receive(dial, e) < 0)
			return -1;
	}
	n = (size_t)(lf - dial->in.p);
	str_buf_clear(line);
	str_buf_put(line, dial->in.p, n && lf[-1] == '\r' ? n - 1 : n);
	str_buf_consume(&dial->in, n + 1);
	return 0;
}

void dial_close(struct dial *dial)
{
	close(dial->fd);
	str_buf_fini(&dial->in);
}

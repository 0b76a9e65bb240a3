/* net/stream.c - octets in and out of a connection's buffers: plain, through TLS, compressed or not. */
#include "net/conn_priv.h"
#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What is still to be taken; it does not stay where it was as well. */
static void move_to_front(struct conn *conn)
{
	str_buf_consume(&conn->in, conn->in_at);
	if (conn_may_be_secret(conn))
		explicit_bzero(conn->in.p + conn->in.n, conn->in_at);
}

/* Room at the end of the input buffer; what was taken makes room first. */
static size_t make_room(struct conn *conn)
{
	size_t waiting = conn->in.n - conn->in_at, max = conn->server->limits.input_max_octets, n;

	if (waiting >= max)
		return 0;
	if (waiting == 0)
		str_buf_clear(&conn->in);
	else if (conn->in_at)
		move_to_front(conn);
	conn->in_at = 0;
	n = max - waiting < IN_READ_OCTETS ? max - waiting : IN_READ_OCTETS;
	str_buf_room(&conn->in, n);
	return n;
}

ssize_t stream_recv(struct conn *conn, void *to, size_t n)
{
	ssize_t got;

	do
		got = conn->tls ? tls_recv(conn, to, n) : recv(conn->fd, to, n, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

ssize_t stream_send(struct conn *conn, const void *octets, size_t n)
{
	ssize_t sent;

	do
		sent = conn->tls ? tls_send(conn, octets, n) : send(conn->fd, octets, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

enum stream_result stream_fill(struct conn *conn)
{
	size_t room;
	ssize_t n;

	conn->in_full = false;
	if (conn->eof && !zip_has_more(conn))
		return STREAM_EOF;
	if ((room = make_room(conn)) == 0)
		return STREAM_BLOCKED;
	n = conn->zip ? zip_recv(conn, conn->in.p + conn->in.n, room)
		      : stream_recv(conn, conn->in.p + conn->in.n, room);
	if (n < 0)
		return errno == EAGAIN ? STREAM_BLOCKED : STREAM_FAILED;
	if (n == 0) {
		conn->eof = true;
		return STREAM_EOF;
	}
	conn->in.n += (size_t)n;
	conn->in.p[conn->in.n] = '\0';
	conn->in_octets += (uint64_t)n;
	conn->in_full = (size_t)n == room || conn->tls_more || zip_has_more(conn);
	return STREAM_OK;
}

/* Sends until all is out, or -1 with errno. */
static int send_plain(struct conn *conn)
{
	while (stream_unsent(conn)) {
		ssize_t sent = stream_send(conn, conn->out.p + conn->out_at, stream_unsent(conn));

		if (sent < 0)
			return -1;
		conn->out_at += (size_t)sent;
	}
	return 0;
}

static enum stream_result push(struct conn *conn, bool sync)
{
	size_t before = stream_unsent(conn);
	int64_t now;

	conn->blocked = false;
	if ((conn->zip ? zip_send(conn, sync) : send_plain(conn)) < 0) {
		if (errno != EAGAIN)
			return STREAM_FAILED;
		conn->blocked = true;
	}
	if (!conn->blocked) {
		if (conn->is_secret && conn->out.p)
			explicit_bzero(conn->out.p, conn->out.n);
		str_buf_clear(&conn->out);
		conn->out_at = 0;
		conn->send_at = NEVER;
		return STREAM_OK;
	}
	now = clock_mono_ms();
	if (stream_unsent(conn) != before || conn->send_at == NEVER) {
		conn->send_at = now + conn->server->limits.send_timeout_ms;
		if (conn->idle_ms)
			conn->idle_at = now + conn->idle_ms;
	}
	return STREAM_BLOCKED;
}

enum stream_result stream_flush(struct conn *conn)
{
	return push(conn, true);
}

enum stream_result stream_push(struct conn *conn)
{
	return push(conn, false);
}

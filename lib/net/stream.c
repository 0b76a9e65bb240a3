/* net/stream.c - octets in and out of a connection's buffers, plain or through TLS. */
#include "net/conn_priv.h"
#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room at the end of the input buffer; what was taken makes room first. */
static size_t make_room(struct conn *conn)
{
	size_t waiting = conn->in.n - conn->in_at, max = conn->server->limits.input_max_octets, n;

	if (waiting >= max)
		return 0;
	if (waiting == 0)
		str_buf_clear(&conn->in);
	else if (conn->in_at)
		str_buf_consume(&conn->in, conn->in_at);
	conn->in_at = 0;
	n = max - waiting < IN_READ_OCTETS ? max - waiting : IN_READ_OCTETS;
	str_buf_room(&conn->in, n);
	return n;
}

enum stream_result stream_fill(struct conn *conn)
{
	size_t room;
	ssize_t n;

	conn->in_full = false;
	if (conn->eof)
		return STREAM_EOF;
	if ((room = make_room(conn)) == 0)
		return STREAM_BLOCKED;
	do
		n = conn->tls ? tls_recv(conn, conn->in.p + conn->in.n, room)
			      : recv(conn->fd, conn->in.p + conn->in.n, room, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? STREAM_BLOCKED : STREAM_FAILED;
	if (n == 0) {
		conn->eof = true;
		return STREAM_EOF;
	}
	conn->in.n += (size_t)n;
	conn->in.p[conn->in.n] = '\0';
	conn->in_octets += (uint64_t)n;
	conn->in_full = (size_t)n == room || conn->tls_more;
	return STREAM_OK;
}

/* One send; moves out_at. */
static ssize_t send_some(struct conn *conn)
{
	const char *p = conn->out.p + conn->out_at;
	size_t n = stream_unsent(conn);
	ssize_t sent;

	do
		sent = conn->tls ? tls_send(conn, p, n) : send(conn->fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent > 0)
		conn->out_at += (size_t)sent;
	return sent;
}

enum stream_result stream_flush(struct conn *conn)
{
	size_t before = conn->out_at;
	int64_t now;

	conn->blocked = false;
	while (stream_unsent(conn)) {
		if (send_some(conn) >= 0)
			continue;
		if (errno != EAGAIN)
			return STREAM_FAILED;
		conn->blocked = true;
		break;
	}
	if (!conn->blocked) {
		str_buf_clear(&conn->out);
		conn->out_at = 0;
		conn->send_at = NEVER;
		return STREAM_OK;
	}
	now = clock_mono_ms();
	if (conn->out_at != before || conn->send_at == NEVER) {
		conn->send_at = now + conn->server->limits.send_timeout_ms;
		if (conn->idle_ms)
			conn->idle_at = now + conn->idle_ms;
	}
	return STREAM_BLOCKED;
}

/* net/conn.c - what a door may do with its connection, from within its callbacks. */
#include "net/conn.h"
#include "base/check.h"
#include "base/clock.h"
#include "net/conn_priv.h"

#include <string.h>
#include <sys/socket.h>

const char *conn_end_name(enum conn_end end)
{
	static const char *const names[] = {
	    [CONN_END_DOOR] = "done",
	    [CONN_END_PEER] = "peer-closed",
	    [CONN_END_ERROR] = "socket-error",
	    [CONN_END_SLOW] = "peer-does-not-read",
	    [CONN_END_BUDGET] = "unauthenticated-too-long",
	    [CONN_END_TLS] = "tls-failed",
	    [CONN_END_STOP] = "stopped",
	    [CONN_END_SILENT] = "peer-silent",
	};

	return names[end];
}

/* --- input ------------------------------------------------------------------------------- */

struct str_view conn_input(const struct conn *conn)
{
	return str_view(conn->in.p ? conn->in.p + conn->in_at : "", conn->in.n - conn->in_at);
}

/* Only the mark moves; octets do when the next read makes room, so what was borrowed stays. */
void conn_take(struct conn *conn, size_t n)
{
	CHECK(n <= conn->in.n - conn->in_at);
	conn->in_at += n;
}

enum conn_line conn_line(struct conn *conn, size_t max_octets, struct str_view *line_r)
{
	struct str_view in = conn_input(conn);
	const char *lf = memchr(in.p, '\n', in.n < max_octets + 2 ? in.n : max_octets + 2);
	size_t n;

	if (!lf)
		return in.n >= max_octets + 2 ? CONN_LINE_TOO_LONG : CONN_LINE_PART;
	n = (size_t)(lf - in.p);
	if (n && in.p[n - 1] == '\r')
		n--;
	/* A telnet fed from a pipe sends CR LF as CR NUL CR LF (RFC 854, CR NUL). */
	if (n >= 2 && memcmp(in.p + n - 2, "\r\0", 2) == 0)
		n -= 2;
	if (n > max_octets)
		return CONN_LINE_TOO_LONG;
	conn_take(conn, (size_t)(lf - in.p) + 1);
	*line_r = str_view(in.p, n);
	return CONN_LINE;
}

bool conn_skip_line(struct conn *conn)
{
	struct str_view in = conn_input(conn);
	const char *lf = memchr(in.p, '\n', in.n);

	conn_take(conn, lf ? (size_t)(lf - in.p) + 1 : in.n);
	return lf != NULL;
}

bool conn_at_eof(const struct conn *conn)
{
	return conn->eof;
}

/* --- output ------------------------------------------------------------------------------ */

/* A large answer begins to leave while the rest is made; a fault shows when the door returns. */
static void send_if_large(struct conn *conn)
{
	if (stream_unsent(conn) >= OUT_FLUSH_OCTETS && !conn->blocked && !conn->handshaking &&
	    !conn->zip_wanted && stream_push(conn) == STREAM_FAILED)
		conn->blocked = true;
}

void conn_put(struct conn *conn, const void *octets, size_t n)
{
	str_buf_put(&conn->out, octets, n);
	send_if_large(conn);
}

void conn_puts(struct conn *conn, const char *s)
{
	conn_put(conn, s, strlen(s));
}

void conn_printf(struct conn *conn, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_buf_vprintf(&conn->out, fmt, ap);
	va_end(ap);
	send_if_large(conn);
}

struct str_buf *conn_out(struct conn *conn)
{
	return &conn->out;
}

bool conn_should_yield(const struct conn *conn)
{
	return stream_unsent(conn) > OUT_YIELD_OCTETS;
}

/* --- TLS ---------------------------------------------------------------------------------- */

void conn_starttls(struct conn *conn)
{
	CHECK(conn_tls_available(conn) && !conn->tls && !conn->authed);
	conn->starttls_wanted = true;
}

bool conn_is_tls(const struct conn *conn)
{
	return conn->tls != NULL;
}

bool conn_tls_available(const struct conn *conn)
{
	return conn->server->tls != NULL;
}

/* --- compression -------------------------------------------------------------------------- */

void conn_compress(struct conn *conn)
{
	CHECK(conn->authed && !conn->zip && !conn->zip_wanted);
	conn->zip_wanted = true;
}

bool conn_is_compressed(const struct conn *conn)
{
	return conn->zip || conn->zip_wanted;
}

/* --- the rest ----------------------------------------------------------------------------- */

const char *conn_peer(const struct conn *conn)
{
	return conn->peer;
}

bool conn_peer_uid(const struct conn *conn, uid_t *uid_r)
{
	struct ucred who;
	socklen_t n = sizeof who;

	if (strncmp(conn->peer, NET_UNIX, sizeof NET_UNIX - 1) != 0 ||
	    getsockopt(conn->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		return false;
	*uid_r = who.uid;
	return true;
}

uint64_t conn_id(const struct conn *conn)
{
	return conn->id;
}

struct net_server *conn_server(const struct conn *conn)
{
	return conn->server;
}

void conn_set_timeout(struct conn *conn, int64_t ms)
{
	conn->idle_ms = ms;
	conn->idle_at = ms ? clock_mono_ms() + ms : NEVER;
}

void conn_hold_for(struct conn *conn, int64_t ms)
{
	conn->hold_at = clock_mono_ms() + ms;
}

void conn_keep_secret(struct conn *conn)
{
	conn->is_secret = true;
}

void conn_authenticated(struct conn *conn, uint64_t user)
{
	conn->authed = true;
	conn->preauth_at = NEVER;
	user_join(conn, user);
}

/*
 * net/run.c - one connection, run by the worker that owns it: what it waits for, when its door is
 * called, and how it ends.
 *
 * The rules in one place:
 *   - while output is stuck the door is not called (back-pressure), but for CONN_STOPPING;
 *   - while a door yields or holds, nothing is read;
 *   - whatever ends a connection, its door's close() is called once, before the last words go out.
 */
#include "net/conn_priv.h"
#include "base/clock.h"
#include "base/log.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define STUCK_WAIT_MS 20 /* a worker waits so long for a full socket before it does something else */

static enum run_result finish(struct conn *conn, bool orderly)
{
	zip_end(conn);
	tls_end(conn, orderly);
	if (orderly && !conn->eof) {
		/* Unread input at close would reset the connection under our last words. */
		char scrap[4096];

		shutdown(conn->fd, SHUT_WR);
		for (int i = 0; i < 16 && recv(conn->fd, scrap, sizeof scrap, MSG_DONTWAIT) > 0; i++)
			;
	}
	slot_free(conn);
	return RUN_GONE;
}

/* The door is told, and gives back what it holds. */
static void part_from_door(struct conn *conn, enum conn_end end)
{
	log_debug("connection-end", "door=%s peer=%s why=%s", conn->listener->door->name, conn->peer,
	    conn_end_name(end));
	if (conn->is_open)
		conn->listener->door->close(conn, conn->state, end);
	conn->is_open = false;
	conn->state = NULL;
	user_part(conn);
	slot_uncount(conn);
}

/* Ends it without waiting for anything. */
static enum run_result cut(struct conn *conn, enum conn_end end)
{
	if (conn->silent)
		end = CONN_END_SILENT;
	if (!conn->closing)
		part_from_door(conn, end);
	return finish(conn, false);
}

/* Sends the last words; gone once they are out, or nobody wants them. */
static enum run_result close_step(struct conn *conn)
{
	switch (stream_flush(conn)) {
	case STREAM_OK:
		return finish(conn, true);
	case STREAM_BLOCKED:
		if (clock_mono_ms() < conn->close_at)
			return RUN_ARM;
		return finish(conn, false);
	case STREAM_EOF:
	case STREAM_FAILED:
		break;
	}
	return finish(conn, false);
}

static enum run_result close_begin(struct conn *conn, enum conn_end end)
{
	part_from_door(conn, end);
	conn->closing = true;
	conn->close_at = clock_mono_ms() + CLOSE_DRAIN_MS;
	return close_step(conn);
}

static bool over_budget(const struct conn *conn)
{
	return !conn->authed && conn->in_octets > conn->server->limits.preauth_octets;
}

/* The first call of the door; over TLS only after the handshake. */
static void open_door(struct conn *conn)
{
	const struct listener *listener = conn->listener;

	conn->state = listener->door->open(conn, listener->door_arg);
	conn->is_open = true;
	conn->held |= CONN_OPENED;
}

/* STREAM_OK when the door may be called. */
static enum stream_result handshake_step(struct conn *conn)
{
	enum stream_result result = tls_handshake(conn);

	if (result == STREAM_OK && conn->is_open)
		conn->held |= CONN_TLS_UP;
	else if (result == STREAM_OK)
		open_door(conn);
	return result;
}

static enum stream_result starttls_begin(struct conn *conn)
{
	struct err e;

	/* What was read before the handshake may be an attacker's (RFC 3501 6.2.1, CVE-2011-0411). */
	conn->starttls_wanted = false;
	str_buf_clear(&conn->in);
	conn->in_at = 0;
	if (tls_start(conn, &e) < 0) {
		log_error("tls", "%s", log_err(&e));
		return STREAM_FAILED;
	}
	return handshake_step(conn);
}

/* Sends what waits, with a little patience when others don't need this worker. */
static enum stream_result send_out(struct conn *conn)
{
	struct pollfd p = {.fd = conn->fd, .events = POLLOUT};
	enum stream_result result = stream_flush(conn);

	if (result == STREAM_BLOCKED && atomic_load(&conn->server->idle) > 0 &&
	    poll(&p, 1, STUCK_WAIT_MS) > 0)
		result = stream_flush(conn);
	return result;
}

/* The same while it holds; where it goes on, its peer's silence begins anew. */
static unsigned held_events(struct conn *conn, unsigned events)
{
	int64_t now = clock_mono_ms();

	if (now >= conn->hold_at) {
		events |= CONN_HELD;
		conn->hold_at = NEVER;
	}
	if (now >= conn->preauth_at)
		events |= CONN_TIMEOUT;
	if (events && conn->idle_ms)
		conn->idle_at = now + conn->idle_ms;
	return events;
}

/* Why the door is to be called now; 0: nothing to say to it. */
static unsigned door_events(struct conn *conn, bool may_read, enum stream_result *read_r)
{
	unsigned events = conn->held;

	conn->held = 0;
	*read_r = STREAM_BLOCKED;
	if (conn->yielded) {
		conn->yielded = false;
		if (conn->idle_ms)
			conn->idle_at = clock_mono_ms() + conn->idle_ms;
		return events | CONN_DRAINED;
	}
	if (conn->holding)
		return held_events(conn, events);
	if (may_read && !(events & CONN_STOPPING)) {
		*read_r = stream_fill(conn);
		if (*read_r == STREAM_OK || *read_r == STREAM_EOF)
			events |= CONN_INPUT;
	}
	if (conn->idle_ms) {
		int64_t now = clock_mono_ms();

		if (now >= conn->idle_at && !(events & CONN_INPUT))
			events |= CONN_TIMEOUT;
		if (events & (CONN_INPUT | CONN_TIMEOUT))
			conn->idle_at = now + conn->idle_ms;
	}
	if (clock_mono_ms() >= conn->preauth_at)
		events |= CONN_TIMEOUT;
	return events;
}

/* What follows from what the door returned.  RUN_AGAIN: call it again. */
static enum run_result after_door(struct conn *conn, unsigned events, enum conn_next next)
{
	if (events & CONN_STOPPING)
		return close_begin(conn, CONN_END_STOP);
	if (next == CONN_CLOSE)
		return close_begin(conn, CONN_END_DOOR);
	if (clock_mono_ms() >= conn->preauth_at)
		return close_begin(conn, CONN_END_BUDGET);
	if (next == CONN_WAIT && conn->eof)
		return close_begin(conn, CONN_END_PEER);
	if (conn->zip_wanted) {
		zip_begin(conn);
		conn->held |= CONN_COMPRESSED;
	}
	conn->yielded = next == CONN_YIELD;
	conn->holding = next == CONN_HOLD;
	switch (send_out(conn)) {
	case STREAM_OK:
		break;
	case STREAM_BLOCKED:
		return RUN_ARM;
	case STREAM_EOF:
	case STREAM_FAILED:
		return cut(conn, CONN_END_PEER);
	}
	if (conn->starttls_wanted) {
		enum stream_result result = starttls_begin(conn);

		if (result == STREAM_FAILED)
			return cut(conn, CONN_END_TLS);
		return result == STREAM_OK ? RUN_AGAIN : RUN_ARM;
	}
	if (conn->yielded || conn->held)
		return RUN_AGAIN;
	return !conn->holding && (conn->in_full || conn->tls_more || zip_has_more(conn)) ? RUN_AGAIN : RUN_ARM;
}

/* Nothing of what was taken stays in the buffer where it may be a secret; beyond what was in it before nothing ever was. */
static enum conn_next call_door(struct conn *conn, unsigned events)
{
	bool may_be_secret = conn_may_be_secret(conn);
	size_t n = conn->in.n;
	enum conn_next next = conn->listener->door->run(conn, conn->state, events);

	if (may_be_secret && conn->in.p) {
		explicit_bzero(conn->in.p, conn->in_at);
		if (conn->in.n < n)
			explicit_bzero(conn->in.p + conn->in.n, n - conn->in.n);
	}
	return next;
}

/* Calls the door as long as there is something to say and its turn lasts. */
static enum run_result door_loop(struct conn *conn, bool may_read, int64_t turn_ends_ms)
{
	enum run_result result = RUN_AGAIN;

	while (result == RUN_AGAIN) {
		enum stream_result got;
		unsigned events = door_events(conn, may_read, &got);

		if (got == STREAM_FAILED)
			return cut(conn, CONN_END_PEER);
		if (got == STREAM_OK && over_budget(conn))
			return cut(conn, CONN_END_BUDGET);
		if (!events)
			return RUN_ARM;
		result = after_door(conn, events, call_door(conn, events));
		may_read = true;
		if (result == RUN_AGAIN && clock_mono_ms() >= turn_ends_ms)
			break;
	}
	return result;
}

/* Output of an earlier call that is still stuck: true with *result_r when that settles this step. */
static bool still_stuck(struct conn *conn, enum run_result *result_r)
{
	switch (stream_flush(conn)) {
	case STREAM_OK:
		return false;
	case STREAM_BLOCKED:
		if (conn->held & CONN_STOPPING) {
			conn->listener->door->run(conn, conn->state, CONN_STOPPING);
			*result_r = close_begin(conn, CONN_END_STOP);
		} else {
			int64_t now = clock_mono_ms();

			*result_r = RUN_ARM;
			if (now >= conn->send_at || now >= conn->preauth_at)
				*result_r = cut(conn, CONN_END_SLOW);
		}
		return true;
	case STREAM_EOF:
	case STREAM_FAILED:
		break;
	}
	*result_r = cut(conn, CONN_END_PEER);
	return true;
}

/* A handshake that is under way: true with *result_r unless it is done now. */
static bool still_shaking_hands(struct conn *conn, enum run_result *result_r)
{
	if (!conn->handshaking)
		return false;
	if (conn->held & CONN_STOPPING) {
		*result_r = cut(conn, CONN_END_STOP);
		return true;
	}
	switch (handshake_step(conn)) {
	case STREAM_OK:
		return false;
	case STREAM_BLOCKED:
		*result_r = RUN_ARM;
		if (clock_mono_ms() >= conn->handshake_at)
			*result_r = cut(conn, CONN_END_BUDGET);
		return true;
	case STREAM_EOF:
	case STREAM_FAILED:
		break;
	}
	*result_r = cut(conn, CONN_END_TLS);
	return true;
}

/* Asked before anything is read, since reading takes a socket's error away. */
static bool has_fallen_silent(const struct conn *conn)
{
	int sys = 0;
	socklen_t size = sizeof sys;

	return conn->silent ||
	       (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &sys, &size) == 0 && alive_is_silence(sys));
}

enum run_result run_step(struct conn *conn, unsigned events, int64_t turn_ends_ms)
{
	enum run_result result;
	struct err e;

	if (events & EV_CUT)
		return cut(conn, CONN_END_STOP);
	if (conn->closing)
		return close_step(conn);
	if (events & EV_HANGUP && has_fallen_silent(conn))
		return cut(conn, CONN_END_SILENT);
	conn->held |= events & EV_DOOR;
	if (conn->held & CONN_OPENED && conn->listener->tls) {
		conn->held &= ~(unsigned)CONN_OPENED;
		if (tls_start(conn, &e) < 0) {
			log_error("tls", "%s", log_err(&e));
			return cut(conn, CONN_END_TLS);
		}
	} else if (conn->held & CONN_OPENED) {
		open_door(conn);
	}
	if (still_shaking_hands(conn, &result))
		return result;
	if (stream_unsent(conn) && still_stuck(conn, &result))
		return result;
	if (conn->starttls_wanted) {
		if (starttls_begin(conn) == STREAM_FAILED)
			return cut(conn, CONN_END_TLS);
		if (conn->handshaking)
			return RUN_ARM;
	}
	/* A buffer that is full waits for its door, not for its socket: only the hang-up is news. */
	if (events & EV_HANGUP && !(run_wants(conn) & EPOLLIN))
		return cut(conn, CONN_END_PEER);
	return door_loop(conn, !(conn->held & CONN_OPENED), turn_ends_ms);
}

uint32_t run_wants(const struct conn *conn)
{
	if (conn->handshaking)
		return conn->tls_wants_write ? EPOLLOUT : EPOLLIN;
	if (conn->blocked)
		return EPOLLOUT;
	if (conn->yielded || conn->holding || conn->in.n - conn->in_at >= conn->server->limits.input_max_octets)
		return 0;
	return EPOLLIN;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t run_deadline(const struct conn *conn)
{
	if (conn->closing)
		return conn->close_at;
	if (conn->handshaking)
		return conn->handshake_at;
	/* While output is stuck or the door holds, the idle clock stands still. */
	return sooner(sooner(conn->preauth_at, zip_rests_at(conn)),
	    conn->blocked ? conn->send_at : conn->holding ? conn->hold_at : conn->idle_at);
}

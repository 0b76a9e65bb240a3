/*
 * base/control.c - a line asked, a line answered, over a Unix socket in a folder.
 *
 * A socket's path may be longer than the 108 bytes an address has room for, so both ends go through
 * /proc/self/fd/N/name.  The server binds beside the name and renames over it: what a killed process
 * left behind is replaced in one step.  One thread serves a handful of peers at a time, so that a peer that
 * was stopped half-way through its line keeps nobody else waiting.
 */
#include "base/control.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS_MAX 16
#define LINE_MAX_BYTES 4096
#define PEER_MS 2000 /* a peer that has not asked by then is hung up on */

struct peer {
	int fd; /* -1: free */
	int64_t until_ms;
	struct str_buf in;
};

struct control_server {
	int listen_fd, stop_fd;
	void (*answer)(void *arg, struct str_view request, struct str_buf *out);
	void *arg;
	pthread_t thread;
	struct peer peers[PEERS_MAX];
};

static int make_address(int dir_fd, const char *name, struct sockaddr_un *address, struct err *e)
{
	int n;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", dir_fd, name);
	if (n < 0 || (size_t)n >= sizeof address->sun_path)
		return err_set(e, ERR_INVALID, "socket name %s is too long", name);
	return 0;
}

static void hang_up(struct peer *peer)
{
	close(peer->fd);
	peer->fd = -1;
	str_buf_fini(&peer->in);
}

/* Answers are short; one that does not fit a socket's buffer goes to a peer that does not read. */
static void answer_peer(struct control_server *server, struct peer *peer, size_t line_n)
{
	struct str_buf out = {0};

	server->answer(server->arg, str_trim(str_view(peer->in.p, line_n)), &out);
	str_buf_putc(&out, '\n');
	if (send(peer->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)out.n)
		log_debug("control-answer-lost", "errno=%d", errno);
	str_buf_fini(&out);
	hang_up(peer);
}

static void read_peer(struct control_server *server, struct peer *peer)
{
	char *room = str_buf_room(&peer->in, LINE_MAX_BYTES);
	ssize_t r = recv(peer->fd, room, LINE_MAX_BYTES, MSG_DONTWAIT);
	const char *end;

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r <= 0) {
		hang_up(peer);
		return;
	}
	peer->in.n += (size_t)r;
	end = memchr(peer->in.p, '\n', peer->in.n);
	if (end)
		answer_peer(server, peer, (size_t)(end - peer->in.p));
	else if (peer->in.n >= LINE_MAX_BYTES)
		hang_up(peer);
}

static void accept_peer(struct control_server *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (int i = 0; i < PEERS_MAX; i++)
		if (server->peers[i].fd < 0) {
			server->peers[i].fd = fd;
			server->peers[i].until_ms = clock_mono_ms() + PEER_MS;
			return;
		}
	close(fd);
}

static void hang_up_the_late(struct control_server *server)
{
	int64_t now_ms = clock_mono_ms();

	for (int i = 0; i < PEERS_MAX; i++)
		if (server->peers[i].fd >= 0 && server->peers[i].until_ms <= now_ms)
			hang_up(&server->peers[i]);
}

/* Fills the set; the time to wait: for ever while nobody is connected.  A full house leaves the
 * listening socket out, so that the next peers wait in its backlog. */
static int gather(struct control_server *server, struct pollfd set[PEERS_MAX + 2])
{
	int busy = 0;

	set[0] = (struct pollfd){.fd = server->stop_fd, .events = POLLIN};
	for (int i = 0; i < PEERS_MAX; i++) {
		set[i + 2] = (struct pollfd){.fd = server->peers[i].fd, .events = POLLIN};
		busy += server->peers[i].fd >= 0;
	}
	set[1] = (struct pollfd){
	    .fd = busy < PEERS_MAX ? server->listen_fd : -1, .events = POLLIN};
	return busy ? 500 : -1;
}

static void *serve(void *arg)
{
	struct control_server *server = arg;

	for (;;) {
		struct pollfd set[PEERS_MAX + 2];

		if (poll(set, PEERS_MAX + 2, gather(server, set)) < 0)
			continue;
		if (set[0].revents)
			return NULL;
		for (int i = 0; i < PEERS_MAX; i++)
			if (set[i + 2].revents)
				read_peer(server, &server->peers[i]);
		if (set[1].revents)
			accept_peer(server);
		hang_up_the_late(server);
	}
}

static int listen_at(int dir_fd, const char *name, int *fd_r, struct err *e)
{
	struct sockaddr_un address;
	char beside[80];
	int fd, sys;

	snprintf(beside, sizeof beside, "%.64s.new", name);
	if (make_address(dir_fd, beside, &address, e) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "control socket");
	unlinkat(dir_fd, beside, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0 ||
	    renameat(dir_fd, beside, dir_fd, name) < 0) {
		sys = errno;
		close(fd);
		return err_sys(e, ERR_IO, sys, "control socket %s", name);
	}
	*fd_r = fd;
	return 0;
}

int control_serve(int dir_fd, const char *name,
    void (*answer)(void *arg, struct str_view request, struct str_buf *out), void *arg,
    struct control_server **server_r, struct err *e)
{
	struct control_server *server;
	int fd = -1, r;

	if (listen_at(dir_fd, name, &fd, e) < 0)
		return -1;
	server = mem_alloc(sizeof *server);
	server->listen_fd = fd;
	server->answer = answer;
	server->arg = arg;
	for (int i = 0; i < PEERS_MAX; i++)
		server->peers[i].fd = -1;
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	r = server->stop_fd < 0 ? errno : thread_start(&server->thread, serve, server);
	if (r != 0) {
		if (server->stop_fd >= 0)
			close(server->stop_fd);
		close(fd);
		free(server);
		return err_sys(e, ERR_UNAVAILABLE, r, "control thread");
	}
	*server_r = server;
	return 0;
}

void control_stop(struct control_server **server)
{
	struct control_server *s = *server;
	uint64_t one = 1;

	if (!s)
		return;
	CHECK(write(s->stop_fd, &one, sizeof one) == sizeof one);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < PEERS_MAX; i++)
		if (s->peers[i].fd >= 0)
			hang_up(&s->peers[i]);
	close(s->stop_fd);
	close(s->listen_fd);
	mem_free(server);
}

void control_forked(struct control_server *server)
{
	if (!server)
		return;
	close(server->stop_fd);
	close(server->listen_fd);
	for (int i = 0; i < PEERS_MAX; i++)
		if (server->peers[i].fd >= 0)
			close(server->peers[i].fd);
}

static int late(struct err *e, const char *name)
{
	return err_set(e, ERR_TEMP, "%s did not answer in time", name);
}

/* What is left until then, for a socket call, never 0 (which would mean for ever). */
static bool set_wait(int fd, int option, int64_t until_ms)
{
	int64_t left_ms = until_ms - clock_mono_ms();
	struct timeval t = {left_ms / 1000, left_ms % 1000 * 1000};

	return left_ms > 0 && setsockopt(fd, SOL_SOCKET, option, &t, sizeof t) == 0;
}

static int receive_line(int fd, const char *name, int64_t until_ms, struct str_buf *out,
    struct err *e)
{
	size_t had = out->n;

	for (;;) {
		ssize_t r = -1;

		if (!set_wait(fd, SO_RCVTIMEO, until_ms))
			return late(e, name);
		r = recv(fd, str_buf_room(out, LINE_MAX_BYTES), LINE_MAX_BYTES, 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && errno == EAGAIN)
			return late(e, name);
		if (r <= 0)
			return err_set(e, ERR_TEMP, "%s hung up", name);
		out->n += (size_t)r;
		out->p[out->n] = '\0';
		if (out->p[out->n - 1] == '\n') {
			out->p[--out->n] = '\0';
			return 0;
		}
		if (out->n - had > 16 * LINE_MAX_BYTES)
			return err_set(e, ERR_TOOBIG, "%s answers at length", name);
	}
}

static int converse(int fd, const struct sockaddr_un *address, const char *name,
    struct str_view request, int64_t until_ms, struct str_buf *out, struct err *e)
{
	struct str_buf line = {0};
	ssize_t sent;

	/* SO_SNDTIMEO bounds connect too: a listener whose process was stopped has a backlog that fills. */
	if (!set_wait(fd, SO_SNDTIMEO, until_ms))
		return late(e, name);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(e, ERR_NOTFOUND, "nobody listens at %s", name);
		if (errno == EAGAIN || errno == EINPROGRESS)
			return late(e, name);
		return err_sys(e, ERR_IO, errno, "connect to %s", name);
	}
	str_buf_put(&line, request.p, request.n);
	str_buf_putc(&line, '\n');
	sent = send(fd, line.p, line.n, MSG_NOSIGNAL);
	str_buf_fini(&line);
	if (sent != (ssize_t)request.n + 1)
		return late(e, name);
	return receive_line(fd, name, until_ms, out, e);
}

int control_ask(int dir_fd, const char *name, struct str_view request, int64_t wait_ms,
    struct str_buf *answer, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	struct sockaddr_un address;
	int fd, r;

	if (make_address(dir_fd, name, &address, e) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "control socket");
	r = converse(fd, &address, name, request, until_ms, answer, e);
	close(fd);
	return r;
}

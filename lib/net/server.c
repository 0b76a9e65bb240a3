/*
 * net/server.c - the threads: workers that wait in epoll themselves, and the thread of
 * net_server_run, which keeps time and ends it all.
 *
 * One worker at a time hears of a connection (EPOLLONESHOT), runs it, lingers a moment in case the
 * next command comes right away, and hands it back.  When the last worker that waited gets
 * something to do, another one is started, up to workers_max.
 */
#include "net/conn_priv.h"
#include "net/tls.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_TURN 16    /* ready connections that a worker runs before it hears its peers */
#define LINGER_NS 200000 /* a hop to another worker costs more than a short wait */
#define TURN_MS 20       /* a connection with more to do lets the others in after so long */
#define WORKERS_AT_START 2
#define RESTS 2          /* then it sleeps: the second time gives back what workers left that retired */

/* What an epoll event is about: listeners' numbers, the queue, or a connection's id (all higher). */
#define TAG_QUEUE 1000u

const struct net_limits net_limits_default = {
    .workers_max = 64,
    .worker_max_per_user = 4,
    .preauth_octets = 65536,
    .preauth_ms = 60000,
    .handshake_ms = 30000,
    .handshakes_max = 1000,
    .send_timeout_ms = 120000,
    .keepalive_s = 900,
    .input_max_octets = 131072,
    .deflate_level = 6,
    .deflate_window_bits = 15,
    .deflate_memory_level = 8,
    .stop_ms = 5000,
    .rest_ms = 15000,
};

static void worker_add(struct net_server *server);

static _Thread_local struct worker *this_worker;

static void poke(int event_fd)
{
	const uint64_t one = 1;

	if (write(event_fd, &one, sizeof one) < 0)
		return; /* EAGAIN: it is full of pokes already */
}

void server_kick(struct net_server *server)
{
	poke(server->kick_fd);
}

/* --- ready connections ------------------------------------------------------------------- */

/* Each poke is an edge that wakes one worker.  Until it is heard, another would wake nobody: not written.
 * Called with queue_lock; true: poke. */
static bool wants_poke(struct net_server *server)
{
	bool wants = server->ready_first && !server->queue_poked;

	server->queue_poked |= wants;
	return wants;
}

void server_ready(struct net_server *server, struct conn *conn)
{
	bool wants;

	pthread_mutex_lock(&server->queue_lock);
	conn->next = NULL;
	*(server->ready_first ? &server->ready_last->next : &server->ready_first) = conn;
	server->ready_last = conn;
	wants = wants_poke(server);
	pthread_mutex_unlock(&server->queue_lock);
	if (wants)
		poke(server->queue_fd);
}

/* Takes one connection, and wakes the next worker where there are more.  heard: by a poke. */
static struct conn *queue_take(struct net_server *server, bool heard)
{
	struct conn *conn;
	bool wants;

	pthread_mutex_lock(&server->queue_lock);
	if (heard)
		server->queue_poked = false;
	conn = server->ready_first;
	if (conn)
		server->ready_first = conn->next;
	wants = wants_poke(server);
	pthread_mutex_unlock(&server->queue_lock);
	if (wants)
		poke(server->queue_fd);
	return conn;
}

/* Leaves event bits; the connection if the caller owns it now, NULL if its owner will see them. */
static struct conn *claim(struct net_server *server, uint64_t id, unsigned events)
{
	struct conn *conn = slot_find(server, id), *mine = NULL;

	if (!conn || !id)
		return NULL;
	pthread_mutex_lock(&conn->lock);
	if (conn->id == id) {
		conn->events |= events;
		if (!conn->running)
			mine = conn;
		conn->running = true;
	}
	pthread_mutex_unlock(&conn->lock);
	return mine;
}

void server_post(struct net_server *server, uint64_t id, unsigned events)
{
	struct conn *conn = claim(server, id, events);

	if (conn)
		server_ready(server, conn);
}

void net_wake(struct net_server *server, uint64_t conn_id)
{
	server_post(server, conn_id, CONN_WOKEN);
}

/* No other worker need be woken, nor this one wait for its turn. */
void net_hand_over(struct net_server *server, uint64_t conn_id)
{
	struct conn *conn = claim(server, conn_id, CONN_WOKEN);

	if (!conn)
		return;
	if (this_worker && this_worker->server == server && !this_worker->next)
		this_worker->next = conn;
	else
		server_ready(server, conn);
}

void net_end(struct net_server *server, uint64_t conn_id)
{
	server_post(server, conn_id, CONN_STOPPING);
}

void net_server_look(struct net_server *server)
{
	server_kick(server);
}

/* --- a worker ---------------------------------------------------------------------------- */

/* Idle connections own no buffers: the worker lends its own while it runs one. */
static void lend(struct str_buf *spare, struct str_buf *to)
{
	if (to->p)
		return;
	*to = *spare;
	*spare = (struct str_buf){0};
	str_buf_clear(to);
}

static void lend_back(struct str_buf *spare, struct str_buf *from, size_t *at)
{
	if (from->n > *at) {
		/* A little left over does not keep a large buffer. */
		if (from->n - *at > 1024 || from->size < 8192 || spare->p)
			return;
		struct str_buf small = {0};

		str_buf_put(&small, from->p + *at, from->n - *at);
		*spare = *from;
		*from = small;
		*at = 0;
		return;
	}
	*at = 0;
	if (!spare->p && from->size <= SPARE_MAX_BYTES) {
		*spare = *from;
		*from = (struct str_buf){0};
	} else {
		str_buf_fini(from);
	}
}

static unsigned take_events(struct conn *conn)
{
	unsigned events;

	pthread_mutex_lock(&conn->lock);
	events = conn->events;
	conn->events = 0;
	pthread_mutex_unlock(&conn->lock);
	return events;
}

/* The next command of a busy peer comes within a round trip; if nobody else needs this worker, it
 * waits that long. */
static bool linger(struct conn *conn)
{
	const struct timespec time = {.tv_nsec = LINGER_NS};
	struct pollfd p = {.fd = conn->fd, .events = POLLIN};

	if (conn->worker->next || run_wants(conn) != EPOLLIN || conn->closing || conn->handshaking ||
	    atomic_load(&conn->server->idle) == 0 || user_is_crowded(conn))
		return false;
	return ppoll(&p, 1, &time, NULL) > 0;
}

/* Hands the connection back to epoll; false: somebody left events meanwhile. */
static bool hand_back(struct worker *worker, struct conn *conn)
{
	struct net_server *server = worker->server;
	struct epoll_event want = {.events = run_wants(conn) | EPOLLONESHOT, .data.u64 = conn->id};
	int64_t deadline;
	bool armed;

	if (conn->zip)
		zip_rest(conn, clock_mono_ms());
	deadline = run_deadline(conn);
	lend_back(&worker->in, &conn->in, &conn->in_at);
	lend_back(&worker->out, &conn->out, &conn->out_at);
	if (deadline < atomic_load(&conn->timer_at))
		timer_set(server, conn, deadline);
	pthread_mutex_lock(&conn->lock);
	if (conn->events) {
		pthread_mutex_unlock(&conn->lock);
		return false;
	}
	/* Under the lock: once it is armed, another worker may have it, and close it. */
	armed = epoll_ctl(server->epoll_fd, conn->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, conn->fd,
		    &want) == 0;
	conn->in_epoll = true;
	conn->running = !armed;
	if (!armed) /* out of kernel memory: it would wait for ever */
		conn->events |= EV_CUT;
	pthread_mutex_unlock(&conn->lock);
	return armed;
}

/* Runs an owned connection until it waits, ends, or its turn is over. */
static void run(struct worker *worker, struct conn *conn)
{
	int64_t turn_ends_ms = clock_mono_ms() + TURN_MS;
	enum run_result result;

	conn->worker = worker;
	lend(&worker->in, &conn->in);
	lend(&worker->out, &conn->out);
	for (;;) {
		unsigned events = take_events(conn);

		result = run_step(conn, events, turn_ends_ms);
		if (result == RUN_GONE)
			return;
		if (result == RUN_AGAIN) {
			server_ready(worker->server, conn);
			return;
		}
		/* Who was woken for news has said nothing, and others were woken with him. */
		if (events != CONN_WOKEN && clock_mono_ms() < turn_ends_ms && linger(conn))
			continue;
		if (hand_back(worker, conn))
			return;
		lend(&worker->in, &conn->in);
		lend(&worker->out, &conn->out);
	}
}

/* Runs an owned connection within its user's share, and after it those that waited for it. */
static void serve(struct worker *worker, struct conn *conn)
{
	while (conn && (worker->user || user_enter(worker, conn))) {
		run(worker, conn);
		conn = user_leave(worker);
	}
}

/* Accepts one connection and runs it: a hop to another worker would cost more than the rest of a short
 * one.  Where more are waiting, the listener speaks up at once, and another worker comes for the next. */
static void listener_event(struct worker *worker, size_t i)
{
	struct net_server *server = worker->server;
	struct epoll_event want = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = i};
	struct conn *conn = listen_accept(server, &server->listeners[i]);

	if (!server->stopping)
		epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, server->listeners[i].fd, &want);
	serve(worker, conn);
}

/* A little while: what goes on and on lets others have their turn. */
static void run_handed_over(struct worker *worker)
{
	struct conn *conn;

	for (int i = 0; (conn = worker->next); i++) {
		worker->next = NULL;
		if (i < QUEUE_TURN)
			serve(worker, conn);
		else
			server_ready(worker->server, conn);
	}
}

/* Runs connections that are ready one after the other, but comes back for what sockets say. */
static void queue_event(struct worker *worker)
{
	struct conn *conn = queue_take(worker->server, true);

	for (int i = 1; conn; i++) {
		serve(worker, conn);
		run_handed_over(worker);
		conn = i < QUEUE_TURN ? queue_take(worker->server, false) : NULL;
	}
}

static void event(struct worker *worker, const struct epoll_event *ev)
{
	struct net_server *server = worker->server;
	unsigned events = EV_IO;

	if (ev->data.u64 < server->listeners_n) {
		listener_event(worker, ev->data.u64);
	} else if (ev->data.u64 == TAG_QUEUE) {
		queue_event(worker);
	} else {
		if (ev->events & (EPOLLHUP | EPOLLERR))
			events |= EV_HANGUP;
		serve(worker, claim(server, ev->data.u64, events));
	}
}

/* A worker that is not needed ends: malloc keeps small blocks for each thread (its tcache) that hold
 * the pages they lie in, and gives them back at a thread's end only.  True: the caller is nobody's now. */
static bool worker_retires(struct worker *worker)
{
	struct net_server *server = worker->server;
	bool retires;

	pthread_mutex_lock(&server->workers_lock);
	retires = server->workers_n > WORKERS_AT_START && !server->ending;
	if (retires) {
		pthread_detach(worker->thread);
		worker->works = false;
		server->workers_n--;
	}
	pthread_mutex_unlock(&server->workers_lock);
	return retires;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct net_server *server = worker->server;
	int rests = 0;

	this_worker = worker;

	while (!server->ending) {
		struct epoll_event ev;
		uint32_t others;
		int n;

		server->idle++;
		n = epoll_wait(server->epoll_fd, &ev, 1,
		    rests < RESTS ? (int)server->limits.rest_ms : -1);
		others = --server->idle;
		if (others == 0 && n > 0)
			worker_add(server);
		if (n > 0 && !server->ending)
			event(worker, &ev);
		run_handed_over(worker);
		rests = n == 0 ? rests + 1 : 0;
		if (rests)
			rest_worker(worker);
		/* Somebody has to wait in epoll, whatever comes. */
		if (rests && others && worker_retires(worker))
			return NULL;
	}
	str_buf_fini(&worker->in);
	str_buf_fini(&worker->out);
	poke(server->queue_fd); /* the next one ends as well */
	return NULL;
}

static void worker_add(struct net_server *server)
{
	pthread_mutex_lock(&server->workers_lock);
	if (server->workers_n < server->limits.workers_max && !server->ending) {
		struct worker *worker = server->workers;

		while (worker->works)
			worker++;
		worker->server = server;
		if (thread_start(&worker->thread, worker_main, worker) == 0) {
			worker->works = true;
			server->workers_n++;
		} else {
			log_warn("no-more-workers", "workers=%u", server->workers_n);
		}
	}
	pthread_mutex_unlock(&server->workers_lock);
}

/* --- the time-keeper, and the end -------------------------------------------------------- */

static void sleep_until_kicked(struct net_server *server, int64_t ms)
{
	struct pollfd p = {.fd = server->kick_fd, .events = POLLIN};
	uint64_t pokes;

	if (poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int)ms) > 0 &&
	    read(server->kick_fd, &pokes, sizeof pokes) < 0)
		return; /* somebody else saw it: there is nobody else, and no harm */
}

static void keep_time(struct net_server *server)
{
	while (!server->stop_asked) {
		int64_t now = clock_mono_ms(), next = NEVER, rounds;
		uint64_t id;

		if (atomic_exchange(&server->reread_asked, false) && server->tls)
			net_tls_look(server->tls, true);
		while ((id = timer_due(server, now, &next)))
			server_post(server, id, EV_TIMER);
		rounds = alive_due(server, now);
		if (rounds < next)
			next = rounds;
		sleep_until_kicked(server, next == NEVER ? -1 : next - now);
	}
}

/* Tells every connection, again and again (one may just have been accepted), until all are gone. */
static void end_connections(struct net_server *server, unsigned how, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (server->conns && clock_mono_ms() < until) {
		uint32_t at = 0;

		for (uint64_t id; (id = slot_next(server, &at));)
			server_post(server, id, how);
		sleep_until_kicked(server, 20);
	}
}

static void end_workers(struct net_server *server)
{
	uint32_t at = 0;

	pthread_mutex_lock(&server->workers_lock);
	server->ending = true; /* no worker is added or retires from now on */
	pthread_mutex_unlock(&server->workers_lock);
	poke(server->queue_fd); /* one hears it, and pokes the next */
	for (uint32_t i = 0; i < server->limits.workers_max; i++)
		if (server->workers[i].works)
			pthread_join(server->workers[i].thread, NULL);
	server->workers_n = 0;
	for (uint64_t id; (id = slot_next(server, &at));)
		run_step(slot_find(server, id), EV_CUT, 0);
}

void net_server_run(struct net_server *server)
{
	for (int i = 0; i < WORKERS_AT_START; i++)
		worker_add(server);
	keep_time(server);
	server->stopping = true;
	for (size_t i = 0; i < server->listeners_n; i++)
		epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, server->listeners[i].fd, NULL);
	end_connections(server, CONN_STOPPING, server->limits.stop_ms);
	end_connections(server, EV_CUT, server->limits.stop_ms);
	end_workers(server);
}

void net_server_reread(struct net_server *server)
{
	int saved = errno;

	atomic_store(&server->reread_asked, true);
	server_kick(server);
	errno = saved;
}

void net_server_stop(struct net_server *server)
{
	int saved = errno;

	atomic_store(&server->stop_asked, true);
	server_kick(server);
	errno = saved;
}

/* --- making and freeing ------------------------------------------------------------------ */

/* One counter per door, however many addresses it listens on. */
static void share_counters(struct net_server *server)
{
	for (size_t i = 0; i < server->listeners_n; i++) {
		size_t first = 0;

		while (server->listeners[first].door != server->listeners[i].door)
			first++;
		server->listeners[i].door_conns = &server->door_conns[first];
	}
}

static int listeners_open(struct net_server *server, const struct net_listen *listens, size_t n,
    struct err *e)
{
	server->listeners = mem_alloc(n * sizeof(*server->listeners));
	server->door_conns = mem_alloc(n * sizeof(*server->door_conns));
	for (size_t i = 0; i < n; i++) {
		struct listener *listener = &server->listeners[i];
		struct epoll_event want = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = i};

		if (listens[i].tls && !server->tls)
			return err_set(e, ERR_INVALID, "%s wants TLS, but there is no certificate",
			    listens[i].address);
		if (listen_open(&listens[i], &server->limits, &listener->fd, e) < 0)
			return -1;
		server->listeners_n++;
		listener->tls = listens[i].tls;
		listener->door = listens[i].door;
		listener->door_arg = listens[i].door_arg;
		if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, listener->fd, &want) < 0)
			return err_sys(e, ERR_UNAVAILABLE, errno, "epoll for %s",
			    listens[i].address);
	}
	share_counters(server);
	return 0;
}

static int descriptors_open(struct net_server *server, struct err *e)
{
	struct epoll_event want = {.events = EPOLLIN | EPOLLET, .data.u64 = TAG_QUEUE};

	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->queue_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (server->epoll_fd < 0 || server->queue_fd < 0 || server->kick_fd < 0 ||
	    server->spare_fd < 0 ||
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->queue_fd, &want) < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, "descriptors of the server");
	return 0;
}

int net_server_new(const struct net_listen *listens, size_t n, struct net_tls *tls,
    const struct net_limits *limits, struct net_server **server_r, struct err *e)
{
	struct net_server *server = mem_alloc(sizeof(*server));

	CHECK(n > 0 && n < TAG_QUEUE);
	server->limits = *limits;
	server->tls = tls;
	pthread_mutex_init(&server->timers.lock, NULL);
	pthread_mutex_init(&server->slots_lock, NULL);
	pthread_mutex_init(&server->queue_lock, NULL);
	pthread_mutex_init(&server->users_lock, NULL);
	pthread_mutex_init(&server->workers_lock, NULL);
	pthread_mutex_init(&server->rounds_lock, NULL);
	server->timers.awake_at = NEVER;
	server->strangers.running_max = limits->workers_max / 2 ? limits->workers_max / 2 : 1;
	server->workers = mem_alloc(limits->workers_max * sizeof(*server->workers));
	if (descriptors_open(server, e) < 0 || listeners_open(server, listens, n, e) < 0) {
		net_server_free(&server);
		return -1;
	}
	*server_r = server;
	return 0;
}

static void close_if_open(int fd)
{
	if (fd > 0)
		close(fd);
}

void net_server_free(struct net_server **server)
{
	struct net_server *s = *server;

	if (!s)
		return;
	CHECK(s->conns == 0);
	for (size_t i = 0; i < s->listeners_n; i++)
		close(s->listeners[i].fd);
	close_if_open(s->epoll_fd);
	close_if_open(s->queue_fd);
	close_if_open(s->kick_fd);
	close_if_open(s->spare_fd);
	alive_fini(s);
	slot_all_free(s);
	pthread_mutex_destroy(&s->timers.lock);
	pthread_mutex_destroy(&s->slots_lock);
	pthread_mutex_destroy(&s->queue_lock);
	pthread_mutex_destroy(&s->users_lock);
	pthread_mutex_destroy(&s->workers_lock);
	free(s->timers.heap);
	free(s->listeners);
	for (struct dialled *next; s->dialled; s->dialled = next) {
		next = s->dialled->next;
		free(s->dialled);
	}
	free(s->door_conns);
	free(s->workers);
	mem_free(server);
}

uint16_t net_server_port(const struct net_server *server, size_t i)
{
	struct sockaddr_storage at = {0};
	socklen_t size = sizeof at;

	CHECK(i < server->listeners_n);
	if (getsockname(server->listeners[i].fd, (struct sockaddr *)&at, &size) < 0)
		return 0;
	if (at.ss_family == AF_UNIX)
		return 0;
	return ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port
					     : ((struct sockaddr_in6 *)&at)->sin6_port);
}

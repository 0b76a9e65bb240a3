/*
 * net/alive.c - whether peers live: keepalive, and the probe round that does not wait for it.
 *
 * The kernel asks, counts the silences and ends the socket; here only its patience is set.  A round makes it
 * impatient with a user's connections that nothing was heard of for long, and takes that back at its end: who
 * answers never notices.  Where output waits for an acknowledgement the kernel asks by sending it again, and
 * no keepalive goes out; such a connection is judged by how often that was in vain.
 */
#include "net/conn_priv.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#define ROUNDS_MAX 4096      /* users at a time; one more has no round */
#define ROUND_CONNS_MAX 4096 /* of one user */
#define INTERVAL_MAX_S 20    /* whatever the round trip takes */
#define SLACK_MS 500         /* for the kernel's timers, and the worker that hears of the end */
#define PROBES 3

struct round {
	uint64_t user;
	struct net_probe_how how;
	int64_t begun_at, until, kept_until;
	bool is_over; /* patience is back */
	uint32_t n;
	uint64_t *ids;
	struct round *next;
};

struct patience {
	int idle_s, interval_s, probes;
	unsigned unacknowledged_ms;
};

static void set_patience(int fd, const struct patience *p)
{
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &p->unacknowledged_ms, sizeof p->unacknowledged_ms);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &p->probes, sizeof p->probes);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &p->interval_s, sizeof p->interval_s);
	/* last: it sets the timer, for at once if the peer was silent for so long (tcp(7)) */
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &p->idle_s, sizeof p->idle_s);
}

/*
 * A dead peer is found within keepalive_s, its three probes included.  TCP_USER_TIMEOUT overrides the number
 * of probes: were it shorter than all of them take, one that got lost on the way would end a living peer.
 */
void alive_options(const struct net_limits *limits, int fd)
{
	int on = 1, interval = limits->keepalive_s / 30 ? (int)(limits->keepalive_s / 30) : 1;
	int idle = (int)limits->keepalive_s - PROBES * interval;
	unsigned whole_ms = limits->keepalive_s * 1000;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	set_patience(fd, &(struct patience){
	    .idle_s = idle < 1 ? 1 : idle,
	    .interval_s = interval,
	    .probes = PROBES,
	    .unacknowledged_ms = limits->send_timeout_ms > whole_ms ? limits->send_timeout_ms : whole_ms,
	});
}

bool alive_is_silence(int sys)
{
	return sys == ETIMEDOUT || sys == EHOSTUNREACH || sys == ENETUNREACH;
}

/* ---- one connection, its lock held: its descriptor is its own as long as its id is ---- */

static bool read_info(const struct conn *conn, struct tcp_info *info_r)
{
	socklen_t size = sizeof *info_r;

	return getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, info_r, &size) == 0 && info_r->tcpi_state == TCP_ESTABLISHED;
}

/* Since its peer's last word, acknowledgements among them. */
static uint32_t silent_ms(const struct tcp_info *info)
{
	return info->tcpi_last_ack_recv < info->tcpi_last_data_recv ? info->tcpi_last_ack_recv
								   : info->tcpi_last_data_recv;
}

/* Sent again and again, and never acknowledged, for as long as the next time has come: nothing has to be asked. */
static bool is_unheard(const struct tcp_info *info, const struct net_probe_how *how)
{
	return silent_ms(info) >= how->idle_ms &&
	       (info->tcpi_retransmits > how->probes || info->tcpi_probes > how->probes);
}

static void end_unheard(struct conn *conn)
{
	conn->silent = true;
	shutdown(conn->fd, SHUT_RDWR);
}

/* When the kernel will have made up its mind; 0: it is not asked, its peer spoke a while ago. */
static int64_t ask(struct conn *conn, const struct net_probe_how *how, int64_t now)
{
	struct tcp_info info;
	uint32_t interval_s;

	if (!read_info(conn, &info) || silent_ms(&info) < how->idle_ms)
		return 0;
	if (is_unheard(&info, how))
		end_unheard(conn);
	interval_s = (4 * info.tcpi_rtt + 999999) / 1000000; /* its unit is the microsecond */
	if (interval_s < how->interval_s)
		interval_s = how->interval_s;
	if (interval_s > INTERVAL_MAX_S)
		interval_s = INTERVAL_MAX_S;
	set_patience(conn->fd, &(struct patience){
	    .idle_s = 1, .interval_s = (int)interval_s, .probes = (int)how->probes});
	return now + (int64_t)interval_s * how->probes * 1000 + SLACK_MS;
}

/* Or cuts it where output was sent in vain.  False: its end is on the way. */
static bool hear(struct conn *conn, const struct net_probe_how *how, struct tcp_info *info_r)
{
	if (!read_info(conn, info_r))
		return false;
	if (is_unheard(info_r, how))
		end_unheard(conn);
	return true;
}

static bool has_answered(struct conn *conn, const struct net_probe_how *how, int64_t for_ms)
{
	struct tcp_info info;

	return hear(conn, how, &info) && silent_ms(&info) < for_ms;
}

/* ---- a round; rounds_lock is held ---- */

static struct conn *lock_conn(struct net_server *server, uint64_t id)
{
	struct conn *conn = slot_find(server, id);

	if (!conn)
		return NULL;
	pthread_mutex_lock(&conn->lock);
	if (conn->id == id)
		return conn;
	pthread_mutex_unlock(&conn->lock);
	return NULL;
}

/* Those that are asked stay in ids. */
static void ask_all(struct net_server *server, struct round *round)
{
	uint32_t asked = 0;

	for (uint32_t i = 0; i < round->n; i++) {
		struct conn *conn = lock_conn(server, round->ids[i]);
		int64_t until = conn ? ask(conn, &round->how, round->begun_at) : 0;

		if (conn)
			pthread_mutex_unlock(&conn->lock);
		if (until)
			round->ids[asked++] = round->ids[i];
		if (until > round->until)
			round->until = until;
	}
	round->n = asked;
}

static struct round *begin(struct net_server *server, uint64_t user, const struct net_probe_how *how, int64_t now)
{
	struct round *round = mem_alloc(sizeof *round);

	round->user = user;
	round->how = *how;
	round->begun_at = round->until = now;
	round->ids = mem_alloc(ROUND_CONNS_MAX * sizeof *round->ids);
	round->n = user_conns(server, user, round->ids, ROUND_CONNS_MAX);
	ask_all(server, round);
	if (round->n == 0) {
		free(round->ids);
		free(round);
		return NULL;
	}
	round->ids = mem_realloc(round->ids, round->n * sizeof *round->ids);
	round->kept_until = round->until + how->kept_ms;
	round->next = server->rounds;
	server->rounds = round;
	server->rounds_n++;
	return round;
}

static void end(struct net_server *server, struct round *round)
{
	for (uint32_t i = 0; i < round->n; i++) {
		struct conn *conn = lock_conn(server, round->ids[i]);
		struct tcp_info info;

		if (!conn)
			continue;
		hear(conn, &round->how, &info);
		alive_options(&server->limits, conn->fd);
		pthread_mutex_unlock(&conn->lock);
	}
	round->is_over = true;
}

static void look(struct net_server *server, struct round *round, int64_t now, struct net_probe *found_r)
{
	for (uint32_t i = 0; i < round->n; i++) {
		struct conn *conn = lock_conn(server, round->ids[i]);

		if (!conn)
			found_r->ended++;
		else if (!round->is_over && !has_answered(conn, &round->how, now - round->begun_at))
			found_r->asked++;
		if (conn)
			pthread_mutex_unlock(&conn->lock);
	}
	if (found_r->asked) {
		found_r->wait_ms = round->until > now ? (uint32_t)(round->until - now) : 0;
	} else if (!round->is_over) {
		end(server, round);
		round->kept_until = now + round->how.kept_ms;
	}
}

static void drop(struct net_server *server, struct round **at)
{
	struct round *round = *at;

	*at = round->next;
	server->rounds_n--;
	free(round->ids);
	free(round);
}

void net_probe(struct net_server *server, uint64_t user, const struct net_probe_how *how, struct net_probe *found_r)
{
	int64_t now = clock_mono_ms();
	struct round *round;
	bool is_new = false;

	*found_r = (struct net_probe){0};
	pthread_mutex_lock(&server->rounds_lock);
	for (round = server->rounds; round && round->user != user; round = round->next)
		;
	if (!round && server->rounds_n < ROUNDS_MAX)
		is_new = (round = begin(server, user, how, now)) != NULL;
	if (round)
		look(server, round, now, found_r);
	pthread_mutex_unlock(&server->rounds_lock);
	if (is_new)
		server_kick(server);
}

int64_t alive_due(struct net_server *server, int64_t now)
{
	struct round **at = &server->rounds;
	int64_t next = NEVER;

	pthread_mutex_lock(&server->rounds_lock);
	while (*at) {
		struct round *round = *at;
		int64_t then = round->is_over ? round->kept_until : round->until;

		if (then <= now && round->is_over) {
			drop(server, at);
			continue;
		}
		if (then <= now) {
			end(server, round);
			then = round->kept_until;
		}
		next = then < next ? then : next;
		at = &round->next;
	}
	pthread_mutex_unlock(&server->rounds_lock);
	return next;
}

void alive_fini(struct net_server *server)
{
	while (server->rounds)
		drop(server, &server->rounds);
	pthread_mutex_destroy(&server->rounds_lock);
}

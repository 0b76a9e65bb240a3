/*
 * What the files of lib/net share.  Who may touch what:
 *
 *   - A struct conn lies in a slot that is never freed while the server lives, so a stale epoll
 *     event or a late net_wake finds memory; its id (slot and generation) tells whether it is
 *     still the connection that was meant.
 *   - conn->lock guards id, running and events.  Whoever sets running owns all the rest until it
 *     clears it again: reading, writing, the door's callbacks.  Everybody else leaves event bits.
 *   - Order of locks: rounds_lock, conn->lock, then any other one of the server's; those never nest.
 */
#ifndef NET_CONN_PRIV_H
#define NET_CONN_PRIV_H

#include "net/conn.h"

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <netinet/in.h>

/* Event bits of our own, above those of enum conn_event. */
#define EV_DOOR 0xffffu      /* the door's */
#define EV_IO 0x10000u       /* the socket is ready */
#define EV_HANGUP 0x20000u   /* the socket is dead both ways */
#define EV_TIMER 0x40000u    /* a deadline may have passed */
#define EV_CUT 0x80000u      /* the server's patience is over: close without a word */

#define NEVER INT64_MAX
#define ID_SLOT_BITS 24
#define CHUNK_SLOTS 256
#define CHUNKS_MAX 4096
#define USER_BUCKETS 256
#define ADDRESS_BUCKETS 1024

#define OUT_FLUSH_OCTETS ((size_t)64 * 1024)  /* conn_put sends by itself from here on */
#define OUT_YIELD_OCTETS ((size_t)256 * 1024) /* conn_should_yield */
#define IN_READ_OCTETS ((size_t)64 * 1024)    /* one read asks for no more */
#define SPARE_MAX_BYTES ((size_t)512 * 1024)  /* a worker keeps buffers up to this size */
#define CLOSE_DRAIN_MS 5000                   /* last words wait no longer for the peer */

struct net_user;
struct net_address;
struct listener;
struct tls_credentials;
struct zip;

struct conn {
	pthread_mutex_t lock;
	uint64_t id; /* 0: the slot is free */
	unsigned events;
	bool running;

	struct net_server *server;
	const struct listener *listener;
	struct conn *next; /* in the free list, the ready queue, or a user's line of waiting ones */
	void *state;       /* the door's */
	int fd;
	uint32_t slot;

	bool is_open;   /* the door knows it */
	bool yielded;   /* the door waits for its output to go */
	bool blocked;   /* the socket took less than there was */
	bool eof;
	bool closing;   /* the door is done with; last words go out */
	bool authed;
	bool is_secret; /* passwords go over it, whoever is logged in */
	bool handshaking, starttls_wanted;
	bool in_epoll;
	bool tls_wants_write, tls_resend, tls_more;
	bool holding;   /* the door waits for somebody else: nothing is read */
	bool in_full;   /* the last read filled what was asked for: there may be more */
	unsigned held;  /* the door's events that could not be delivered yet */
	gnutls_session_t tls;
	struct tls_credentials *tls_credentials; /* that it began with */
	bool tls_peer_trusted; /* it showed a certificate of somebody we trust */
	struct zip *zip; /* RFC 4978 is on */
	bool zip_wanted;

	struct str_buf in, out;
	size_t in_at, out_at; /* taken; sent */
	uint64_t in_octets;   /* ever read */

	/* Deadlines, monotonic ms; NEVER: none. */
	int64_t idle_ms, idle_at, preauth_at, handshake_at, send_at, close_at, hold_at;
	_Atomic int64_t timer_at; /* when the heap will speak up; timers.lock to write */
	size_t timer_pos;         /* in the heap + 1; 0: not there; timers.lock */

	struct net_user *user;
	struct conn *user_next, **user_at; /* the user's others; users_lock */
	_Atomic bool silent; /* alive.c ended it */
	struct worker *worker; /* that runs it */
	struct net_address *address;
	char peer[56];
};

/* A user's connections in one place, to bound the workers he keeps busy. */
struct net_user {
	uint64_t id;
	uint32_t conns, running, running_max;
	struct conn *all;          /* through user_next; not of strangers */
	struct conn *first, *last; /* waiting for one of his workers to be free */
	struct net_user *next;
};

/* Connections from one address. */
struct net_address {
	struct in6_addr ip;
	uint32_t conns;
	struct net_address *next;
};

struct listener {
	int fd;
	bool tls;
	const struct net_door *door;
	void *door_arg;
	_Atomic uint32_t *door_conns; /* one counter per door, shared by its listeners */
};

/* What connections that we make share, as those that came share their listener. */
struct dialled {
	struct listener as; /* fd: -1 */
	_Atomic uint32_t conns;
	struct dialled *next;
};

struct timers {
	pthread_mutex_t lock;
	struct conn **heap;
	size_t n, size;
	int64_t awake_at; /* the time-keeper sleeps until then */
};

struct worker {
	struct net_server *server;
	struct net_user *user; /* whose share it takes up now */
	pthread_t thread;
	bool works; /* there is a thread; workers_lock */
	struct str_buf in, out; /* spare buffers, lent to the connection that runs */
	struct conn *next;      /* was handed over to it; nobody else's */
};

struct net_server {
	struct net_limits limits;
	struct net_tls *tls;
	struct listener *listeners;
	size_t listeners_n;
	struct dialled *dialled; /* slots_lock */
	_Atomic uint32_t *door_conns;
	int epoll_fd, queue_fd, kick_fd, spare_fd;
	_Atomic bool reread_asked, stop_asked, stopping, ending;

	struct timers timers;
	_Atomic uint32_t handshakes; /* under way */

	pthread_mutex_t slots_lock; /* slots, addresses */
	_Atomic(struct conn *) chunks[CHUNKS_MAX];
	uint32_t slots_n;
	struct conn *free_slots;
	_Atomic uint32_t conns;
	struct net_address *addresses[ADDRESS_BUCKETS];

	pthread_mutex_t queue_lock;
	struct conn *ready_first, *ready_last;
	bool queue_poked; /* nobody heard it yet */

	pthread_mutex_t users_lock;
	struct net_user *users[USER_BUCKETS];
	struct net_user strangers; /* all who have not logged in: half the workers is their share */

	pthread_mutex_t rounds_lock;
	struct round *rounds; /* alive.c */
	uint32_t rounds_n;

	pthread_mutex_t workers_lock;
	struct worker *workers;
	uint32_t workers_n;
	_Atomic uint32_t idle; /* workers that wait in epoll */
};

/* server.c */
/* Leaves event bits; when nobody runs the connection, it becomes ready.  A stale id does nothing. */
void server_post(struct net_server *server, uint64_t id, unsigned events);
void server_kick(struct net_server *server);
/* A connection that the caller owns becomes ready: some worker will own it. */
void server_ready(struct net_server *server, struct conn *conn);

/* rest.c: a worker that has had nothing to do for a while gives back what it holds. */
void rest_worker(struct worker *worker);

/* slot.c: connections and addresses counted */
/* Makes a connection of an accepted socket, counts it and asks the door's admit.  The caller owns it,
 * with CONN_OPENED to hear of; NULL: refused and closed. */
struct conn *slot_new(struct net_server *server, const struct listener *listener, int fd,
    const struct sockaddr_storage *from);
void slot_free(struct conn *conn);
/* Counts no more against the limits at accept, before the peer can know that it is over. */
void slot_uncount(struct conn *conn);
/* The slot of an id, in use or not; NULL: no such slot. */
struct conn *slot_find(struct net_server *server, uint64_t id);
/* Every id in use, one after the other: *at begins at 0; 0: no more. */
uint64_t slot_next(struct net_server *server, uint32_t *at);
void slot_all_free(struct net_server *server);

/* listen.c */
struct sockaddr_un;
/* INVALID: it is too long. */
int unix_address(const char *path, const char *suffix, struct sockaddr_un *address_r, struct err *e);
int listen_open(const struct net_listen *listen, const struct net_limits *limits, int *fd_r, struct err *e);
/* Accepts one that is admitted, which the caller owns; NULL: nobody is waiting, or many were refused. */
struct conn *listen_accept(struct net_server *server, const struct listener *listener);

/* run.c: one connection, run by the worker that owns it */
enum run_result {
	RUN_ARM,   /* waits for its socket */
	RUN_AGAIN, /* has more to do, but had its turn */
	RUN_GONE,  /* closed; the slot is somebody else's */
};
enum run_result run_step(struct conn *conn, unsigned events, int64_t turn_ends_ms);
/* What epoll is to watch for. */
uint32_t run_wants(const struct conn *conn);
int64_t run_deadline(const struct conn *conn);

/* stream.c: octets in and out, plain or through TLS */
enum stream_result { STREAM_OK, STREAM_BLOCKED, STREAM_EOF, STREAM_FAILED };
/* Reads once into conn->in; BLOCKED: nothing there, or no room. */
enum stream_result stream_fill(struct conn *conn);
/* Sends what waits, so that the peer can read all of it. */
enum stream_result stream_flush(struct conn *conn);
/* The same in the middle of an answer. */
enum stream_result stream_push(struct conn *conn);
/* Like recv and send, through TLS where it is on. */
ssize_t stream_recv(struct conn *conn, void *to, size_t n);
ssize_t stream_send(struct conn *conn, const void *octets, size_t n);

/* zip.c: compression; NULL conn->zip: none. */
void zip_begin(struct conn *conn);
void zip_end(struct conn *conn);
/* Like stream_recv, inflated; n bounds what is inflated. */
ssize_t zip_recv(struct conn *conn, char *to, size_t n);
/* Read already, but not yet inflated or not yet said. */
bool zip_has_more(const struct conn *conn);
/* Deflates and sends all of conn->out; -1 with errno. */
int zip_send(struct conn *conn, bool sync);
size_t zip_unsent(const struct conn *conn);
/* Gives back what an idle connection need not hold, once its time has come, which is zip_rests_at. */
void zip_rest(struct conn *conn, int64_t now);
int64_t zip_rests_at(const struct conn *conn);

/* Who is not logged in yet may say a password. */
static inline bool conn_may_be_secret(const struct conn *conn)
{
	return !conn->authed || conn->is_secret;
}

/* What the door put and the socket has not taken. */
static inline size_t stream_unsent(const struct conn *conn)
{
	return conn->out.n - conn->out_at + (conn->zip ? zip_unsent(conn) : 0);
}

/* tls.c */
int tls_start(struct conn *conn, struct err *e);
enum stream_result tls_handshake(struct conn *conn);
/* Like recv and send: -1 with errno, EAGAIN among them. */
ssize_t tls_recv(struct conn *conn, void *octets, size_t n);
ssize_t tls_send(struct conn *conn, const void *octets, size_t n);
void tls_end(struct conn *conn, bool say_goodbye);

/* timer.c */
void timer_set(struct net_server *server, struct conn *conn, int64_t at);
void timer_remove(struct net_server *server, struct conn *conn);
/* The id of a connection whose time has come, 0: none; then *next_r is the next time. */
uint64_t timer_due(struct net_server *server, int64_t now, int64_t *next_r);

/* alive.c: whether peers live */
/* How patient a socket is, and those that are accepted from it (tcp(7)). */
void alive_options(const struct net_limits *limits, int fd);
/* Whether a socket's error means that its peer answers no more. */
bool alive_is_silence(int sys);
/* Ends rounds that are due; when the next one is. */
int64_t alive_due(struct net_server *server, int64_t now);
void alive_fini(struct net_server *server);

/* user.c */
/* The ids of a user's connections, max at most; how many. */
uint32_t user_conns(struct net_server *server, uint64_t user, uint64_t *ids, uint32_t max);
/* A new connection is a stranger's. */
void user_none(struct conn *conn);
/* The connection is the user's from now on, and so is the worker that runs it. */
void user_join(struct conn *conn, uint64_t id);
/* It is over; its worker stays counted until user_leave. */
void user_part(struct conn *conn);
/* False: the user has his share of workers; the connection waits in his line. */
bool user_enter(struct worker *worker, struct conn *conn);
/* One worker less; or a connection that waited, for which the worker keeps the place. */
struct conn *user_leave(struct worker *worker);
/* Others wait for a worker of this user, or a login has just taken one too many. */
bool user_is_crowded(struct conn *conn);

#endif

/*
 * A connection served.  The server accepts, waits, reads, writes, encrypts and times out; a door
 * gives callbacks.  Idle connections wait in epoll and cost a struct; the workers wait there
 * themselves (leader and followers, EPOLLONESHOT), and the one that wakes runs the door's callback
 * in plain style.  A connection is never run by two workers at once.
 *
 * A door never blocks on its peer: when input is short it returns CONN_WAIT; when output piles up
 * it returns CONN_YIELD and is called again once the socket took it.  Between two calls it holds no
 * store transaction, handle or lock.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conn;
struct net_server;

/* Why the door is called; bits. */
enum conn_event {
	CONN_OPENED = 1,  /* first call: greet */
	CONN_INPUT = 2,   /* there may be input */
	CONN_DRAINED = 4, /* output that was waited for is out: go on where you yielded */
	CONN_WOKEN = 8,   /* net_wake */
	CONN_TIMEOUT = 16, /* conn_set_timeout passed without input */
	CONN_TLS_UP = 32, /* the handshake of conn_starttls is done */
	CONN_COMPRESSED = 128, /* conn_compress is in force */
	CONN_HELD = 256,  /* what conn_hold_for allows a CONN_HOLD is over */
	/* The server stops, or net_end: say goodbye (unless a message is half out: this call, and no
	 * other, comes even while a yield's output is stuck), give back what you hold.  The last call;
	 * whatever it returns counts as CONN_CLOSE. */
	CONN_STOPPING = 64,
};
enum conn_next {
	CONN_WAIT,  /* call me when more input comes (what was not taken does not count), a wake or a time-out */
	CONN_YIELD, /* send what I put, then call me with CONN_DRAINED; others run meanwhile */
	/* Somebody else is being asked: read nothing, and call me when I am woken, or with CONN_HELD.  A peer that
	 * only ended its own side (EOF) still gets its answer; its idle clock stands still. */
	CONN_HOLD,
	CONN_CLOSE, /* close(), then send what I put, then close the socket */
};
/* Why a connection ended; each has a name for the log (net/conn.c). */
enum conn_end {
	CONN_END_DOOR, CONN_END_PEER, CONN_END_ERROR, CONN_END_SLOW, CONN_END_BUDGET, CONN_END_TLS, CONN_END_STOP,
	CONN_END_SILENT, /* the peer answers no more: found by keepalive or by net_probe */
};
const char *conn_end_name(enum conn_end end);

struct net_door {
	const char *name; /* for the log */
	const char *alpn; /* its protocol's name (RFC 7301); who offers others, and not this one, is refused */
	/* A new connection's own state; called on a worker before the first run. */
	void *(*open)(struct conn *conn, void *door_arg);
	enum conn_next (*run)(struct conn *conn, void *state, unsigned events);
	/* The connection is over; frees the state.  It is called before the last words go out, so that
	 * who reads them finds what the connection held given back. */
	void (*close)(struct conn *conn, void *state, enum conn_end end);
	/* Judges at accept: total connections of this door and those from this address, this one
	 * included.  true: serve; false: write the words in *say_r and close. */
	bool (*admit)(void *door_arg, uint32_t total, uint32_t from_address, const char **say_r);
};

/* --- input ------------------------------------------------------------------------------- */
/* What has been read and not taken yet; borrowed until the next conn_ call or return. */
struct str_view conn_input(const struct conn *conn);
void conn_take(struct conn *conn, size_t n);
enum conn_line { CONN_LINE, CONN_LINE_PART, CONN_LINE_TOO_LONG };
/* The next line without its line end (CRLF or LF), borrowed until the next call; it is taken.  PART:
 * wait for more.  TOO_LONG: over max_octets; nothing is taken, and conn_skip_line throws it away. */
enum conn_line conn_line(struct conn *conn, size_t max_octets, struct str_view *line_r);
/* Throws input away up to and including the next line end; true when it was found. */
bool conn_skip_line(struct conn *conn);
bool conn_at_eof(const struct conn *conn);

/* --- output ------------------------------------------------------------------------------ */
/* Put into the buffer; goes out in one writev when the door returns, or before when it is large. */
void conn_put(struct conn *conn, const void *octets, size_t n);
void conn_puts(struct conn *conn, const char *s);
void conn_printf(struct conn *conn, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str_buf *conn_out(struct conn *conn); /* for those who build text in place */
/* True when more than about 256 KB wait: a door that streams then returns CONN_YIELD. */
bool conn_should_yield(const struct conn *conn);

/* --- TLS ---------------------------------------------------------------------------------- */
/* Answers go out, then the handshake runs; whatever was read before it is thrown away.  The door
 * returns CONN_WAIT and is called with CONN_TLS_UP. */
void conn_starttls(struct conn *conn);
bool conn_is_tls(const struct conn *conn);
bool conn_tls_available(const struct conn *conn);
/* What ties this connection's TLS to something said through it (RFC 5056): the octets, in out; 0: there is
 * nothing that would.  tls-exporter (RFC 9266) is TLS 1.3's; tls-unique (RFC 5929 3) is TLS 1.2's, and only
 * with the extended master secret (RFC 7627), since without it the octets can be made to repeat. */
enum conn_binding { CONN_TLS_EXPORTER, CONN_TLS_UNIQUE };
#define CONN_BINDING_MAX 64
size_t conn_binding(const struct conn *conn, enum conn_binding kind, unsigned char out[CONN_BINDING_MAX]);
/* Who the client's certificate says it is: the first rfc822Name of its alternative names, where it has
 * none its common name.  False: it showed none that is trusted, or there is no such name in it. */
bool conn_peer_name(const struct conn *conn, char *out, size_t size);

/* Nothing that went over it stays in a buffer; so it is by itself until conn_authenticated. */
void conn_keep_secret(struct conn *conn);
/* Who connected, through a Unix socket: the kernel's word, from then.  False: it is no such socket. */
bool conn_peer_uid(const struct conn *conn, uid_t *uid_r);

/* --- compression (RFC 4978) ---------------------------------------------------------------- */
/* What was put goes out as it is, what is put from now on does not; and what was read and not taken is
 * compressed already.  The door returns CONN_WAIT and is called with CONN_COMPRESSED. */
void conn_compress(struct conn *conn);
bool conn_is_compressed(const struct conn *conn);

/* --- the rest ----------------------------------------------------------------------------- */
/* "127.0.0.1:50123", "[::1]:50123"; "unix:4711" with the pid, through a Unix socket */
const char *conn_peer(const struct conn *conn);
uint64_t conn_id(const struct conn *conn);       /* for net_wake; never reused */
struct net_server *conn_server(const struct conn *conn);
/* From now on a CONN_TIMEOUT after ms without input; 0: none. */
void conn_set_timeout(struct conn *conn, int64_t ms);
/* How long the CONN_HOLD that follows lasts at most, from now on. */
void conn_hold_for(struct conn *conn, int64_t ms);
/* Logged in: lifts the budget of octets and seconds; the user's id bounds workers per user. */
void conn_authenticated(struct conn *conn, uint64_t user);

/* --- the server --------------------------------------------------------------------------- */
struct net_limits {
	uint32_t workers_max;            /* threads (64) */
	uint32_t worker_max_per_user;    /* 4 */
	uint32_t preauth_octets;         /* 65536 */
	uint32_t preauth_ms;             /* 60000 */
	uint32_t handshake_ms;           /* 30000: of TLS */
	uint32_t handshakes_max;         /* at a time (1000) */
	uint32_t send_timeout_ms;        /* 120000: a peer that takes nothing for so long is cut */
	uint32_t keepalive_s;            /* 900 */
	uint32_t input_max_octets;       /* of one connection's input buffer (131072) */
	/* zlib's (deflateInit2): memory is 2^(window + 2) + 2^(memory + 9) octets while a connection is busy */
	uint32_t deflate_level;          /* 1 to 9 (6) */
	uint32_t deflate_window_bits;    /* 9 to 15 (15) */
	uint32_t deflate_memory_level;   /* 1 to 9 (8) */
	uint32_t stop_ms;                /* how long connections may take to end at a stop (5000) */
	/* a worker that hears nothing for so long gives back what it holds, or ends (15000: longer than the
	 * store keeps a database open) */
	uint32_t rest_ms;
};
extern const struct net_limits net_limits_default;

#define NET_UNIX "unix:" /* in front of a path */
struct net_listen {
	const char *address; /* "127.0.0.1:143", "[::1]:143", ":143", "unix:/run/x" */
	bool tls;            /* implicit */
	const struct net_door *door;
	void *door_arg;
	/* Of a Unix socket: 0: 0660, and as it is made. */
	mode_t mode;
	uid_t owner;
	gid_t group;
};
/* A socket that listens so, for who serves it by other means. */
WARN_UNUSED int net_listen_open(const struct net_listen *how, int *fd_r, struct err *e);
struct net_tls; /* a certificate and key (net/tls.h) */

/* Listens; sockets that systemd passed in are taken instead where their address matches. */
WARN_UNUSED int net_server_new(const struct net_listen *listens, size_t n, struct net_tls *tls,
    const struct net_limits *limits, struct net_server **server_r, struct err *e);
/* Serves until net_server_stop; returns when every connection is closed (stop_ms at most). */
void net_server_run(struct net_server *server);
/* Async-signal-safe. */
void net_server_stop(struct net_server *server);
/* Async-signal-safe: the certificate's files are read again. */
void net_server_reread(struct net_server *server);
void net_server_free(struct net_server **server);
/* From any thread: the connection's door is called with CONN_WOKEN soon.  No such id: nothing. */
void net_wake(struct net_server *server, uint64_t conn_id);
/* The same, from a door's callback that is about to wait for that connection: its worker runs it next. */
void net_hand_over(struct net_server *server, uint64_t conn_id);
/* The same with CONN_STOPPING: the connection ends soon, even if its peer reads nothing. */
void net_end(struct net_server *server, uint64_t conn_id);
/*
 * Whether a user's peers live.  Those of his connections that nothing was heard of for idle_ms, not even an
 * acknowledgement, are asked at once; who is silent to all probes is cut (CONN_END_SILENT).  A call while that is under
 * way, or within kept_ms after it, asks nothing anew and tells how it stands.  From any thread; waits for nothing.
 */
struct net_probe_how {
	uint32_t idle_ms;
	uint32_t probes;     /* unanswered */
	uint32_t interval_s; /* between them at least; four round trips where those take longer */
	uint32_t kept_ms;
};
struct net_probe {
	uint32_t asked;   /* and have not answered yet */
	uint32_t ended;   /* since it began */
	uint32_t wait_ms; /* until all have answered or are cut */
};
void net_probe(struct net_server *server, uint64_t user, const struct net_probe_how *how, struct net_probe *found_r);
/*
 * A connection that we make, to a Unix socket on this machine ("unix:PATH"); it is served as those that came are, with
 * this door, until either side ends it, and is nobody's but the server's.  Doesn't wait: who listens there has room, or
 * it is an error.  From any thread; NOTFOUND (nobody listens), BUSY, PERM, INVALID, IO.
 */
WARN_UNUSED int net_dial(struct net_server *server, const char *address, const struct net_door *door, void *door_arg,
    uint64_t *conn_id_r, struct err *e);
/* For tests that moved the clock: looks at the deadlines again. */
void net_server_look(struct net_server *server);
uint16_t net_server_port(const struct net_server *server, size_t listen_index);

#endif

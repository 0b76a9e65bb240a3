/*
 * A session: one open of a mailbox, counted.  Every door gets one before it may open a mailbox
 * (store_open takes a session and nothing else), so nothing is ever uncounted.
 *
 * The rule (KB 980049): an open is granted if, after it, the actor's sessions are within the
 * per-user limit, and, for a service session, his service sessions within the service limit, and
 * that service's sessions on the server within the per-service limit.  The front layers
 * (MaxConnectionsPerUser, the throttling policy) are judged in the same grant, and told only where
 * the store would not refuse as well.  Administration is exempt, and transport is counted per
 * service only.  The count is exact over all processes, and what a killed process held is free
 * at once (limits/ledger.h).
 */
#ifndef LIMITS_SESSION_H
#define LIMITS_SESSION_H

#include "base/arena.h"
#include "base/err.h"
#include "limits/registry.h"
#include "limits/site.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Rows of service.tbl.h: SERVICE(enum suffix, "name", class). */
enum session_service {
#define SERVICE(id, name, class) SESSION_##id,
#include "limits/service.tbl.h"
#undef SERVICE
	SESSION_SERVICES_N
};
enum session_class {
	SESSION_CLASS_DIRECT,
	SESSION_CLASS_SERVICE,
	SESSION_CLASS_TRANSPORT,
	SESSION_CLASS_ADMIN,
};

const char *session_service_name(enum session_service service);
/* Whatever its case; -1: there is none. */
int session_service_find(struct str_view name);
#define SESSION_SERVICES_ARE "fs, IMAP4, POP3, OWA, EWS, EAS, transport and admin are"
enum session_class session_service_class(enum session_service service);
/* The services that are doors of this version: EWS, EAS and the web are none. */
#define SESSION_DOORS_N 3
extern const enum session_service session_doors[SESSION_DOORS_N];
const char *session_class_name(enum session_class class);
/* Whether a session of that service counts against its user: direct and service sessions do. */
bool session_counts_for_user(enum session_service service);
/* The limit of all sessions of one user together. */
enum setting session_limit_of_all(bool is_administrator);

/* A user's immutable id; what is counted and whose mailbox is opened.  0 is nobody. */
struct user_id {
	uint64_t n;
};

struct session;

/*
 * Who asks for what.  Strings are copied.  `ended` is called on a thread of limits/ when somebody
 * asks to end the session (from session_end, in this or another process); the holder then closes
 * it and calls session_release as soon as it can.  It must not block and must not release the
 * session itself; session_release waits for an `ended` of that session that is running, so don't
 * hold a lock across session_release that `ended` takes.  NULL: the session can't be ended.
 */
struct session_request {
	enum session_service service;
	struct user_id actor, mailbox; /* actor is charged; mailbox is what store_open opens */
	const char *actor_name, *mailbox_name; /* as shown in lists */
	bool administrator;  /* Administrator or View Information Store Status: the administrators' limit */
	const char *policy;  /* throttling policy, NULL: "default" */
	const char *peer;    /* "ADDR:PORT" or NULL */
	bool is_tls;
	const char *application; /* the application password that let it in, or NULL */
	pid_t pid;           /* the opener's Tgid for a mount handle; 0: unknown; ignored at network doors */
	const char *command; /* the opener's comm, or NULL */
	void (*ended)(void *ended_arg);
	void *ended_arg;
	/* A refusal by a limit is not recorded: the caller tries once more, or says session_refused. */
	bool is_first_try;
	/* Tries the ledger's lock once: BUSY (LAYER_TROUBLE) at once where somebody holds it.  For a loop
	 * that must not wait; ask again without it on a thread that may. */
	bool no_wait;
};

enum session_layer {
	SESSION_LAYER_NONE,
	SESSION_LAYER_STORE_USER,        /* Maximum Allowed Sessions Per User / Per Administrator */
	SESSION_LAYER_STORE_SERVICE,     /* Maximum Allowed Service Sessions Per User */
	SESSION_LAYER_STORE_PER_SERVICE, /* Maximum Allowed Exchange Sessions Per Service */
	SESSION_LAYER_PROTOCOL,          /* MaxConnectionsPerUser */
	SESSION_LAYER_POLICY,            /* IMAPMaxConcurrency, ... */
	SESSION_LAYER_TROUBLE,           /* the ledger could not be written; refused to be safe */
};

#define SESSION_EXPLAIN_MAX 768
/* Why an open was refused, for the door to tell. */
struct session_refusal {
	enum session_layer layer;
	char limit[64]; /* the setting's name */
	uint32_t value, held;
	/* One line of printable ASCII: layer, limit, value, held, other layers that refuse too, where it is set, and what lifts it
	 * (explain.h). */
	char explain[SESSION_EXPLAIN_MAX];
};

/* "store", "protocol", "policy", "ledger": as logs and counters have it. */
const char *session_layer_name(enum session_layer layer);

/* One limit that an open is judged by. */
struct session_check {
	enum session_layer layer;
	enum setting setting;
	const char *policy; /* of LAYER_POLICY: whose setting it is; borrowed from the request */
	uint32_t value;     /* SETTING_NULL: a policy that limits nothing */
	uint32_t held;      /* what counts against it now */
	bool refuses;
};
#define SESSION_CHECKS_MAX 5
/* The first that refuses, which is the one told; NULL: none does. */
const struct session_check *session_check_refusing(const struct session_check *checks, size_t n);

/*
 * Takes a session.  On refusal: -1, code LIMIT (BUSY, NOSPACE or UNAVAILABLE for LAYER_TROUBLE),
 * *why_r filled, the event logged, nothing taken.
 */
WARN_UNUSED int session_acquire(struct site *site, const struct session_request *request,
    struct session **session_r, struct session_refusal *why_r, struct err *e);
/* What session_acquire does with a refusal where it was no first try: event 9646, where the store refused. */
void session_refused(struct site *site, const struct session_request *request, const struct session_refusal *why);
/* What session_acquire would say now, without taking or logging anything. */
bool session_would_refuse(struct site *site, const struct session_request *request,
    struct session_refusal *why_r);
/* All limits that such an open is judged by now, the store's first: of those that refuse the first is told. */
WARN_UNUSED int session_checks(struct site *site, const struct session_request *request,
    struct session_check checks_r[SESSION_CHECKS_MAX], size_t *n_r, struct err *e);
/*
 * What an open would be judged by if so much were held, and these settings were others: for who plans.  held_by_user is
 * by service; held_by_service is what the request's service has on the server.  Returns how many checks.
 */
struct session_term {
	enum setting setting;
	uint32_t value;
};
size_t session_judge(struct site *site, const struct session_term *instead, size_t instead_n,
    const struct session_request *request, const uint32_t held_by_user[SESSION_SERVICES_N], uint32_t held_by_service,
    struct session_check checks_r[SESSION_CHECKS_MAX]);
/* Gives it back; *session becomes NULL.  Never waits behind an acquire. */
void session_release(struct session **session);

/* The peer was found dead: logged and counted, before session_release. */
void session_tell_reaped(struct session *session);
/* What lists say of it besides, copied: what the client calls itself, and what it has open ("INBOX"); NULL: nothing.
 * Two calls for one session don't come at once. */
void session_tell_client(struct session *session, const char *client);
void session_tell_open(struct session *session, const char *open);
/* Marks activity, for lists (cheap: once a second reaches the roster). */
void session_touch(struct session *session);
/* True once somebody asked to end it. */
bool session_is_ended(const struct session *session);
const char *session_id(const struct session *session);
struct user_id session_actor(const struct session *session);
struct user_id session_mailbox(const struct session *session);
const char *session_actor_name(const struct session *session);
const char *session_mailbox_name(const struct session *session);
enum session_service session_service(const struct session *session);
struct site *session_site(const struct session *session);

/* Objects open in one session (MaxObjsPerMapiSession); rows of limits.tbl.h's OBJECT. */
enum session_object { OBJT_MESSAGE, OBJT_FOLDER, OBJT_ATTACHMENT, OBJT_STREAM, OBJT_NOTIFY, OBJT_N };
/* LIMIT (and event 9646) when n more would be over; uncharge gives back. */
WARN_UNUSED int session_charge(struct session *session, enum session_object object, uint32_t n,
    struct err *e);
void session_uncharge(struct session *session, enum session_object object, uint32_t n);

/*
 * Whether the peers of users' sessions live: every process is asked, and answers at once how it stands (net_probe).
 * A door sets what answers for its own; it is called on a thread of limits/.
 */
struct session_probe {
	uint32_t asked;   /* peers that have not answered yet */
	uint32_t ended;   /* that were found dead */
	uint32_t wait_ms; /* until there are no more asked */
};
void session_probe_by(struct site *site,
    void (*probe)(void *arg, struct user_id user, struct session_probe *found_r), void *arg);
#define SESSION_PROBE_MAX 128
/* n users, SESSION_PROBE_MAX at most.  A process that does not answer within a quarter of a second holds nobody up again
 * for a while. */
void session_probe(struct site *site, const struct user_id *users, size_t n, struct session_probe *found_r);

/* One session of the server, for lists. */
struct session_info {
	char id[32];
	const char *actor_name, *mailbox_name;
	struct user_id actor, mailbox;
	enum session_service service;
	const char *peer;    /* NULL at the mount */
	const char *command; /* NULL at the network doors */
	const char *client;  /* as it calls itself; or NULL */
	const char *open;    /* what it has open; or NULL */
	const char *application; /* the application password that let it in; or NULL */
	bool is_tls;
	pid_t pid;           /* the daemon for a network session, the opener for a mount handle, 0 unknown */
	pid_t holder;        /* always the daemon */
	int64_t opened_ms, active_ms; /* wall, as the clock is set now */
	int64_t idle_ms; /* whatever the wall clock does */
	bool holder_stuck;   /* the holder does not run: stopped, or in disk sleep */
};
/* All sessions of one actor, or of everybody (user.n = 0), oldest first, from every process. */
WARN_UNUSED int session_list(struct site *site, struct user_id actor, struct arena *arena,
    struct session_info **list_r, size_t *n_r, struct err *e);
/* Held now: all of an actor's sessions and the service sessions among them. */
struct session_counts {
	uint32_t all, service;
	uint32_t by_service[SESSION_SERVICES_N];
};
WARN_UNUSED int session_count(struct site *site, struct user_id actor,
    struct session_counts *counts_r, struct err *e);
/*
 * Asks the holder to end a session and waits until it is gone, wait_ms at most (1000).
 * Errors: NOTFOUND (no such id), TEMP (the holder did not answer in time), UNSUPPORTED (one of
 * those that can't be ended).
 */
WARN_UNUSED int session_end(struct site *site, const char *id, int64_t wait_ms, struct err *e);

#endif

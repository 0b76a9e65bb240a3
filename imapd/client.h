/*
 * A client: one connection with its state, its session, its open mailbox and the folder it has
 * selected.  All functions are called on the worker that runs the connection, but for the two that
 * say otherwise.
 */
#ifndef IMAPD_CLIENT_H
#define IMAPD_CLIENT_H

#include "base/arena.h"
#include "base/str.h"
#include "imapd/parse.h"
#include "limits/session.h"
#include "limits/site.h"
#include "net/conn.h"
#include "store/change.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ask;
struct reap;
struct imap_req;
struct notify;
struct selected;

/* What the connection's input is read as next (read.c). */
enum client_reading {
	READ_LINE,    /* a command's line, or its rest behind a literal */
	READ_LITERAL, /* the octets of a literal, into the command */
	READ_DISCARD, /* the octets of a literal that was refused */
};

/* What the client asked for with ENABLE (RFC 5161), or by using it (RFC 7162 3.1); bits. */
enum client_enabled {
	ENABLED_CONDSTORE = 1,
	ENABLED_QRESYNC = 2,
	ENABLED_REV2 = 4,   /* IMAP4rev2: RFC 9051 decides where it differs from RFC 3501 */
	ENABLED_UTF8 = 8,   /* UTF8=ACCEPT: RFC 9755 */
	ENABLED_UIDONLY = 16,
	ENABLED_METADATA = 32, /* changes of annotations are told (RFC 5464 4.4.2) */
};

struct client {
	struct conn *conn;
	struct site *site;
	unsigned state; /* enum imap_state; client_set_state alone writes it */
	unsigned enabled; /* enum client_enabled */
	struct session *session;
	char *agent; /* ID before login: what the client calls itself, for its session; or NULL */
	struct store *store;
	struct selected *selected; /* sync.h; NULL but in IMAP_SELECTED */
	struct notify *notify;     /* notify.h; NULL until NOTIFY is used */
	struct store_modseq metadata_told; /* metadata.c: what was told of, and when it last looked */
	uint64_t metadata_bell;
	bool woken;                /* for notify.c: the store is asked though no bell rang */

	enum client_reading reading;
	struct str_buf command;   /* what was read of the command, literals included */
	uint64_t literal_left;    /* READ_LITERAL, READ_DISCARD */
	bool literal_is_binary;   /* a literal8: NUL may stand in it */
	const char *complaint;    /* why the command will be answered BAD, once it is read */
	const char *complaint_code; /* ... or rather NO with this code */
	struct parse_limits parse_limits;
	uint32_t discarded_octets; /* of refused literals in this command */

	struct arena arena;   /* of the command */
	struct imap_req *req; /* that runs, or NULL */
	bool in_response;     /* one of ours is half sent: nothing else may be said */
	bool changing_stream; /* no command is taken until TLS or DEFLATE is on */
	bool closing;
	bool is_greeted;

	struct reap *reap;    /* a login at its limit that waits for it (auth/reap.h) */
	struct ask *ask;      /* that authd is to answer: for the greeting, or for a login (auth/ask.h) */
	uint32_t bad_n, login_failed_n;
	uint64_t conn_id;
	struct net_server *server;
};

/* The door's callbacks (net/conn.h). */
extern const struct net_door client_door;

void client_set_state(struct client *client, unsigned state, const char *why);
/* A session was granted and its mailbox is open: both become the client's. */
void client_log_in(struct client *client, struct session *session, struct store *store);
/* Leaves the selected folder, if there is one. */
void client_unselect(struct client *client, const char *why);
/* From any thread. */
void client_wake(void *client);

/* Names of folders are UTF-8 on the wire, and quoted strings may be (RFC 9755 3, RFC 9051 4.3). */
static inline bool client_has_utf8(const struct client *client)
{
	return client->enabled & (ENABLED_UTF8 | ENABLED_REV2);
}

/* Whether a password may come over this connection. */
bool client_may_log_in(const struct client *client);
/* Says goodbye; the connection is closed once that is out. */
void client_bye(struct client *client, const char *code, const char *text);

#endif

/*
 * May they: somebody who proved who he is (auth/account.h) becomes a session, or a refusal.  The one way
 * for a door that speaks to peers to get a session.
 */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include "base/err.h"
#include "limits/session.h"
#include "limits/site.h"

struct conn;
struct reap;

struct auth_peer {
	enum session_service service;
	const char *address; /* "ADDR:PORT" */
	bool is_tls;
	const char *application; /* the application password's name, NULL: none; for lists and the log */
	void (*ended)(void *ended_arg); /* see struct session_request */
	void *ended_arg;
	/* Of a connection that can hold (NULL: refused at once): where the user's own limits refuse him, dead holders
	 * are looked for first (auth/reap.h).  *reap is the caller's to free when the connection ends. */
	struct conn *conn;
	struct reap **reap;
};

/*
 * Who proved already who he is (auth/account.h: user is his own name) takes a session.  Errors: NOTFOUND, LIMIT
 * (refused: *why_r says by whom), UNAVAILABLE, BUSY, IO; TEMP, with *reap set, is no answer yet: hold, and call this
 * again when woken.
 */
WARN_UNUSED int auth_admit(struct site *site, const struct auth_peer *peer, const char *user,
    struct session **session_r, struct session_refusal *why_r, struct err *e);

/* Whether a password may cross this connection: over TLS always, else as store.conf's
 * [auth] plaintext says (loopback: where the peer's address is one). */
bool auth_plaintext_allowed(struct site *site, const char *address, bool is_tls);

/*
 * Sessions of the other kinds, for doors whose user is known without a password (matrix: fs, ctl).
 * mailbox and actor are user names; the actor is charged (NULL: the mailbox's own user).  Of more (may
 * be NULL) peer, pid, command and ended are taken.  Errors: NOTFOUND, PERM (the actor is another, and
 * no administrator), LIMIT, UNAVAILABLE, BUSY, IO.
 */
WARN_UNUSED int auth_open(struct site *site, enum session_service service, const char *mailbox,
    const char *actor, const struct session_request *more, struct session **session_r,
    struct session_refusal *why_r, struct err *e);

#endif

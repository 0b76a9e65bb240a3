/*
 * Asking authd who somebody is: a door's end of the authentication protocol (authd/protocol.h).  All that a process
 * asks goes over one connection, which is made when it is needed and served with the door's own; nobody waits on a
 * thread.  Whoever asked is woken when there is an answer, or none: authd is gone, too slow, or too busy.
 *
 *     client->ask = ask_password(conn, &peer, user, password);
 *     return CONN_HOLD;            and once woken, or with CONN_HELD:
 *     switch (ask_look(client->ask)) ...
 */
#ifndef AUTH_ASK_H
#define AUTH_ASK_H

#include "auth/sasl.h"
#include "base/err.h"
#include "base/str.h"
#include "limits/site.h"

struct conn;
struct ask;

/* One a process: before the first connection is served, and after the last. */
WARN_UNUSED int asking_begin(struct site *site, struct err *e);
void asking_end(void);

/* An exchange on behalf of a connection, which holds then (a time-limit is set).  Never NULL: what goes wrong is said by
 * ask_look.  base64.p NULL: there is no initial response. */
struct ask *ask_sasl(struct conn *conn, const struct sasl_peer *peer, struct str_view mechanism, struct str_view base64);
/* The same for a name and a password. */
struct ask *ask_password(struct conn *conn, const struct sasl_peer *peer, const char *user, const char *password);
/* After ASK_MORE. */
void ask_more(struct ask *ask, struct str_view base64);

enum ask_state {
	ASK_WAITING, /* hold, and look again once woken */
	ASK_MORE,    /* the peer is to answer ask_challenge */
	ASK_DONE,    /* it is ask_user, his own name */
	ASK_FAILED,  /* ask_error says why; ask_user who it was said to be, "" where nobody was */
};
enum ask_state ask_look(struct ask *ask);
/* In base64; until ask_more. */
struct str_view ask_challenge(const struct ask *ask);
const char *ask_user(const struct ask *ask);
/* The application password that it was, by name; NULL: the user's own, or none at all. */
const char *ask_application(const struct ask *ask);
/* AUTH (it proved nothing), INVALID (that was no answer of this mechanism), UNSUPPORTED (no such mechanism now),
 * UNAVAILABLE (nothing was found out: later, perhaps). */
const struct err *ask_error(const struct ask *ask);
/* Whatever it waits for is given up. */
void ask_end(struct ask **ask);

/* enum account_able, as authd last said it: what a greeting may offer. */
unsigned ask_able(void);
/* Whether that still holds.  False: authd is asked, and the connection holds until this is called again. */
bool ask_able_is_known(struct conn *conn, struct ask **ask);

#endif

/*
 * Dead holders, looked for while a login waits.  Where a user's own limits refuse him, his sessions may be those
 * of a laptop that lost its network: every process is asked to find out whether his peers live (session_probe),
 * and the login that began it is tried once more, as soon as there is room or all have answered.
 *
 * One login per user at a time, and for ProbeKept seconds after it none: the others are refused at once, so a
 * storm stays cheap.  One thread of this process asks for all who wait.
 */
#ifndef AUTH_REAP_H
#define AUTH_REAP_H

#include "base/err.h"
#include "limits/session.h"

struct conn;
struct net_server;
struct reap;

/* While a server is there: what this process answers about its own peers, and the thread that asks. */
WARN_UNUSED int reaping_begin(struct site *site, struct net_server *server, struct err *e);
void reaping_end(void);

/* For a connection that holds until it is woken (a time-limit is set).  NULL: there is nothing to wait for. */
struct reap *reap_new(struct site *site, struct conn *conn, const struct session_request *request);
/* Whether the login is to be tried again. */
bool reap_is_done(const struct reap *reap);
void reap_free(struct reap **reap);

#endif

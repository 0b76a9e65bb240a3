/*
 * A place for an open: the session of a handle inside a mailbox.  Called by the receive loop while it
 * has the lead, so that whatever was released before is free, and nothing that came later is served first.
 */
#ifndef FS_GRANT_H
#define FS_GRANT_H

#include "fs/tree.h"

/* OPEN, OPENDIR or CREATE at n: a handle in *h_r, with its session where n's kind asks for one.  0 or an
 * errno value, EUSERS for a refusal (which is in sys/log). */
int grant_open(struct tree *t, struct node n, const struct caller *who, struct handle **h_r);
/* The same for who must not wait, and one at a time.  *busy_r: somebody holds the ledger's lock, and nothing
 * was taken; grant_open says more, in this lane. */
int grant_try_open(struct tree *t, struct node n, const struct caller *who, struct handle **h_r,
    struct lane **busy_r);
/* RELEASE or RELEASEDIR was seen: the session is free.  The handle lives until handle_put. */
void grant_close(struct tree *t, struct handle *h);

#endif

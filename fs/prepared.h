/*
 * Files that were flushed and are no messages yet, kept on the disk: what close(2) has reported as written
 * becomes a message whatever is killed.  One folder STORE/prepared/<random> per mount, locked by it; what a
 * dead mount left there is appended by the next one that starts.
 */
#ifndef FS_PREPARED_H
#define FS_PREPARED_H

#include "fs/preplog.h"

#include "base/err.h"

struct tree;
struct draft;
struct prepared;

/* Takes over what dead mounts left, and makes a folder for this one. */
WARN_UNUSED int prepared_new(struct tree *t, struct prepared **prepared_r, struct err *e);
/* What is still there stays, for the next mount. */
void prepared_free(struct prepared **prepared);
/* The draft's octets and what it is to become, to be synced: 0 or an errno value.  The draft's lock is held by the
 * caller here, and for prepared_drop. */
int prepared_keep(struct prepared *prepared, struct draft *d);
/* For one that waits for what another has kept; then he syncs it too. */
void prepared_wait(struct prepared *prepared, const struct preplog_at *at);
/* Without the lock: it is on the disk when this returns, or the errno value says why not. */
int prepared_sync(struct prepared *prepared, const struct preplog_at *at);
void prepared_drop(struct prepared *prepared, struct draft *d);

#endif

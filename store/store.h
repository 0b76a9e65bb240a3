/*
 * A mailbox, opened.  store_open takes a session and nothing else: the mailbox is the one the
 * session names, so no door can open one uncounted, or as somebody else.
 *
 * Costs a small struct: SQLite handles are borrowed per call from a cache of the process and given
 * back before the call returns.  No transaction, handle or lock is held between calls, so a caller
 * may wait for a peer between any two.  A struct store never changes while it is open, so threads may
 * share it; many may be open on one mailbox.  Everything acknowledged (append, copy, move, expunge, folder changes) is on
 * the disk when the call returns; flag changes survive any crash of ours, and are on the disk too
 * when the setting FlagsDurable is 1.
 *
 * SQL stays in files of store/ named *_sql.c; nothing above this header knows that SQLite is there.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "limits/session.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/*
 * The mailbox is made on its first open (INBOX, Sent, Drafts, Trash, Junk, Archive).  The session
 * stays the caller's and must outlive the store.
 * Errors: UNSUPPORTED (a newer schema; a network file system), CORRUPT, UNAVAILABLE, NOSPACE, IO.
 */
WARN_UNUSED int store_open(struct session *session, struct store **store_r, struct err *e);
void store_close(struct store **store);
struct session *store_session(const struct store *store);

/* Numbers that must not mix. */
struct store_uid {
	uint32_t n;
};
struct store_modseq {
	uint64_t n;
};
struct folder_id {
	uint32_t n; /* never reused in one mailbox; 0 is none */
};

/* The whole mailbox: its highest modseq (the position in its feed of changes), messages, bytes. */
struct store_status {
	struct store_modseq modseq;
	uint64_t messages, bytes;
};
WARN_UNUSED int store_status(struct store *store, struct store_status *status_r, struct err *e);

/* Verifies every invariant of the mailbox, one line per finding into report (see store/check.c for
 * the list); 0 with *findings_r = 0 when it is sound. */
WARN_UNUSED int store_check(struct store *store, struct str_buf *report, size_t *findings_r,
    struct err *e);

#endif

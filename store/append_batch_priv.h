/* Appends on their way into the database: several messages, one transaction (append_sql.c). */
#ifndef STORE_APPEND_BATCH_PRIV_H
#define STORE_APPEND_BATCH_PRIV_H

#include "store/append_priv.h"
#include "store/folder_priv.h"
#include "store/txn_priv.h"

/* The folder at hand and its counters so far. */
struct append_batch {
	struct txn txn;
	struct tally tally;
	const char *name; /* the folder's, where it was asked for by name */
	struct folder_next next;
	struct str_buf room; /* a row of a large body */
};
/* Finds the folder, before anything is written: NOTFOUND. */
WARN_UNUSED int append_batch_enter(struct append_batch *b, const struct append_how *how,
    struct err *e);
WARN_UNUSED int append_batch_one(struct append_batch *b, struct append *a,
    const struct append_how *how, struct append_done *done, struct err *e);
/* Writes the counters: before the commit, and before a quota is judged. */
WARN_UNUSED int append_batch_count(struct append_batch *b, struct err *e);
/* What makes no sense in `how`: INVALID, NOTFOUND. */
WARN_UNUSED int append_how_check(const struct append_how *how, struct err *e);

#endif

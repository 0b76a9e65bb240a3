/* What other files of store/ need of folders, inside a transaction. */
#ifndef STORE_FOLDER_PRIV_H
#define STORE_FOLDER_PRIV_H

#include "store/folder.h"
#include "store/txn_priv.h"

WARN_UNUSED int folder_insert(struct txn *t, const char *name, enum folder_use use,
    struct folder_id *id_r, struct err *e);
/* The folder is told of in the feed of changes; folder 0: only the mailbox's modseq moves. */
WARN_UNUSED int folder_touch(struct txn *t, struct folder_id id, struct err *e);
WARN_UNUSED int subscription_put(struct txn *t, const char *name, bool on, struct err *e);
WARN_UNUSED int folder_read(struct db *db, struct folder_id id, struct arena *arena,
    struct folder_info *info_r, struct err *e);

/* The counters alone: no name, no use, no relations to other folders. */
WARN_UNUSED int folder_counters(struct db *db, struct folder_id id, struct folder_info *info_r,
    struct err *e);
WARN_UNUSED int folder_counters_by_name(struct store *store, const char *name,
    struct folder_info *info_r, struct err *e);

/* counts: enum folder_count. */
WARN_UNUSED int folder_read_by_name(struct db *db, const char *name, unsigned counts,
    struct arena *arena, struct folder_info *info_r, struct err *e);

/* What a writer has to know of a folder. */
struct folder_next {
	uint64_t uid; /* the next; 4294967296: full */
	uint32_t uidvalidity;
};
WARN_UNUSED int folder_next_uid(struct txn *t, struct folder_id id, struct folder_next *next_r,
    struct err *e);
/* The folder that bears a name now; NOTFOUND, also where it can't be a name. */
WARN_UNUSED int folder_find(struct db *db, const char *name, struct folder_id *id_r, struct err *e);
WARN_UNUSED int folder_exists(struct db *db, struct folder_id id, struct err *e); /* or NOTFOUND */

#endif

/* What other files of store/ need of the feed of changes, inside a transaction. */
#ifndef STORE_CHANGE_PRIV_H
#define STORE_CHANGE_PRIV_H

#include "store/change.h"
#include "store/db_priv.h"

/* change_folder, in an open transaction in which the folder's counters were read. */
WARN_UNUSED int changes_read(struct db *db, const struct folder_info *info, struct store_modseq since,
    unsigned what, struct arena *arena, struct folder_changes *c, struct err *e);

#endif

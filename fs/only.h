/* One user's own mount (struct tree_only): whose it is, and whether it still is. */
#ifndef FS_ONLY_H
#define FS_ONLY_H

#include "fs/tree.h"

#include "store/directory.h"

/* The user that a Unix account is.  The errors are sentences for the person who asked to mount. */
WARN_UNUSED int only_find(struct site *site, uid_t uid, struct arena *arena, struct directory_user *user_r,
    struct err *e);
/* From now on the tree is this account's. */
WARN_UNUSED int only_set(struct tree *t, struct site *site, uid_t uid, struct err *e);
/* 0, or EACCES when the account is that user no more. */
int only_check(struct tree *t);

/* Who asks: in one user's mount always he. */
struct caller caller_of(const struct tree *t, uid_t uid, gid_t gid, pid_t tid);

#endif

/*
 * The users as directories, at the top of mail/ and of each tree beside it: everybody may go to his own by
 * name, root alone sees who there is (mode 0711).  In one user's own mount they are his, and show him alone.
 */
#ifndef FS_USERS_H
#define FS_USERS_H

#include "fs/tree.h"

/* Users come and go without telling us: their entries are looked at anew after this. */
#define USERS_TIMEOUT_S 1.0

/* What may be gone through by all, and listed by root; but in one user's mount, by him. */
void users_top_stat(const struct tree *t, struct stat *st);
/* A row's attr, of such a top. */
int users_attr(struct tree *t, struct node n, struct stat *st);
/* A user by exact name: the top of his mailbox, to make a node of.  0 or an errno value. */
int users_find(struct tree *t, const char *name, struct fs_folder **top_r);
/* A row's list: names alone, a mailbox is not touched for being listed.  of: the kind that users' directories
 * are here, for their inode numbers. */
int users_list(struct tree *t, enum node_kind of, uint64_t after, node_emit *emit, void *arg);

#endif

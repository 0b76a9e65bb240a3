/*
 * What Maildir operations mean for mail: a rename tells flags, moves, delivers; rm expunges.  All run in the
 * mailbox's lane, and return 0 or an errno value.
 */
#ifndef FS_MAILDIROP_H
#define FS_MAILDIROP_H

#include "fs/maildir.h"

int maildirop_unlink(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name);
int maildirop_rename(struct tree *t, struct fs_folder *from, enum fs_place place, const char *name,
    struct fs_folder *to, enum fs_place to_place, const char *to_name, bool noreplace);
/* n: a file in tmp, which becomes a message; or a message, which is copied. */
int maildirop_link(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name,
    struct node n, uint32_t *uid_r);
/* A time set after a message came (mutt does): once, and soon.  The message gets another UID. */
int maildirop_redate(struct tree *t, struct fs_folder *f, uint32_t uid, int64_t ms);

#endif

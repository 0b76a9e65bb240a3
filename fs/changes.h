/*
 * What sys/changes tells: a line for each message that comes, goes, or changes its flags or its name,
 * and for each folder that comes or goes, whichever door did it.
 *
 *     2026-11-26T09:15:02.120Z new mail/alice/INBOX/20261126-091502.00000007.bob.Lunch.eml
 *
 * The path goes up to the end of the line; control characters and backslashes in it are \ooo, as in
 * /proc/mounts.  Nothing is told, and nothing costs, while nobody has such a file open.
 */
#ifndef FS_CHANGES_H
#define FS_CHANGES_H

#include "fs/tree.h"

/* Somebody follows a mailbox, or all of them (NULL): what it holds now is known, so that what changes can
 * be told.  0 or an errno value; changes_unfollow after 0. */
int changes_follow(struct tree *t, struct mailbox *mb);
/* all: what was followed was everybody. */
void changes_unfollow(struct tree *t, bool all);
bool changes_are_followed(struct tree *t);
/* About once a minute: mailboxes that are new are followed too. */
void changes_tick(struct tree *t);

/* Hooks of the node table; mailbox locked. */
void changes_message(struct fs_folder *f, const struct fs_msg *old, const struct fs_msg *now,
    struct notices *ns);
void changes_folder_went(struct fs_folder *f, struct notices *ns);
void changes_folder_came(struct fs_folder *f, struct notices *ns);
/* Of a folder whose messages are not in memory: names are not known, and 00000007.eml finds it too. */
void changes_unnamed(struct fs_folder *f, const char *what, uint32_t uid);

#endif

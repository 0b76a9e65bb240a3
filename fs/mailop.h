/*
 * What file operations mean for mail (mount.md, section 3): closing a file appends, rm moves to Trash,
 * mv moves or names.  All but mailop_closing run in the mailbox's lane, one at a time, and return 0 or
 * an errno value.
 */
#ifndef FS_MAILOP_H
#define FS_MAILOP_H

#include "fs/draft.h"
#include "fs/folder.h"

struct tree;

/* A writer of d has closed it (RELEASE was seen): the last one makes it a message, in the lane; or it is
 * dropped, since the writer's session was ended. */
void mailop_closing(struct tree *t, struct draft *d, bool drop);
/* Whether something closed before is still on its way into f: what asks for f's names waits in the lane. */
bool mailop_is_pending(const struct fs_folder *f);

/* Catches up with the store (mailbox_sync_folder). */
int mailop_sync(struct mailbox *mb, struct fs_folder *f);
int mailop_unlink(struct tree *t, struct fs_folder *f, const char *name);
int mailop_mkdir(struct tree *t, struct fs_folder *f, const char *name);
int mailop_rmdir(struct tree *t, struct fs_folder *f, const char *name);
int mailop_rename(struct tree *t, struct fs_folder *from, const char *name, struct fs_folder *to,
    const char *to_name, bool noreplace);
/* By the store's name of a folder. */
int mailop_make_folder(struct tree *t, struct mailbox *mb, const char *path);
int mailop_remove_folder(struct tree *t, struct fs_folder *f);
int mailop_rename_folder(struct tree *t, struct fs_folder *f, const char *path, bool noreplace);
/* value: words of `user.flags`. */
int mailop_set_flags(struct tree *t, struct fs_folder *f, uint32_t uid, struct str_view value);
/* What failed before is tried again; scratch nobody has touched for an hour goes. */
void mailop_tick(struct tree *t, struct fs_folder *f);

/* What a file becomes. */
struct mailop_target {
	struct fs_folder *folder;
	enum fs_place place;
	const char *name;  /* to keep; NULL: the usual one */
	uint32_t replaced; /* a UID whose place it takes, or 0 */
	uint32_t uid;      /* as its Maildir name wants it, or 0 */
	uint32_t flags;
	bool forwarded;
	bool keeps_file;   /* the file stays, as the message's second name */
};
/* Makes d a message now. */
int mailop_commit(struct tree *t, struct draft *d, const struct mailop_target *to);
/* Moves to Trash, or expunges what is in Trash. */
int mailop_remove(struct tree *t, struct fs_folder *f, uint32_t uid);

#endif

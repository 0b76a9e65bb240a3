/* What the files of a mailbox share: mailbox.c, mailbox_folders.c, mailbox_sync.c. */
#ifndef FS_MAILBOX_PRIV_H
#define FS_MAILBOX_PRIV_H

#include "fs/mailbox.h"

#include "store/folder.h"

/* All three locked, but for the top's, which is made with the mailbox. */
struct fs_folder *mailbox_folder_new(struct mailbox *mb, uint32_t id, const char *path);
/* The whole set of folders, as the store lists it now. */
void mailbox_apply_folders(struct mailbox *mb, const struct folder_info *list, size_t n,
    struct notices *ns);
/* The folder is gone, with all that was in it. */
void mailbox_bury(struct fs_folder *f, struct notices *ns);

#endif

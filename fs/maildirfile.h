/* Files in a Maildir that are made up: their names, and the item of their node. */
#ifndef FS_MAILDIRFILE_H
#define FS_MAILDIRFILE_H

#include "fs/folder.h"

enum maildirfile { MAILDIR_UIDVALIDITY, MAILDIR_MARK, MAILDIR_FILES_N };

const char *maildirfile_name(enum maildirfile file);
/* Whether a folder's directory (of the mailbox's top: INBOX) has it. */
bool maildirfile_is_in(const struct fs_folder *dir, enum maildirfile file);
/* MAILDIR_FILES_N: none of them. */
enum maildirfile maildirfile_by_name(const struct fs_folder *dir, const char *name);

#endif

/*
 * What the quota of a mailbox leaves: df shows it, and files are held to it before they are written and
 * before close(2) has said that they are kept.  Files on their way to become messages count as if they were.
 */
#ifndef FS_ROOM_H
#define FS_ROOM_H

#include "fs/mailbox.h"

#include <sys/statvfs.h>

struct draft;

/* What one more message may have, in *octets_r (UINT64_MAX: as much as it likes); 0, EDQUOT when there may be
 * none, or another errno value.  except: a file that does not count, or NULL. */
int room_left(struct mailbox *mb, const struct draft *except, uint64_t *octets_r);
/* The quota as blocks and inodes; st holds the disk's, which may leave less. */
int room_statfs(struct mailbox *mb, struct statvfs *st);

#endif

/*
 * A log of prepared files (fs/record.h): small ones of a mount lie one behind the other in files that were
 * written full of zeros before, so that one sync of what is already there makes a new one durable, and many that are
 * closed at once share it.  A file without a record that is still to be kept is used from its beginning again.
 */
#ifndef FS_PREPLOG_H
#define FS_PREPLOG_H

#include "base/str.h"

#include <stdint.h>

struct preplog;
struct preplog_file;

/* Where a record is. */
struct preplog_at {
	struct preplog_file *file;
	uint64_t at;
	uint64_t turn; /* among those of its file */
};

/* Makes its files in this folder, which it borrows. */
struct preplog *preplog_new(int dir_fd);
/* Files in which something is still kept stay. */
void preplog_free(struct preplog **log);
/* The longest record it takes. */
extern const size_t preplog_record_max;
/* 0 or an errno value.  The record gets its stamp.  Each put, and each wait, goes with one preplog_sync. */
int preplog_put(struct preplog *log, char *record, size_t n, struct preplog_at *at_r);
/* Another waits for this record, which is kept. */
void preplog_wait(struct preplog *log, const struct preplog_at *at);
/* Returns when it is on the disk: 0, or why it is not. */
int preplog_sync(struct preplog *log, const struct preplog_at *at);
/* The record need not be kept any longer. */
void preplog_drop(struct preplog *log, const struct preplog_at *at);

#endif

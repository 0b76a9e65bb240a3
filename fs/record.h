/*
 * A file that was flushed and is no message yet, as it lies on the disk: a line of text that says what it is to
 * become, its name, its flags, and the octets; a sum of all of it tells a whole one from one whose writing was cut
 * short.  Name and flags are counted: a name may have a line feed in it.
 *
 * Records follow each other in a file.  They begin and end with a sector, so that no two share one: a write that is
 * cut short harms none but its own.  Those that belong together have the same stamp; behind the last may lie what is
 * left of an earlier use.
 */
#ifndef FS_RECORD_H
#define FS_RECORD_H

#include "base/arena.h"
#include "base/str.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define RECORD_SUM_BEGIN 0xcbf29ce484222325u

struct record {
	struct user_id user;
	uint32_t folder;
	int place; /* enum fs_place */
	int64_t mtime_ms;
	uint64_t size;
	const char *name, *flags;
	uint64_t sum;
	uint64_t stamp;
	bool is_done; /* it need not be kept any longer */
	/* In its file: */
	uint64_t at, octets_at, next;
};

/* Octets into a sum that begins with RECORD_SUM_BEGIN. */
uint64_t record_sum(uint64_t sum, const char *octets, size_t n);
/* The same of all the header says but the stamp, once the octets are in. */
uint64_t record_sum_rest(const struct record *r, uint64_t sum);
/* How much space its header takes, or its octets. */
uint64_t record_round(uint64_t n);
/* Appends the header, with zeros up to where the octets begin. */
void record_put_header(const struct record *r, struct str_buf *out);
/* Of one that stands in memory: it gets its stamp when its place is known. */
void record_set_stamp(char *record, uint64_t stamp);
/* What stands at a place of a file; texts in the arena.  False: no record.  Its octets may still be others. */
bool record_read(int fd, uint64_t at, struct arena *arena, struct record *r);
/* It need not be kept any longer; on the disk by and by. */
void record_mark_done(int fd, uint64_t at);

#endif

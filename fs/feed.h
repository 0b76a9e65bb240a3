/*
 * Lines that readers follow, each at his own place: what `changes` files read.  The last ones are kept;
 * who falls behind further is told how many he missed.  Plain memory: knows no mailbox and no FUSE.
 */
#ifndef FS_FEED_H
#define FS_FEED_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;
/* Keeps so many lines. */
struct feed *feed_new(unsigned kept);
void feed_free(struct feed **feed);

/* Adds a line, without its line end, about a user. */
void feed_put(struct feed *feed, uint64_t user, struct str_view line);

/* A reader's place. */
struct feed_reader {
	uint64_t user; /* whose lines; 0: everybody's */
	uint64_t at;
};
/* From now on. */
struct feed_reader feed_follow(struct feed *feed, uint64_t user);
/* Whether there is a line for the reader; moves him over others'. */
bool feed_has(struct feed *feed, struct feed_reader *reader);
/* Adds lines for the reader to out until it holds enough octets or there are no more. */
void feed_take(struct feed *feed, struct feed_reader *reader, struct str_buf *out, size_t enough);

#endif

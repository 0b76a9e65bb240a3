/*
 * A client's view of its folder: which message has which sequence number.  Runs of UIDs that follow
 * each other, so a folder without gaps costs 12 bytes whatever its size.  The view changes only when
 * the protocol lets the client be told (RFC 3501 7.4.1); it knows no store and no wire.
 */
#ifndef IMAPD_VIEW_H
#define IMAPD_VIEW_H

#include "base/arena.h"
#include "imapd/seq.h"

#include <stddef.h>
#include <stdint.h>

struct view_run {
	uint32_t uid, seq, n; /* UIDs uid .. uid+n-1 have the numbers seq .. seq+n-1 */
};

/* Zeroed: an empty view. */
struct view {
	struct view_run *runs;
	size_t n, size;
	uint32_t exists;
};

void view_fini(struct view *view);
/* uid must be higher than every UID in the view. */
void view_append(struct view *view, uint32_t uid);
uint32_t view_last_uid(const struct view *view); /* 0: empty */
/* 0 where there is none. */
uint32_t view_seq(const struct view *view, uint32_t uid);
uint32_t view_uid(const struct view *view, uint32_t seq);
/* Takes UIDs (ascending; those that are not there are passed over) out; the rest moves up. */
void view_remove(struct view *view, const uint32_t *uids, size_t n);
/* Turns resolved ranges of sequence numbers, all within 1..exists, into ranges of UIDs. */
void view_uids(const struct view *view, struct seq_set *set);

/* Looks UIDs up that come in ascending order; zeroed: at the start. */
struct view_cursor {
	size_t run;
};
uint32_t view_cursor_seq(const struct view *view, struct view_cursor *cursor, uint32_t uid);

#endif

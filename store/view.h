/*
 * A view of a folder: which message has which sequence number.  Runs of UIDs that follow each other,
 * so a folder without gaps costs a few octets whatever its size.  What a view was when it was shared
 * it stays: who appends or removes gets runs of its own where others hold the same.  Views may be
 * used by one thread each, also where they share.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "base/arena.h"
#include "store/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view_run {
	uint32_t uid, seq; /* of its first message; it ends where the next one begins */
};
struct view_runs; /* counted */

/* Zeroed: an empty view. */
struct view {
	struct view_runs *runs;
	uint32_t n;      /* runs */
	uint32_t exists; /* messages */
};

void view_fini(struct view *view);
struct view view_share(const struct view *view);
/* uid must be higher than every UID in the view. */
void view_append(struct view *view, uint32_t uid);
/* Takes UIDs (ascending; those that are not there are passed over) out; the rest moves up. */
void view_remove(struct view *view, const struct store_uid *uids, size_t n);

uint32_t view_last_uid(const struct view *view); /* 0: empty */
/* 0 where there is none. */
uint32_t view_seq(const struct view *view, uint32_t uid);
uint32_t view_uid(const struct view *view, uint32_t seq);
/* How many messages have a UID up to and with this one. */
uint32_t view_rank(const struct view *view, uint32_t uid);
/* Every UID of a run is there; the next begins behind a gap.  i < n. */
struct uid_range view_run(const struct view *view, uint32_t i, uint32_t *seq_r);
/* The first run that does not end before the UID; n where all do. */
uint32_t view_run_of(const struct view *view, uint32_t uid);
/* What is in `view` and not in `now`, as ranges that have no gap in `view`; ascending, in the arena. */
struct uid_range *view_missing(const struct view *view, const struct view *now, struct arena *arena,
    size_t *n_r);

/* Looks UIDs up that come in ascending order; zeroed: at the start. */
struct view_cursor {
	uint32_t run;
};
uint32_t view_cursor_seq(const struct view *view, struct view_cursor *cursor, uint32_t uid);

#endif

/* Sets of messages in a command's arguments: from what the client wrote to ranges of UIDs. */
#ifndef IMAPD_SET_H
#define IMAPD_SET_H

#include "imapd/cmd.h"
#include "imapd/seq.h"
#include "store/view.h"

/*
 * Resolves a set against the client's view, in place: ranges of UIDs, none behind the last that the
 * client knows of.  False: a sequence number that there is not (the command is BAD).
 */
bool set_resolve(struct imap_req *req, struct seq_set *set);
/* The words of that BAD. */
extern const char set_bad[];

/* Turns resolved ranges of sequence numbers, all within 1..exists, into ranges of UIDs. */
void set_to_uids(const struct view *view, struct seq_set *set);

/* How many messages of the view lie in resolved ranges. */
uint32_t set_count(const struct imap_req *req, const struct seq_set *set);

/* Resolved ranges without the UIDs up to and with this one; in place. */
void set_advance(struct seq_set *set, uint32_t uid);
/*
 * The front of resolved ranges, at most n_max messages of the view, in the arena; *set is advanced
 * behind it.  n = 0 at the end.
 */
struct seq_set set_front(const struct imap_req *req, struct seq_set *set, uint32_t n_max,
    struct arena *arena);

/* Positions from 0, up to but without end. */
struct span {
	uint32_t at, end;
};
/* Those of n messages that a partial-range names. */
struct span set_partial_span(const struct partial *partial, uint32_t n);
/* Cuts resolved ranges down to their messages at those positions; in place. */
void set_take_partial(const struct imap_req *req, struct seq_set *set,
    const struct partial *partial);

#endif

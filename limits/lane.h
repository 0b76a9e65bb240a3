/*
 * Lanes: counts that lie in memory which all processes share, one word each.  Its owner counts in it without a
 * lock or a system call, up to what the ledger has set aside for him; anybody else may shut it, and then knows for
 * sure what is counted in it.  So what is set aside for one process is never missing to another.
 *
 * The words stand in a file of the runtime folder, which is never cut off while the host is up: a block of them
 * per process, held by an OFD lock and used again after its death.  A word carries the tag that its owner's
 * record in the ledger names: one that was overwritten, or belongs to somebody else by now, is told by that.
 *
 *     tag (32 bits)   open (1)   how many (31)
 *
 * Only the owner changes tag and number; only he opens, and he does it under the ledger's mutex, under which alone
 * others shut.  Callers of this header: the ledger.
 */
#ifndef LIMITS_LANE_H
#define LIMITS_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lanes;

/* Where a lane is, for others. */
struct lane_ref {
	uint32_t place; /* 0: none */
	uint32_t tag;
};
/* One's own. */
struct lane {
	struct lane_ref ref;
	_Atomic uint64_t *word; /* NULL: none */
};

struct lanes *lanes_new(int runtime_fd);
void lanes_free(struct lanes **lanes);
/* In a forked child, which has none any more. */
void lanes_forked(struct lanes *lanes);

/* A lane of this process, shut, n counted in it.  False: there is none to be had, and none is needed. */
bool lane_claim(struct lanes *lanes, uint32_t n, struct lane *lane_r);
void lane_drop(struct lanes *lanes, struct lane *lane);
/* From n to another number, if the lane is open (open_only), or however it is.  False: nothing was done; unless
 * it is shut, somebody has spoilt it. */
bool lane_step(struct lane *lane, uint32_t n, uint32_t to, bool open_only);
/* Opens or shuts one's own, in which n were counted, and now to are. */
bool lane_set(struct lane *lane, uint32_t n, uint32_t to, bool is_open);

/* Another's: false if it is not what the reference says. */
bool lanes_look(struct lanes *lanes, struct lane_ref ref, uint32_t *n_r, bool *is_open_r);
bool lanes_shut(struct lanes *lanes, struct lane_ref ref);

#endif

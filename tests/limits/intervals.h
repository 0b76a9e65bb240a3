/*
 * The judge of the storms: it knows nothing of locks and ledgers, only when calls began and ended.
 *
 * A session is surely held from the return of acquire to the call of release (inner), and possibly held from the
 * call of acquire to the return of release (outer).  Inner intervals never overlap more than the limit;
 * a refusal overlaps an instant at which the outer ones reach it.
 */
#ifndef TESTS_INTERVALS_H
#define TESTS_INTERVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
	int64_t from, to; /* from > to: empty, ignored */
};

struct judgement {
	int most_held;        /* the most inner intervals at one instant */
	size_t bad_refusals;  /* refusals with no instant at which the limit can have been reached */
};

/* Sorts what it is given. */
struct judgement intervals_judge(const struct interval *inner, size_t inner_n,
    const struct interval *outer, size_t outer_n, const struct interval *refusals,
    size_t refusals_n, int limit);

#endif

/* tests/limits/intervals.c - overlaps of intervals, by sorting their ends. */
#include "intervals.h"

#include <stdlib.h>

struct end {
	int64_t at;
	int step; /* +1: one begins, -1: one has ended */
	int count; /* after this end */
};

/* Ends that touch do not overlap for the inner ones (-1 first), and do for the outer ones: each time
 * in the ledger's favour, since the clock does not tell which came first. */
static int steps_down_first(const void *a, const void *b)
{
	const struct end *x = a, *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->step - y->step;
}

static int steps_up_first(const void *a, const void *b)
{
	const struct end *x = a, *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : y->step - x->step;
}

static struct end *ends_of(const struct interval *list, size_t n,
    int (*order)(const void *a, const void *b), size_t *ends_n_r)
{
	struct end *ends = malloc((2 * n + 1) * sizeof *ends);
	size_t ends_n = 0;
	int count = 0;

	if (!ends)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (list[i].from > list[i].to)
			continue;
		ends[ends_n++] = (struct end){list[i].from, 1, 0};
		ends[ends_n++] = (struct end){list[i].to, -1, 0};
	}
	qsort(ends, ends_n, sizeof *ends, order);
	for (size_t i = 0; i < ends_n; i++)
		ends[i].count = count += ends[i].step;
	*ends_n_r = ends_n;
	return ends;
}

static int most(const struct interval *list, size_t n)
{
	size_t ends_n;
	struct end *ends = ends_of(list, n, steps_down_first, &ends_n);
	int found = 0;

	for (size_t i = 0; i < ends_n; i++)
		if (ends[i].count > found)
			found = ends[i].count;
	free(ends);
	return found;
}

/* Whether the count reaches the limit at an instant of [from, to]. */
static bool reaches(const struct end *ends, size_t ends_n, struct interval span, int limit)
{
	size_t low = 0, high = ends_n;

	while (low < high) { /* the first end at or after from */
		size_t mid = (low + high) / 2;

		if (ends[mid].at < span.from)
			low = mid + 1;
		else
			high = mid;
	}
	if (low > 0 && ends[low - 1].count >= limit)
		return true;
	for (; low < ends_n && ends[low].at <= span.to; low++)
		if (ends[low].count >= limit)
			return true;
	return limit <= 0;
}

struct judgement intervals_judge(const struct interval *inner, size_t inner_n,
    const struct interval *outer, size_t outer_n, const struct interval *refusals,
    size_t refusals_n, int limit)
{
	struct judgement judgement = {.most_held = most(inner, inner_n)};
	size_t ends_n;
	struct end *ends = ends_of(outer, outer_n, steps_up_first, &ends_n);

	for (size_t i = 0; i < refusals_n; i++)
		judgement.bad_refusals += !reaches(ends, ends_n, refusals[i], limit);
	free(ends);
	return judgement;
}

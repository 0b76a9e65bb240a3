/* imapd/context_members.c - the members of a context: ranges of UIDs. */
#include "imapd/context_priv.h"

#include "base/mem.h"

#include <stdlib.h>

bool context_has(const struct context *context, uint32_t uid)
{
	const struct uid_range *ranges = context->members;
	size_t n = context->members_n, low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ranges[mid].to < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && ranges[low].from <= uid;
}

bool uids_have(const uint32_t *uids, size_t n, uint32_t uid)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && uids[low] == uid;
}

struct ranges {
	struct uid_range *p;
	size_t n;
};

static void put(struct ranges *to, uint32_t from, uint32_t upto)
{
	if (from > upto)
		return;
	if (to->n && to->p[to->n - 1].to + 1 == from)
		to->p[to->n - 1].to = upto;
	else
		to->p[to->n++] = (struct uid_range){from, upto};
}

void context_take_out(struct context *context, const uint32_t *removed, size_t n)
{
	struct ranges left = {mem_alloc((context->members_n + n + 1) * sizeof *left.p), 0};
	size_t at = 0;

	for (size_t i = 0; i < context->members_n; i++) {
		struct uid_range r = context->members[i];

		for (; at < n && removed[at] <= r.to; at++) {
			if (removed[at] > r.from)
				put(&left, r.from, removed[at] - 1);
			r.from = removed[at] + 1;
		}
		put(&left, r.from, r.to);
	}
	free(context->members);
	context->members = left.p;
	context->members_n = left.n;
}

void context_put_in(struct context *context, const uint32_t *added, size_t n)
{
	struct ranges all = {mem_alloc((context->members_n + n + 1) * sizeof *all.p), 0};
	size_t at = 0;

	for (size_t i = 0; i < context->members_n; i++) {
		for (; at < n && added[at] < context->members[i].from; at++)
			put(&all, added[at], added[at]);
		put(&all, context->members[i].from, context->members[i].to);
	}
	for (; at < n; at++)
		put(&all, added[at], added[at]);
	free(context->members);
	context->members = all.p;
	context->members_n = all.n;
}

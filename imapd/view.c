/* imapd/view.c - sequence numbers and UIDs, as runs. */
#include "imapd/view.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>

void view_fini(struct view *view)
{
	free(view->runs);
	*view = (struct view){0};
}

void view_append(struct view *view, uint32_t uid)
{
	struct view_run *last = view->n ? &view->runs[view->n - 1] : NULL;

	CHECK(uid > view_last_uid(view));
	view->exists++;
	if (last && last->uid + last->n == uid) {
		last->n++;
		return;
	}
	if (view->n == view->size) {
		view->size = view->size ? view->size * 2 : 8;
		view->runs = mem_realloc(view->runs, view->size * sizeof *view->runs);
	}
	view->runs[view->n++] = (struct view_run){uid, view->exists, 1};
}

uint32_t view_last_uid(const struct view *view)
{
	const struct view_run *last = view->n ? &view->runs[view->n - 1] : NULL;

	return last ? last->uid + last->n - 1 : 0;
}

/* The first run that ends at or behind the UID. */
static size_t run_of_uid(const struct view *view, uint32_t uid)
{
	size_t low = 0, high = view->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct view_run *r = &view->runs[mid];

		if (r->uid + r->n - 1 < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static size_t run_of_seq(const struct view *view, uint32_t seq)
{
	size_t low = 0, high = view->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct view_run *r = &view->runs[mid];

		if (r->seq + r->n - 1 < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint32_t seq_in_run(const struct view *view, size_t run, uint32_t uid)
{
	const struct view_run *r = &view->runs[run];

	return run < view->n && uid >= r->uid ? r->seq + (uid - r->uid) : 0;
}

uint32_t view_seq(const struct view *view, uint32_t uid)
{
	return seq_in_run(view, run_of_uid(view, uid), uid);
}

uint32_t view_uid(const struct view *view, uint32_t seq)
{
	if (seq == 0 || seq > view->exists)
		return 0;
	const struct view_run *r = &view->runs[run_of_seq(view, seq)];

	return r->uid + (seq - r->seq);
}

uint32_t view_cursor_seq(const struct view *view, struct view_cursor *cursor, uint32_t uid)
{
	while (cursor->run < view->n) {
		const struct view_run *r = &view->runs[cursor->run];

		if (r->uid + r->n - 1 >= uid)
			return seq_in_run(view, cursor->run, uid);
		cursor->run++;
	}
	return 0;
}

/* Puts the part [from, to] of a run as one run, joined to the last where they touch. */
static void put_part(struct view *to, uint32_t from, uint32_t upto)
{
	uint32_t n = upto - from + 1;
	struct view_run *last = to->n ? &to->runs[to->n - 1] : NULL;

	if (last && last->uid + last->n == from)
		last->n += n;
	else
		to->runs[to->n++] = (struct view_run){from, to->exists + 1, n};
	to->exists += n;
}

void view_remove(struct view *view, const uint32_t *uids, size_t n)
{
	/* Every UID that goes can split one run. */
	struct view left = {.size = view->n + n};
	size_t at = 0;

	if (n == 0)
		return;
	left.runs = mem_alloc(left.size * sizeof *left.runs);
	for (size_t i = 0; i < view->n; i++) {
		uint32_t from = view->runs[i].uid, last = from + view->runs[i].n - 1;
		bool rest = true;

		while (at < n && uids[at] < from)
			at++;
		for (; at < n && uids[at] <= last && rest; at++) {
			if (uids[at] < from) /* told twice */
				continue;
			if (uids[at] > from)
				put_part(&left, from, uids[at] - 1);
			rest = uids[at] != last;
			from = uids[at] + 1;
		}
		if (rest)
			put_part(&left, from, last);
	}
	free(view->runs);
	*view = left;
}

/* A gap in the view holds UIDs that are gone and never come back, so one range stays one range. */
void view_uids(const struct view *view, struct seq_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		struct uid_range *r = &set->ranges[i];

		CHECK(r->from >= 1 && r->to <= view->exists);
		*r = (struct uid_range){view_uid(view, r->from), view_uid(view, r->to)};
	}
}

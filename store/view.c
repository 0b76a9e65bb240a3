/* store/view.c - sequence numbers and UIDs, as runs that views share. */
#include "store/view.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct view_runs {
	atomic_uint refs;
	uint32_t room;
	struct view_run run[];
};

void view_fini(struct view *view)
{
	if (view->runs && atomic_fetch_sub(&view->runs->refs, 1) == 1)
		free(view->runs);
	*view = (struct view){0};
}

struct view view_share(const struct view *view)
{
	if (view->runs)
		atomic_fetch_add(&view->runs->refs, 1);
	return *view;
}

static struct view_runs *runs_new(uint32_t room)
{
	struct view_runs *runs = mem_alloc(sizeof *runs + room * sizeof *runs->run);

	atomic_init(&runs->refs, 1);
	runs->room = room;
	return runs;
}

/* Room for one more run, in runs that nobody else holds: only who holds some can share them. */
static void make_room(struct view *view)
{
	struct view_runs *old = view->runs, *runs;

	if (old && view->n < old->room && atomic_load(&old->refs) == 1)
		return;
	runs = runs_new(view->n + view->n / 2 + 1);
	if (old) {
		struct view shared = *view;

		memcpy(runs->run, old->run, view->n * sizeof *runs->run);
		view_fini(&shared);
	}
	view->runs = runs;
}

/* Behind the last message; joined to the last run where they touch. */
static void put_part(struct view *view, uint32_t from, uint32_t upto)
{
	if (view->exists == 0 || view_last_uid(view) + 1 != from) {
		make_room(view);
		view->runs->run[view->n++] = (struct view_run){from, view->exists + 1};
	}
	view->exists += upto - from + 1;
}

void view_append(struct view *view, uint32_t uid)
{
	CHECK(uid > view_last_uid(view));
	put_part(view, uid, uid);
}

struct uid_range view_run(const struct view *view, uint32_t i, uint32_t *seq_r)
{
	const struct view_run *run = &view->runs->run[i];
	uint32_t next = i + 1 < view->n ? run[1].seq : view->exists + 1;

	*seq_r = run->seq;
	return (struct uid_range){run->uid, run->uid + (next - run->seq - 1)};
}

uint32_t view_last_uid(const struct view *view)
{
	uint32_t seq;

	return view->n ? view_run(view, view->n - 1, &seq).to : 0;
}

/* How many runs begin at or before the UID, or the number. */
static uint32_t runs_upto(const struct view *view, uint32_t uid, uint32_t seq)
{
	uint32_t low = 0, high = view->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct view_run *run = &view->runs->run[mid];

		if (run->uid <= uid && run->seq <= seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t view_run_of(const struct view *view, uint32_t uid)
{
	uint32_t i = runs_upto(view, uid, UINT32_MAX), seq;

	return i > 0 && view_run(view, i - 1, &seq).to >= uid ? i - 1 : i;
}

uint32_t view_rank(const struct view *view, uint32_t uid)
{
	uint32_t i = runs_upto(view, uid, UINT32_MAX), seq;

	if (i == 0)
		return 0;
	struct uid_range uids = view_run(view, i - 1, &seq);

	return seq + ((uid < uids.to ? uid : uids.to) - uids.from);
}

uint32_t view_seq(const struct view *view, uint32_t uid)
{
	uint32_t i = runs_upto(view, uid, UINT32_MAX), seq;

	if (i == 0)
		return 0;
	struct uid_range uids = view_run(view, i - 1, &seq);

	return uid <= uids.to ? seq + (uid - uids.from) : 0;
}

uint32_t view_uid(const struct view *view, uint32_t seq)
{
	if (seq == 0 || seq > view->exists)
		return 0;
	const struct view_run *run = &view->runs->run[runs_upto(view, UINT32_MAX, seq) - 1];

	return run->uid + (seq - run->seq);
}

uint32_t view_cursor_seq(const struct view *view, struct view_cursor *cursor, uint32_t uid)
{
	for (; cursor->run < view->n; cursor->run++) {
		uint32_t seq;
		struct uid_range uids = view_run(view, cursor->run, &seq);

		if (uids.to >= uid)
			return uids.from <= uid ? seq + (uid - uids.from) : 0;
	}
	return 0;
}

void view_remove(struct view *view, const struct store_uid *uids, size_t n)
{
	struct view left = {0};
	uint32_t seq;
	size_t at = 0;

	if (n == 0)
		return;
	/* Every UID that goes can split one run; but most do not. */
	left.runs = runs_new(view->n + 1);
	for (uint32_t i = 0; i < view->n; i++) {
		struct uid_range run = view_run(view, i, &seq);
		bool rest = true;

		for (; at < n && uids[at].n <= run.to && rest; at++) {
			if (uids[at].n < run.from) /* not there, or told twice */
				continue;
			if (uids[at].n > run.from)
				put_part(&left, run.from, uids[at].n - 1);
			rest = uids[at].n != run.to;
			run.from = uids[at].n + 1;
		}
		if (rest)
			put_part(&left, run.from, run.to);
	}
	view_fini(view);
	*view = left;
}

struct missing {
	struct arena *arena;
	struct uid_range *p;
	size_t n, room;
};

static void missing_add(struct missing *list, uint32_t from, uint32_t to)
{
	if (list->n == list->room) {
		struct uid_range *old = list->p;

		list->room = list->room ? list->room * 2 : 8;
		list->p = ARENA_ARRAY(list->arena, struct uid_range, list->room);
		if (old)
			memcpy(list->p, old, list->n * sizeof *old);
	}
	list->p[list->n++] = (struct uid_range){from, to};
}

/* What of a run `now` does not have; *at is the first run of `now` that may lie in it. */
static void missing_in_run(struct missing *list, struct uid_range run, const struct view *now,
    uint32_t *at)
{
	uint32_t from = run.from, seq;

	for (; *at < now->n; (*at)++) {
		struct uid_range there = view_run(now, *at, &seq);

		if (there.from > run.to)
			break;
		if (there.to < from)
			continue;
		if (there.from > from)
			missing_add(list, from, there.from - 1);
		if (there.to >= run.to) /* it may reach into the next one */
			return;
		from = there.to + 1;
	}
	missing_add(list, from, run.to);
}

struct uid_range *view_missing(const struct view *view, const struct view *now, struct arena *arena,
    size_t *n_r)
{
	struct missing list = {.arena = arena};
	uint32_t at = 0, seq;

	/* The same runs: all that can differ is how long the last one is. */
	for (uint32_t i = 0; view->runs != now->runs && i < view->n; i++)
		missing_in_run(&list, view_run(view, i, &seq), now, &at);
	*n_r = list.n;
	return list.p;
}

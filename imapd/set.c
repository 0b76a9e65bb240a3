/* imapd/set.c - sets of sequence numbers or UIDs against the selected folder's view. */
#include "imapd/set.h"

#include "imapd/sync.h"

const char set_bad[] = "There is no message of that number";

static void drop_behind(struct seq_set *set, uint32_t last)
{
	while (set->n && set->ranges[set->n - 1].from > last)
		set->n--;
	if (set->n && set->ranges[set->n - 1].to > last)
		set->ranges[set->n - 1].to = last;
}

bool set_resolve(struct imap_req *req, struct seq_set *set)
{
	const struct selected *s = req->client->selected;
	const struct view *view = &s->view;

	if (set->is_saved) {
		/* UIDs never come back, so what was expunged since has left it (RFC 5182 2.1). */
		set->ranges = arena_copy(&req->client->arena, s->saved.ranges,
		    s->saved.n * sizeof *s->saved.ranges);
		set->n = s->saved.n;
		return true;
	}
	if (req->uid) {
		uint32_t last = view_last_uid(view);

		/* In an empty folder '*' is no UID (RFC 3501 9, seq-number). */
		seq_resolve(set, last ? last : UINT32_MAX);
		drop_behind(set, last);
		return true;
	}
	seq_resolve(set, view->exists);
	if (set->ranges[0].from == 0 || set->ranges[set->n - 1].to > view->exists)
		return false;
	view_uids(view, set);
	return true;
}

/* The number of messages whose UID is at most uid. */
static uint32_t rank(const struct view *view, uint32_t uid)
{
	size_t low = 0, high = view->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (view->runs[mid].uid <= uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return 0;
	const struct view_run *r = &view->runs[low - 1];
	uint32_t in_run = uid - r->uid < r->n ? uid - r->uid + 1 : r->n;

	return r->seq - 1 + in_run;
}

static uint32_t count_range(const struct view *view, const struct uid_range *range)
{
	/* No UID is 0. */
	return rank(view, range->to) - rank(view, range->from - 1);
}

uint32_t set_count(const struct imap_req *req, const struct seq_set *set)
{
	uint32_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += count_range(&req->client->selected->view, &set->ranges[i]);
	return n;
}

void set_advance(struct seq_set *set, uint32_t uid)
{
	while (set->n && set->ranges[0].to <= uid) {
		set->ranges++;
		set->n--;
	}
	if (set->n && set->ranges[0].from <= uid)
		set->ranges[0].from = uid + 1;
}

struct seq_set set_front(const struct imap_req *req, struct seq_set *set, uint32_t n_max,
    struct arena *arena)
{
	const struct view *view = &req->client->selected->view;
	struct seq_set front = {0};

	if (set->n == 0)
		return front;
	/* Every message between counts, in the set or not: a bound, found without a walk. */
	uint32_t before = rank(view, set->ranges[0].from - 1);
	uint32_t last = before + n_max < view->exists ? view_uid(view, before + n_max) : UINT32_MAX;

	while (front.n < set->n && set->ranges[front.n].from <= last)
		front.n++;
	front.ranges = arena_copy(arena, set->ranges, front.n * sizeof *front.ranges);
	if (front.n && front.ranges[front.n - 1].to > last)
		front.ranges[front.n - 1].to = last;
	set_advance(set, last);
	return front;
}

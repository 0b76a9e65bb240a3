/* imapd/set.c - sets of sequence numbers or UIDs against the selected folder's view. */
#include "imapd/set.h"

#include "base/check.h"
#include "imapd/sync.h"

const char set_bad[] = "There is no message of that number";

static void drop_behind(struct seq_set *set, uint32_t last)
{
	while (set->n && set->ranges[set->n - 1].from > last)
		set->n--;
	if (set->n && set->ranges[set->n - 1].to > last)
		set->ranges[set->n - 1].to = last;
}

/* A gap in the view holds UIDs that are gone and never come back, so one range stays one range. */
void set_to_uids(const struct view *view, struct seq_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		struct uid_range *r = &set->ranges[i];

		CHECK(r->from >= 1 && r->to <= view->exists);
		*r = (struct uid_range){view_uid(view, r->from), view_uid(view, r->to)};
	}
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
	set_to_uids(view, set);
	return true;
}

uint32_t set_count(const struct imap_req *req, const struct seq_set *set)
{
	const struct view *view = &req->client->selected->view;
	uint32_t n = 0;

	/* No UID is 0. */
	for (size_t i = 0; i < set->n; i++)
		n += view_rank(view, set->ranges[i].to) - view_rank(view, set->ranges[i].from - 1);
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
	uint32_t before = view_rank(view, set->ranges[0].from - 1);
	uint32_t last = before + n_max < view->exists ? view_uid(view, before + n_max) : UINT32_MAX;

	while (front.n < set->n && set->ranges[front.n].from <= last)
		front.n++;
	front.ranges = arena_copy(arena, set->ranges, front.n * sizeof *front.ranges);
	if (front.n && front.ranges[front.n - 1].to > last)
		front.ranges[front.n - 1].to = last;
	set_advance(set, last);
	return front;
}

struct span set_partial_span(const struct partial *partial, uint32_t n)
{
	uint32_t from = partial->from - 1, to = partial->to < n ? partial->to : n;

	if (from > to)
		from = to;
	return partial->from_end ? (struct span){n - to, n - from} : (struct span){from, to};
}

void set_take_partial(const struct imap_req *req, struct seq_set *set, const struct partial *partial)
{
	const struct view *view = &req->client->selected->view;
	struct span span = set_partial_span(partial, set_count(req, set));
	uint32_t before = 0; /* messages in the ranges that were gone through */
	size_t kept = 0;

	for (size_t i = 0; i < set->n && before < span.end; i++) {
		uint32_t rank_before = view_rank(view, set->ranges[i].from - 1);
		uint32_t n = view_rank(view, set->ranges[i].to) - rank_before;
		uint32_t at = span.at > before ? span.at - before : 0;
		uint32_t end = span.end - before < n ? span.end - before : n;

		if (at < end)
			set->ranges[kept++] = (struct uid_range){view_uid(view, rank_before + at + 1),
			    view_uid(view, rank_before + end)};
		before += n;
	}
	set->n = kept;
}

/*
 * imapd/thread_build.c - from links to threads: RFC 5256 3, REFERENCES steps 2 to 6, REFS, and
 * ORDEREDSUBJECT.  Nothing recurses: parents come before their children in an order that is made first,
 * and what has to be done from the leaves up goes through it backwards.
 */
#include "imapd/thread.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- lists ----------------------------------------------------------------------------------- */

static void append_child(struct thread *t, uint32_t parent, uint32_t child)
{
	struct thread_node *p = &t->nodes[parent];

	t->nodes[child].parent = parent;
	t->nodes[child].next = THREAD_NONE;
	if (p->first == THREAD_NONE)
		p->first = child;
	else
		t->nodes[p->last].next = child;
	p->last = child;
}

/* All children of one node to another's end. */
static void append_children(struct thread *t, uint32_t parent, uint32_t from)
{
	struct thread_node *node = &t->nodes[from];
	uint32_t next;

	for (uint32_t at = node->first; at != THREAD_NONE; at = next) {
		next = t->nodes[at].next;
		append_child(t, parent, at);
	}
	node->first = node->last = THREAD_NONE;
}

/* The trees below the roots, parents first; heap. */
static uint32_t *make_order(const struct thread *t, size_t *n_r)
{
	uint32_t *order = mem_alloc((t->n + 1) * sizeof *order);
	size_t n = 0;

	for (size_t i = 0; i < t->roots_n; i++)
		order[n++] = t->roots[i];
	for (size_t i = 0; i < n; i++)
		for (uint32_t c = t->nodes[order[i]].first; c != THREAD_NONE; c = t->nodes[c].next)
			order[n++] = c;
	*n_r = n;
	return order;
}

/* --- sorting --------------------------------------------------------------------------------- */

static int by_date(const void *a, const void *b, void *arg)
{
	const struct thread *t = arg;
	const struct thread_node *x = &t->nodes[*(const uint32_t *)a];
	const struct thread_node *y = &t->nodes[*(const uint32_t *)b];

	if (x->date_ms != y->date_ms)
		return x->date_ms < y->date_ms ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int by_arrival(const void *a, const void *b, void *arg)
{
	const struct thread *t = arg;
	const struct thread_node *x = &t->nodes[*(const uint32_t *)a];
	const struct thread_node *y = &t->nodes[*(const uint32_t *)b];

	if (x->arrival_ms != y->arrival_ms)
		return x->arrival_ms < y->arrival_ms ? -1 : 1;
	return by_date(a, b, arg);
}

static int by_subject(const void *a, const void *b, void *arg)
{
	const struct thread *t = arg;
	uint32_t x = t->nodes[*(const uint32_t *)a].subject, y = t->nodes[*(const uint32_t *)b].subject;

	return x != y ? (x < y ? -1 : 1) : by_date(a, b, arg);
}

/* room: as many as there are nodes. */
static void sort_children(struct thread *t, uint32_t parent, uint32_t *room)
{
	uint32_t at = t->nodes[parent].first;
	size_t n = 0;

	if (at == t->nodes[parent].last)
		return;
	for (; at != THREAD_NONE; at = t->nodes[at].next)
		room[n++] = at;
	qsort_r(room, n, sizeof *room, by_date, t);
	t->nodes[parent].first = t->nodes[parent].last = THREAD_NONE;
	for (size_t i = 0; i < n; i++)
		append_child(t, parent, room[i]);
}

/* A dummy stands where its first child would (steps 4 and 6); its subject is that child's (5.B). */
static void fill_dummy(struct thread *t, uint32_t at)
{
	struct thread_node *node = &t->nodes[at];
	const struct thread_node *first = &t->nodes[node->first];

	node->date_ms = first->date_ms;
	node->order = first->order;
	node->subject = first->subject;
	node->is_reply = first->is_reply;
}

/* Sorts all siblings but the roots. */
static void sort_all(struct thread *t)
{
	size_t n;
	uint32_t *order = make_order(t, &n), *room = mem_alloc((t->n + 1) * sizeof *room);

	while (n-- > 0) {
		struct thread_node *node = &t->nodes[order[n]];

		sort_children(t, order[n], room);
		if (!node->seq)
			fill_dummy(t, order[n]);
	}
	free(order);
	free(room);
}

/* --- steps 2 and 3 --------------------------------------------------------------------------- */

static void take_roots(struct thread *t)
{
	t->roots = mem_alloc((t->n + 1) * sizeof *t->roots);
	for (uint32_t i = 0; i < t->n; i++) {
		if (t->nodes[i].parent == THREAD_NONE)
			t->roots[t->roots_n++] = i;
		else
			append_child(t, t->nodes[i].parent, i);
	}
}

/* A dummy goes, and its children take its place; among the roots only where it has one child. */
static void prune(struct thread *t)
{
	size_t n, kept = 0;
	uint32_t *order = make_order(t, &n);

	for (size_t i = 0; i < n; i++)
		t->nodes[order[i]].first = t->nodes[order[i]].last = THREAD_NONE;
	while (n-- > t->roots_n) {
		uint32_t at = order[n], parent = t->nodes[at].parent;

		if (t->nodes[at].seq)
			append_child(t, parent, at);
		else
			append_children(t, parent, at);
	}
	for (size_t i = 0; i < t->roots_n; i++) {
		const struct thread_node *root = &t->nodes[t->roots[i]];
		uint32_t at = t->roots[i];

		if (!root->seq && root->first == THREAD_NONE)
			continue;
		if (!root->seq && root->first == root->last) {
			at = root->first;
			t->nodes[at].parent = THREAD_NONE;
		}
		t->roots[kept++] = at;
	}
	t->roots_n = kept;
	free(order);
}

/* --- step 5 ---------------------------------------------------------------------------------- */

/* The thread that stands for a subject: a dummy before a message, an original before a reply. */
static bool stands_better(const struct thread_node *now, const struct thread_node *than)
{
	return than->seq && (!now->seq || (than->is_reply && !now->is_reply));
}

static uint32_t new_dummy(struct thread *t, uint32_t first, uint32_t second)
{
	uint32_t dummy = (uint32_t)t->n++;

	t->nodes[dummy] = (struct thread_node){.parent = THREAD_NONE, .first = THREAD_NONE,
	    .last = THREAD_NONE, .next = THREAD_NONE, .subject = t->nodes[first].subject};
	append_child(t, dummy, first);
	append_child(t, dummy, second);
	return dummy;
}

/* Joins a root to the one that stands for its subject (5.C); what stands for it from now on. */
static uint32_t join(struct thread *t, uint32_t stands, uint32_t at)
{
	const struct thread_node *now = &t->nodes[at], *there = &t->nodes[stands];

	if (!now->seq && !there->seq)
		append_children(t, stands, at);
	else if (!there->seq || (now->is_reply && !there->is_reply))
		append_child(t, stands, at);
	else
		return new_dummy(t, stands, at);
	return stands;
}

static void merge_subjects(struct thread *t)
{
	uint32_t *stands = mem_alloc((t->subjects.n + 1) * sizeof *stands); /* by subject; + 1 */
	size_t kept = 0;

	/* Each merge makes at most one dummy: room for them first, as nodes must not move. */
	t->nodes = mem_realloc(t->nodes, (t->n + t->roots_n + 1) * sizeof *t->nodes);
	for (size_t i = 0; i < t->roots_n; i++) {
		const struct thread_node *root = &t->nodes[t->roots[i]];
		uint32_t *at = &stands[root->subject];

		if (root->subject && (!*at || stands_better(root, &t->nodes[*at - 1])))
			*at = t->roots[i] + 1;
	}
	for (size_t i = 0; i < t->roots_n; i++) {
		uint32_t *at = &stands[t->nodes[t->roots[i]].subject];

		if (t->nodes[t->roots[i]].subject && *at != t->roots[i] + 1)
			*at = join(t, *at - 1, t->roots[i]) + 1;
	}
	/* Who became somebody's child is no root any more; a new dummy stands where its first child did. */
	for (size_t i = 0; i < t->roots_n; i++) {
		uint32_t at = t->roots[i], parent = t->nodes[at].parent;

		if (parent != THREAD_NONE && t->nodes[parent].parent == THREAD_NONE &&
		    !t->nodes[parent].seq && t->nodes[parent].first == at)
			t->roots[kept++] = parent;
		else if (parent == THREAD_NONE && (t->nodes[at].seq || t->nodes[at].first != THREAD_NONE))
			t->roots[kept++] = at;
	}
	t->roots_n = kept;
	free(stands);
}

/* --- the three ------------------------------------------------------------------------------- */

static void build_references(struct thread *t)
{
	take_roots(t);
	prune(t);
	sort_all(t);
	qsort_r(t->roots, t->roots_n, sizeof *t->roots, by_date, t);
	merge_subjects(t);
	sort_all(t);
	qsort_r(t->roots, t->roots_n, sizeof *t->roots, by_date, t);
}

/* draft-ietf-morg-inthread: no subjects, and threads by their latest arrival. */
static void build_refs(struct thread *t)
{
	uint32_t *order;
	size_t n;

	take_roots(t);
	prune(t);
	sort_all(t);
	order = make_order(t, &n);
	for (size_t i = 0; i < t->roots_n; i++)
		if (!t->nodes[t->roots[i]].seq)
			t->nodes[t->roots[i]].arrival_ms = INT64_MIN;
	while (n-- > t->roots_n) {
		const struct thread_node *node = &t->nodes[order[n]];
		struct thread_node *parent = &t->nodes[node->parent];

		if (node->arrival_ms > parent->arrival_ms)
			parent->arrival_ms = node->arrival_ms;
	}
	free(order);
	qsort_r(t->roots, t->roots_n, sizeof *t->roots, by_arrival, t);
}

/* One thread a subject: its first message, and all others as that one's children. */
static void build_orderedsubject(struct thread *t)
{
	uint32_t *all = mem_alloc((t->n + 1) * sizeof *all), root = THREAD_NONE;

	t->roots = mem_alloc((t->n + 1) * sizeof *t->roots);
	for (uint32_t i = 0; i < t->n; i++)
		all[i] = i;
	qsort_r(all, t->n, sizeof *all, by_subject, t);
	for (size_t i = 0; i < t->n; i++) {
		if (root != THREAD_NONE && t->nodes[all[i]].subject == t->nodes[root].subject)
			append_child(t, root, all[i]);
		else
			t->roots[t->roots_n++] = root = all[i];
	}
	free(all);
	qsort_r(t->roots, t->roots_n, sizeof *t->roots, by_date, t);
}

void thread_build(struct thread *t)
{
	switch (t->how) {
	case THREAD_ORDEREDSUBJECT:
		build_orderedsubject(t);
		break;
	case THREAD_REFERENCES:
		build_references(t);
		break;
	case THREAD_REFS:
		build_refs(t);
		break;
	}
}

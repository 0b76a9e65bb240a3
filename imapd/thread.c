/*
 * imapd/thread.c - links between messages (RFC 5256 3, REFERENCES step 1), and the threads as text.
 *
 * While links are made and broken a node knows only its parent; lists of children are made once, at the
 * end (thread_build.c).  So to break a link costs nothing.  A link would close a loop only if the child
 * has children, and is an ancestor of the parent-to-be; those walks upward are counted, and once they
 * have cost LOOP_STEPS for each message, links that would need one are not made (doc/DEPARTURES.md).
 */
#include "imapd/thread.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define LOOP_STEPS 256

/* --- tables ---------------------------------------------------------------------------------- */

static struct thread_slot *slot_of(const struct thread_table *t, uint64_t key)
{
	size_t at = key & (t->room - 1);

	while (t->slots[at].value && t->slots[at].key != key)
		at = (at + 1) & (t->room - 1);
	return &t->slots[at];
}

static void grow(struct thread_table *t)
{
	struct thread_table wider = {.n = t->n, .room = t->room ? t->room * 2 : 256};

	wider.slots = mem_alloc(wider.room * sizeof *wider.slots);
	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i].value)
			*slot_of(&wider, t->slots[i].key) = t->slots[i];
	free(t->slots);
	*t = wider;
}

/* The slot of a key: found, or made and still without a value. */
static struct thread_slot *take_slot(struct thread_table *t, uint64_t key)
{
	struct thread_slot *slot;

	if ((t->n + 1) * 2 > t->room)
		grow(t);
	slot = slot_of(t, key);
	if (!slot->value) {
		slot->key = key;
		t->n++;
	}
	return slot;
}

/* --- nodes ----------------------------------------------------------------------------------- */

static uint32_t new_node(struct thread *t)
{
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 256;
		t->nodes = mem_realloc(t->nodes, t->room * sizeof *t->nodes);
	}
	t->nodes[t->n] = (struct thread_node){
	    .parent = THREAD_NONE, .first = THREAD_NONE, .last = THREAD_NONE, .next = THREAD_NONE};
	return (uint32_t)t->n++;
}

static uint32_t node_of(struct thread *t, uint64_t id)
{
	struct thread_slot *slot = take_slot(&t->ids, id);

	if (!slot->value)
		slot->value = new_node(t) + 1;
	return slot->value - 1;
}

/* Equal subjects have one number, 0 is none. */
static uint32_t number_subject(struct thread *t, struct str_view text)
{
	uint64_t hash = hash_bytes(text.p, text.n);
	struct thread_slot *slot;

	if (!text.n)
		return 0;
	/* Two texts of one hash are told apart: the second takes the next place. */
	for (;; hash++) {
		slot = take_slot(&t->subjects, hash);
		if (!slot->value)
			break;
		if (str_equal(t->subject_texts[slot->value], text))
			return slot->value;
	}
	if (t->subjects.n >= t->subjects_room) {
		t->subjects_room = t->subjects_room ? t->subjects_room * 2 : 64;
		t->subject_texts = mem_realloc(t->subject_texts,
		    t->subjects_room * sizeof *t->subject_texts);
	}
	slot->value = (uint32_t)t->subjects.n;
	t->subject_texts[slot->value] = str_view(arena_strn(&t->texts, text.p, text.n), text.n);
	return slot->value;
}

/* --- step 1 ---------------------------------------------------------------------------------- */

static bool is_ancestor(struct thread *t, uint32_t node, uint32_t of)
{
	if (t->nodes[node].children_n == 0)
		return false;
	for (; of != THREAD_NONE; of = t->nodes[of].parent) {
		if (of == node || t->steps_left == 0)
			return true;
		t->steps_left--;
	}
	return false;
}

static void unlink_node(struct thread *t, uint32_t child)
{
	uint32_t parent = t->nodes[child].parent;

	if (parent != THREAD_NONE)
		t->nodes[parent].children_n--;
	t->nodes[child].parent = THREAD_NONE;
}

/* The child has no parent. */
static void link_nodes(struct thread *t, uint32_t parent, uint32_t child)
{
	if (parent == child || is_ancestor(t, child, parent))
		return;
	t->nodes[child].parent = parent;
	t->nodes[parent].children_n++;
}

/* The message's own node: that of its id, unless another message has it already. */
static uint32_t take_message(struct thread *t, const struct message_keys *keys, uint32_t seq)
{
	uint32_t at = keys->id && t->how != THREAD_ORDEREDSUBJECT ? node_of(t, keys->id) : new_node(t);
	struct thread_node *node;

	if (t->nodes[at].seq)
		at = new_node(t);
	node = &t->nodes[at];
	node->seq = node->order = seq;
	node->date_ms = keys->sent_ms;
	node->arrival_ms = keys->arrival_ms;
	node->is_reply = keys->is_reply;
	node->subject = number_subject(t, keys->subject);
	return at;
}

void thread_add(struct thread *t, const struct message_keys *keys, uint32_t seq)
{
	uint32_t node = take_message(t, keys, seq), before = THREAD_NONE;

	if (t->how == THREAD_ORDEREDSUBJECT)
		return;
	t->steps_left += LOOP_STEPS;
	/* A: each reference is the child of the one before, if it is nobody's yet. */
	for (size_t i = 0; i < keys->refs_n; i++) {
		uint32_t at = node_of(t, keys->refs[i]);

		if (before != THREAD_NONE && t->nodes[at].parent == THREAD_NONE)
			link_nodes(t, before, at);
		before = at;
	}
	/* B: the message is the last one's child, whatever others said. */
	unlink_node(t, node);
	if (before != THREAD_NONE)
		link_nodes(t, before, node);
}

size_t thread_octets(const struct thread *t)
{
	return t->room * sizeof *t->nodes + t->n * sizeof *t->roots +
	    (t->ids.room + t->subjects.room) * sizeof(struct thread_slot) +
	    t->subjects_room * sizeof *t->subject_texts;
}

void thread_fini(struct thread *t)
{
	free(t->nodes);
	free(t->roots);
	free(t->ids.slots);
	free(t->subjects.slots);
	free(t->subject_texts);
	arena_fini(&t->texts);
	*t = (struct thread){0};
}

/* --- as text --------------------------------------------------------------------------------- */

/* Whether a node begins a list of its own: a thread, or one of several that follow a message. */
static bool opens(const struct thread *t, uint32_t node)
{
	uint32_t parent = t->nodes[node].parent;

	return parent == THREAD_NONE || t->nodes[parent].first != t->nodes[parent].last;
}

static void enter(const struct thread *t, uint32_t at, struct str_buf *out,
    uint32_t (*number)(void *arg, uint32_t seq), void *arg)
{
	const struct thread_node *node = &t->nodes[at];

	str_buf_putc(out, opens(t, at) ? '(' : ' ');
	if (node->seq)
		str_buf_put_number(out, number(arg, node->seq));
	/* "3 (4)(5)", and of a dummy "(4)(5)". */
	if (node->seq && node->first != node->last)
		str_buf_putc(out, ' ');
}

bool thread_put(const struct thread *t, struct thread_walk *walk, struct str_buf *out,
    uint32_t (*number)(void *arg, uint32_t seq), void *arg)
{
	uint32_t at = walk->node - 1;

	if (!walk->node) {
		if (walk->root == t->roots_n)
			return false;
		walk->node = t->roots[walk->root++] + 1;
		walk->is_leaving = false;
		return true;
	}
	if (!walk->is_leaving) {
		enter(t, at, out, number, arg);
		if (t->nodes[at].first != THREAD_NONE)
			walk->node = t->nodes[at].first + 1;
		else
			walk->is_leaving = true;
		return true;
	}
	if (opens(t, at))
		str_buf_putc(out, ')');
	if (t->nodes[at].parent != THREAD_NONE && t->nodes[at].next != THREAD_NONE) {
		walk->node = t->nodes[at].next + 1;
		walk->is_leaving = false;
	} else {
		/* NONE + 1 is 0. */
		walk->node = t->nodes[at].parent + 1;
	}
	return true;
}

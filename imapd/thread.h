/*
 * Threads of messages: RFC 5256's ORDEREDSUBJECT and REFERENCES, and REFS of draft-ietf-morg-inthread.
 * Knows no wire and no store; memory and time grow with messages and references, whatever they say.
 */
#ifndef IMAPD_THREAD_H
#define IMAPD_THREAD_H

#include "base/arena.h"
#include "store/keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum thread_how { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };

#define THREAD_NONE UINT32_MAX

/* A message, or a dummy: one that others refer to and that is not there. */
struct thread_node {
	uint32_t seq; /* 0: a dummy */
	uint32_t parent, first, last, next; /* children are a list from first to last */
	uint32_t children_n;
	uint32_t subject; /* a number for the base subject; 0: empty */
	bool is_reply;
	int64_t date_ms, arrival_ms; /* of a dummy: its first child's; arrival_ms of REFS: the thread's latest */
	uint32_t order; /* seq, of a dummy its first child's: equal dates */
};

/* Begin with {.how = ...}. */
struct thread {
	enum thread_how how;
	struct thread_node *nodes; /* heap */
	size_t n, room;
	uint32_t *roots; /* heap; after thread_build, in order */
	size_t roots_n;
	struct thread_table {
		struct thread_slot {
			uint64_t key;
			uint32_t value; /* + 1; 0: free */
		} *slots;
		size_t n, room;
	} ids, subjects;
	struct str_view *subject_texts; /* by number */
	size_t subjects_room;
	struct arena texts;
	uint64_t steps_left; /* of looking for loops */
};

/* In ascending order of seq. */
void thread_add(struct thread *t, const struct message_keys *keys, uint32_t seq);
/* Octets that it takes now. */
size_t thread_octets(const struct thread *t);
/* Links the messages into threads; nothing can be added any more. */
void thread_build(struct thread *t);
void thread_fini(struct thread *t);

/* Walks the threads as the THREAD response writes them; zeroed: before the first. */
struct thread_walk {
	size_t root;    /* the next one */
	uint32_t node;  /* + 1; 0: none */
	bool is_leaving;
};
/* Appends the next piece of "(2)(3 6 (4 23)(44 7 96))"; number turns a seq into what is told.  False:
 * that was all. */
bool thread_put(const struct thread *t, struct thread_walk *walk, struct str_buf *out,
    uint32_t (*number)(void *arg, uint32_t seq), void *arg);

#endif

/*
 * Things by number: a table that grows and never moves, read without a lock.  A slot that was dropped
 * is given out again; whoever needs to tell the two apart keeps a generation.
 */
#ifndef FS_SLOTS_H
#define FS_SLOTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define SLOTS_CHUNK 1024u
#define SLOTS_CHUNKS 65536u

struct slots {
	pthread_mutex_t lock;
	_Atomic(_Atomic(void *) *) *chunks;
	uint32_t *free;
	uint32_t free_n, free_size, next;
};

void slots_init(struct slots *s);
/* The table alone; the things are the caller's. */
void slots_fini(struct slots *s);
/* Slots begin at 1; 0 when the table is full (64 million). */
uint32_t slots_add(struct slots *s, void *thing);
void *slots_get(struct slots *s, uint32_t slot);
void slots_drop(struct slots *s, uint32_t slot);
/* The end of the numbers given out, for walking over all. */
uint32_t slots_end(struct slots *s);

#endif

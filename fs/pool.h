/*
 * The second pool: threads for whatever writes or waits, so that the receive loop's never do.  Jobs of
 * one lane run one after the other, in the order they were put; a mailbox is a lane, so no user holds
 * more than one thread, and what a client does next is done after what it did before.
 */
#ifndef FS_POOL_H
#define FS_POOL_H

#include <stdbool.h>
#include <stdint.h>

struct pool;
struct job;

/* Zeroed: ready.  Lives longer than its jobs. */
struct lane {
	struct job *first, *last;
	struct lane *next;
	bool is_active, is_resting;
	int64_t due_ms; /* monotonic: until when it rests */
};

struct pool *pool_new(unsigned threads_n);
/* Runs what was put, then stops. */
void pool_free(struct pool **pool);
void pool_put(struct pool *pool, struct lane *lane, void (*run)(void *arg), void *arg);
/* The same for what may wait so long, unless something is put behind it. */
void pool_put_lazy(struct pool *pool, struct lane *lane, void (*run)(void *arg), void *arg, int64_t wait_ms);
/* It may wait no longer. */
void pool_hurry(struct pool *pool, struct lane *lane);

#endif

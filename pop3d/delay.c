/*
 * pop3d/delay.c - open addressing under one mutex.  What has run out is passed over when a table that
 * is full is made anew, and never moved otherwise; a user is nowhere but between his place and the first
 * free one.
 */
#include "pop3d/delay.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

#define SLOTS_MIN 64

struct slot {
	uint64_t user; /* 0: free */
	int64_t until_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot *slots;
static size_t size, used; /* size is a power of two, or 0 */

/* The user's slot, or the free one where his would be; there always is one. */
static struct slot *find(uint64_t user)
{
	size_t i = hash_bytes(&user, sizeof user);

	while (slots[i & (size - 1)].user && slots[i & (size - 1)].user != user)
		i++;
	return &slots[i & (size - 1)];
}

/* Half of it stays free, so that a look ends soon. */
static void make_room(int64_t now)
{
	struct slot *old = slots;
	size_t old_size = size, running = 0;

	if (used * 2 < size)
		return;
	for (size_t i = 0; i < old_size; i++)
		running += old[i].user && old[i].until_ms > now;
	for (size = SLOTS_MIN; size < running * 4;)
		size *= 2;
	slots = mem_alloc(size * sizeof *slots);
	used = running;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].user && old[i].until_ms > now)
			*find(old[i].user) = old[i];
	free(old);
}

bool pop3_delay_take(struct user_id user, uint32_t delay_s, uint32_t *left_s_r)
{
	int64_t now = clock_mono_ms();
	struct slot *slot;
	bool is_over;

	pthread_mutex_lock(&lock);
	make_room(now);
	slot = find(user.n);
	is_over = slot->until_ms <= now;
	if (is_over) {
		used += slot->user == 0;
		*slot = (struct slot){user.n, now + (int64_t)delay_s * 1000};
	} else {
		*left_s_r = (uint32_t)((slot->until_ms - now + 999) / 1000);
	}
	pthread_mutex_unlock(&lock);
	return is_over;
}

void pop3_delay_give_back(struct user_id user)
{
	pthread_mutex_lock(&lock);
	if (size)
		find(user.n)->until_ms = 0;
	pthread_mutex_unlock(&lock);
}

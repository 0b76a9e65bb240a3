/* fs/slots.c - things by number. */
#include "fs/slots.h"

#include "base/mem.h"

#include <stdlib.h>

void slots_init(struct slots *s)
{
	pthread_mutex_init(&s->lock, NULL);
	s->chunks = mem_alloc(SLOTS_CHUNKS * sizeof *s->chunks);
	s->next = 1;
}

void slots_fini(struct slots *s)
{
	if (!s->chunks)
		return;
	for (uint32_t i = 0; i < SLOTS_CHUNKS; i++)
		free(atomic_load(&s->chunks[i]));
	mem_free(&s->chunks);
	mem_free(&s->free);
	pthread_mutex_destroy(&s->lock);
}

static _Atomic(void *) *place(struct slots *s, uint32_t slot)
{
	_Atomic(void *) *chunk;

	if (slot / SLOTS_CHUNK >= SLOTS_CHUNKS)
		return NULL;
	chunk = atomic_load_explicit(&s->chunks[slot / SLOTS_CHUNK], memory_order_acquire);
	return chunk ? &chunk[slot % SLOTS_CHUNK] : NULL;
}

uint32_t slots_add(struct slots *s, void *thing)
{
	uint32_t slot = 0;

	pthread_mutex_lock(&s->lock);
	if (s->free_n > 0)
		slot = s->free[--s->free_n];
	else if (s->next < SLOTS_CHUNK * (SLOTS_CHUNKS - 1))
		slot = s->next++;
	if (slot) {
		if (!place(s, slot))
			atomic_store_explicit(&s->chunks[slot / SLOTS_CHUNK],
			    mem_alloc(SLOTS_CHUNK * sizeof(_Atomic(void *))), memory_order_release);
		atomic_store_explicit(place(s, slot), thing, memory_order_release);
	}
	pthread_mutex_unlock(&s->lock);
	return slot;
}

void *slots_get(struct slots *s, uint32_t slot)
{
	_Atomic(void *) *at = place(s, slot);

	return at ? atomic_load_explicit(at, memory_order_acquire) : NULL;
}

void slots_drop(struct slots *s, uint32_t slot)
{
	pthread_mutex_lock(&s->lock);
	atomic_store_explicit(place(s, slot), NULL, memory_order_release);
	if (s->free_n == s->free_size) {
		s->free_size = s->free_size ? s->free_size * 2 : 64;
		s->free = mem_realloc(s->free, s->free_size * sizeof *s->free);
	}
	s->free[s->free_n++] = slot;
	pthread_mutex_unlock(&s->lock);
}

uint32_t slots_end(struct slots *s)
{
	uint32_t end;

	pthread_mutex_lock(&s->lock);
	end = s->next;
	pthread_mutex_unlock(&s->lock);
	return end;
}

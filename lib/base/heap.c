/*
 * base/heap.c - a heap apart.
 *
 * Address space is reserved once and cut into spans of 64 KB.  A span holds blocks of one size, a bit for each
 * that is free, the lowest taken first: so what is in use lies close together, and a page without blocks needs
 * nothing written into it.  Spans of a size that have room stand in a list; one that is empty belongs to nobody,
 * and keeps its pages until heap_rest.  Locks: a size's, then the region's.
 */
#include "base/heap.h"
#include "base/check.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SPAN_BYTES ((size_t)64 * 1024)
#define SPANS_MAX ((size_t)256 * 1024)
#define REGION_BYTES (SPANS_MAX * SPAN_BYTES)
#define GROW_SPANS 64 /* made usable at once */
#define PAGE_BYTES ((size_t)4096)

#define BLOCK_MAX ((size_t)16 * 1024)
#define STEP ((size_t)16)
#define EVEN_MAX ((size_t)256) /* up to here a size every 16 bytes, then eight to a doubling */
#define EVEN_N (EVEN_MAX / STEP)
#define SIZES (EVEN_N + 8 * 6)
#define WORDS (SPAN_BYTES / (2 * STEP) / 64)

struct span {
	struct span *next, **at; /* in its size's list; at NULL: full, and in none */
	uint32_t size, size_i;   /* bytes of a block; which size */
	uint32_t blocks_n, used_n;
	uint32_t low; /* no word below has a free block */
	uint64_t free[WORDS];
};
#define FIRST ((sizeof(struct span) + STEP - 1) / STEP * STEP) /* block of a span */

static struct {
	pthread_mutex_t lock;
	struct span *roomy;
	size_t spans_n;
} sizes[SIZES];

static struct {
	pthread_mutex_t lock;
	char *base; /* NULL: could not be reserved, all is malloc's */
	size_t made_n, usable_n;
	struct span *dirty;        /* empty, with pages */
	uint32_t clean[SPANS_MAX]; /* the numbers of those without */
	size_t clean_n;
} region = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void reserve(void)
{
	char *at = mmap(NULL, REGION_BYTES + SPAN_BYTES, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	for (size_t i = 0; i < SIZES; i++)
		pthread_mutex_init(&sizes[i].lock, NULL);
	if (at == MAP_FAILED)
		return;
	at += -(uintptr_t)at % SPAN_BYTES;
	madvise(at, REGION_BYTES, MADV_NOHUGEPAGE); /* it would make of one block 2 MB */
	region.base = at;
}

static size_t size_index(size_t n)
{
	unsigned shift;

	if (n <= EVEN_MAX)
		return n <= 2 * STEP ? 1 : (n - 1) / STEP;
	shift = 60 - (unsigned)__builtin_clzll(n - 1); /* eighths of the power of two below */
	return EVEN_N + (shift - 5) * 8 + (((n - 1) >> shift) & 7);
}

size_t heap_roundup(size_t n)
{
	unsigned shift;

	if (n > BLOCK_MAX)
		return (n + 7) & ~(size_t)7;
	if (n <= EVEN_MAX)
		return (size_index(n) + 1) * STEP;
	shift = 60 - (unsigned)__builtin_clzll(n - 1);
	return (((n - 1) >> shift) + 1) << shift;
}

static bool is_ours(const void *p)
{
	return (uintptr_t)p - (uintptr_t)region.base < REGION_BYTES && region.base;
}

static struct span *span_of(void *p)
{
	return (struct span *)((uintptr_t)p & ~(uintptr_t)(SPAN_BYTES - 1));
}

static void list_add(struct span *span)
{
	struct span **at = &sizes[span->size_i].roomy;

	span->next = *at;
	span->at = at;
	if (*at)
		(*at)->at = &span->next;
	*at = span;
}

static void list_remove(struct span *span)
{
	*span->at = span->next;
	if (span->next)
		span->next->at = span->at;
	span->at = NULL;
}

/* One that nobody has; NULL: none are left. */
static struct span *span_take(bool *is_clean_r)
{
	struct span *span = NULL;

	pthread_mutex_lock(&region.lock);
	*is_clean_r = !region.dirty;
	if (region.dirty) {
		span = region.dirty;
		region.dirty = span->next;
	} else if (region.clean_n) {
		span = (void *)(region.base + region.clean[--region.clean_n] * SPAN_BYTES);
	} else {
		if (region.made_n == region.usable_n && region.usable_n < SPANS_MAX &&
		    mprotect(region.base + region.usable_n * SPAN_BYTES, GROW_SPANS * SPAN_BYTES,
			PROT_READ | PROT_WRITE) == 0)
			region.usable_n += GROW_SPANS;
		if (region.made_n < region.usable_n)
			span = (void *)(region.base + region.made_n++ * SPAN_BYTES);
	}
	pthread_mutex_unlock(&region.lock);
	return span;
}

static struct span *span_new(size_t size_i, size_t size)
{
	bool is_clean;
	struct span *span = span_take(&is_clean);

	if (!span)
		return NULL;
	/* Of a size that needs a second span all is going to be used: to have its pages at once takes a tenth of what
	 * the faults would.  Linux 5.14. */
	if (sizes[size_i].spans_n++ > 0 && is_clean)
		madvise(span, SPAN_BYTES, MADV_POPULATE_WRITE);
	memset(span, 0, sizeof *span);
	span->size = (uint32_t)size;
	span->size_i = (uint32_t)size_i;
	span->blocks_n = (uint32_t)((SPAN_BYTES - FIRST) / size);
	for (uint32_t i = 0; i < span->blocks_n; i += 64)
		span->free[i / 64] = span->blocks_n - i < 64 ? (UINT64_C(1) << (span->blocks_n - i)) - 1
							     : UINT64_MAX;
	list_add(span);
	return span;
}

static void span_drop(struct span *span)
{
	list_remove(span);
	sizes[span->size_i].spans_n--;
	pthread_mutex_lock(&region.lock);
	span->next = region.dirty;
	region.dirty = span;
	pthread_mutex_unlock(&region.lock);
}

static void *block_take(struct span *span)
{
	uint32_t word = span->low, i;

	while (!span->free[word])
		word++;
	i = word * 64 + (uint32_t)__builtin_ctzll(span->free[word]);
	span->free[word] &= span->free[word] - 1;
	span->low = word;
	if (++span->used_n == span->blocks_n)
		list_remove(span);
	return (char *)span + FIRST + (size_t)i * span->size;
}

void *heap_alloc(size_t n)
{
	size_t i;
	struct span *span;
	void *p = NULL;

	pthread_once(&once, reserve);
	if (n > BLOCK_MAX || !region.base)
		return malloc(n);
	i = size_index(n);
	pthread_mutex_lock(&sizes[i].lock);
	span = sizes[i].roomy ? sizes[i].roomy : span_new(i, heap_roundup(n));
	if (span)
		p = block_take(span);
	pthread_mutex_unlock(&sizes[i].lock);
	return p ? p : malloc(n);
}

void heap_free(void *p)
{
	struct span *span = span_of(p);
	pthread_mutex_t *lock;
	uint32_t i;

	if (!is_ours(p)) {
		free(p);
		return;
	}
	lock = &sizes[span->size_i].lock; /* a span that was dropped may be of another size at once */
	i = (uint32_t)((uintptr_t)p % SPAN_BYTES - FIRST) / span->size;
	pthread_mutex_lock(lock);
	CHECK(!(span->free[i / 64] >> i % 64 & 1) && "freed once");
	span->free[i / 64] |= UINT64_C(1) << i % 64;
	if (i / 64 < span->low)
		span->low = i / 64;
	if (span->used_n-- == span->blocks_n)
		list_add(span);
	if (!span->used_n)
		span_drop(span);
	pthread_mutex_unlock(lock);
}

size_t heap_size(void *p)
{
	return is_ours(p) ? span_of(p)->size : malloc_usable_size(p);
}

void *heap_realloc(void *old, size_t n)
{
	size_t had = old ? heap_size(old) : 0;
	void *p;

	if (old && !is_ours(old) && n > BLOCK_MAX)
		return realloc(old, n);
	if (old && is_ours(old) && n <= BLOCK_MAX && heap_roundup(n) == had)
		return old;
	p = heap_alloc(n);
	if (p && old) {
		memcpy(p, old, had < n ? had : n);
		heap_free(old);
	}
	return p;
}

/* --- giving back -------------------------------------------------------------------------- */

static bool page_is_free(const struct span *span, size_t page)
{
	size_t from = page * PAGE_BYTES, to = from + PAGE_BYTES;

	for (size_t i = from < FIRST ? 0 : (from - FIRST) / span->size;
	     i < span->blocks_n && FIRST + i * span->size < to; i++)
		if (!(span->free[i / 64] >> i % 64 & 1))
			return false;
	return true;
}

/* The first page has the span's own. */
static void give_pages_back(struct span *span)
{
	const size_t pages = SPAN_BYTES / PAGE_BYTES;

	for (size_t page = 1, n; page < pages; page += n + 1) {
		for (n = 0; page + n < pages && page_is_free(span, page + n); n++)
			;
		if (n)
			madvise((char *)span + page * PAGE_BYTES, n * PAGE_BYTES, MADV_DONTNEED);
	}
}

static struct span *dirty_take(void)
{
	struct span *span;

	pthread_mutex_lock(&region.lock);
	span = region.dirty;
	if (span)
		region.dirty = span->next;
	pthread_mutex_unlock(&region.lock);
	return span;
}

void heap_rest(void)
{
	struct span *span;

	pthread_once(&once, reserve);
	for (size_t i = 0; i < SIZES; i++) {
		pthread_mutex_lock(&sizes[i].lock);
		for (span = sizes[i].roomy; span; span = span->next)
			give_pages_back(span);
		pthread_mutex_unlock(&sizes[i].lock);
	}
	while ((span = dirty_take())) {
		madvise(span, SPAN_BYTES, MADV_DONTNEED);
		pthread_mutex_lock(&region.lock);
		region.clean[region.clean_n++] = (uint32_t)((size_t)((char *)span - region.base) / SPAN_BYTES);
		pthread_mutex_unlock(&region.lock);
	}
#if HEAP_IS_WANTED
	/* A sanitizer's malloc leaves the C library's without its first call, which two threads may not make at once. */
	malloc_trim(0);
#endif
}

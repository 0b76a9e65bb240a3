/* tests/unit/base/test_heap.c - the heap apart: blocks are what malloc's would be, and empty pages go. */
#include "base/heap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define PAGE ((uintptr_t)4096)

struct block {
	unsigned char *p;
	size_t n;
	unsigned char mark;
};

static bool holds_its_mark(const struct block *block)
{
	for (size_t i = 0; i < block->n; i++)
		if (block->p[i] != block->mark)
			return false;
	return true;
}

static bool is_resident(const void *p)
{
	unsigned char in = 1;

	assert_int_equal(mincore((void *)((uintptr_t)p & ~(PAGE - 1)), PAGE, &in), 0);
	return in & 1;
}

static void a_block_has_the_room_that_was_asked_for_and_was_told(void **state)
{
	(void)state;
	for (size_t n = 0; n < 70000; n += n < 600 ? 1 : 97) {
		void *p = heap_alloc(n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_true(heap_size(p) >= n && heap_roundup(n) >= n && heap_roundup(n) % 8 == 0);
		if (n && n <= 16384) {
			assert_int_equal(heap_size(p), heap_roundup(n));
			assert_true(n <= 32 || heap_roundup(n) - n < (n <= 256 ? 16 : n / 8));
		}
		memset(p, 0xa5, heap_size(p));
		heap_free(p);
	}
	heap_free(NULL);
}

/* Random steps: any overlap of two blocks destroys a mark. */
static void blocks_never_overlap(void **state)
{
	enum { N = 2000, STEPS = 40000 };
	struct block *blocks = calloc(N, sizeof *blocks);

	(void)state;
	srandom(1);
	for (int step = 0; step < STEPS; step++) {
		struct block *b = &blocks[random() % N];
		size_t n = (size_t)random() % (random() % 8 ? 400 : 30000) + 1;

		assert_true(holds_its_mark(b));
		if (b->p && random() % 3) {
			heap_free(b->p);
			*b = (struct block){0};
			continue;
		}
		unsigned char *p = heap_realloc(b->p, n);

		assert_non_null(p);
		b->p = p;
		b->n = b->n < n ? b->n : n;
		assert_true(holds_its_mark(b));
		*b = (struct block){p, n, (unsigned char)random()};
		memset(p, b->mark, n);
		if (step % 4000 == 0)
			heap_rest();
	}
	for (int i = 0; i < N; i++) {
		assert_true(holds_its_mark(&blocks[i]));
		heap_free(blocks[i].p);
	}
	free(blocks);
}

static void a_page_without_blocks_is_given_back_and_its_neighbours_keep_what_they_hold(void **state)
{
	enum { N = 1000, KEPT = 100 }; /* some 14 blocks in each span */
	unsigned char *blocks[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		blocks[i] = heap_alloc(4400);
		memset(blocks[i], i % 251 + 1, 4400);
	}
	for (int i = 0; i < N; i++)
		if (i % KEPT)
			heap_free(blocks[i]);
	heap_rest();
	for (int i = 0, gone = 0; i < N; i++) {
		if (i % KEPT) {
			gone += !is_resident(blocks[i] + 2200);
			assert_true(i < N - 1 || gone > N * 9 / 10 * 95 / 100);
			continue;
		}
		for (int at = 0; at < 4400; at++)
			assert_int_equal(blocks[i][at], i % 251 + 1);
		heap_free(blocks[i]);
	}
	heap_rest();
	assert_false(is_resident(blocks[KEPT]));
	/* What was given back is used again. */
	for (int i = 0; i < N; i++)
		memset(blocks[i] = heap_alloc(4400), 1, 4400);
	for (int i = 0; i < N; i++)
		heap_free(blocks[i]);
}

/* A ring of blocks: each thread frees what another one made. */
static struct block *_Atomic ring[64];

static void *passes_blocks_on(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	bool whole = true;

	for (int step = 0; step < 10000; step++) {
		size_t n = (size_t)rand_r(&seed) % 3000 + sizeof(struct block);
		struct block *mine = heap_alloc(n), *others;

		*mine = (struct block){(unsigned char *)(mine + 1), n - sizeof *mine, (unsigned char)step};
		memset(mine->p, mine->mark, mine->n);
		others = atomic_exchange(&ring[(unsigned)rand_r(&seed) % 64], mine);
		whole &= !others || holds_its_mark(others);
		heap_free(others);
		if (step % 2000 == 0)
			heap_rest();
	}
	return whole ? arg : NULL;
}

static void threads_free_each_others_blocks(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, passes_blocks_on, (void *)(i + 1)), 0);
	for (uintptr_t i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		assert_non_null(result);
	}
	for (int i = 0; i < 64; i++)
		heap_free(ring[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_block_has_the_room_that_was_asked_for_and_was_told),
	    cmocka_unit_test(blocks_never_overlap),
	    cmocka_unit_test(a_page_without_blocks_is_given_back_and_its_neighbours_keep_what_they_hold),
	    cmocka_unit_test(threads_free_each_others_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

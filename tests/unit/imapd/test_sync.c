/* tests/unit/imapd/test_sync.c - what a session remembers of its own changes. */
#include "imapd/sync.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"

static void changes_of_our_own_are_kept_until_the_store_is_asked(void **state)
{
	struct selected *s = mem_alloc(sizeof *s);

	(void)state;
	s->modseq.n = 10;
	sync_know(s, 1, (struct store_modseq){11});
	sync_know(s, 2, (struct store_modseq){12});
	assert_int_equal(s->known_n, 2);
	sync_free(&s);
}

/* A STORE that changes nothing is no change: however often it is said, nothing is kept. */
static void stores_that_change_nothing_take_no_memory(void **state)
{
	struct selected *s = mem_alloc(sizeof *s);

	(void)state;
	s->modseq.n = 10;
	for (uint32_t i = 0; i < 1000; i++)
		sync_know(s, i % 7 + 1, (struct store_modseq){i % 10 + 1});
	assert_int_equal(s->known_n, 0);
	sync_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_of_our_own_are_kept_until_the_store_is_asked),
	    cmocka_unit_test(stores_that_change_nothing_take_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

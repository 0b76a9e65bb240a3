/* tests/unit/fs/test_shown.c - who may use the kernel's cache of a listing. */
#include "fs/shown.h"
#include "fs/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct node_open open_at(struct shown *s, uint64_t version, struct handle *h)
{
	struct node_open how = {0};

	*h = (struct handle){0};
	shown_open(s, version, h, &how);
	return how;
}

static void drops(struct node_open how)
{
	assert_false(how.keep_cache);
	assert_false(how.past_cache);
}

static void uses(struct node_open how)
{
	assert_true(how.keep_cache);
	assert_false(how.past_cache);
}

/* Without a word to the kernel that would disturb others. */
static void passes(struct node_open how)
{
	assert_true(how.keep_cache);
	assert_true(how.past_cache);
}

static void the_first_drops_what_was_there_and_the_next_use_what_he_read(void **state)
{
	struct shown s = {0};
	struct handle a, b, c;

	(void)state;
	drops(open_at(&s, 1, &a));
	shown_read(&a);
	shown_close(&a);
	uses(open_at(&s, 1, &b));
	uses(open_at(&s, 1, &c));
	shown_close(&b);
	shown_close(&c);
	drops(open_at(&s, 2, &a));
}

static void until_the_first_reads_nobody_knows_that_the_kernel_dropped_it(void **state)
{
	struct shown s = {0};
	struct handle a, b, c;

	(void)state;
	drops(open_at(&s, 1, &a));
	passes(open_at(&s, 1, &b));
	shown_read(&b);
	passes(open_at(&s, 1, &c));
	shown_read(&a);
	uses(open_at(&s, 1, &b));
}

static void who_opened_before_a_change_keeps_others_from_the_cache(void **state)
{
	struct shown s = {0};
	struct handle old, a, b;

	(void)state;
	drops(open_at(&s, 1, &old));
	shown_read(&old);
	passes(open_at(&s, 2, &a));
	passes(open_at(&s, 3, &b));
	shown_close(&a);
	shown_read(&old);
	passes(open_at(&s, 3, &a));
	shown_close(&old);
	drops(open_at(&s, 3, &old));
}

static void who_went_without_a_look_has_dropped_nothing(void **state)
{
	struct shown s = {0};
	struct handle a;

	(void)state;
	drops(open_at(&s, 1, &a));
	shown_close(&a);
	shown_close(&a);
	drops(open_at(&s, 1, &a));
	shown_read(&a);
	shown_close(&a);
	uses(open_at(&s, 1, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_drops_what_was_there_and_the_next_use_what_he_read),
	    cmocka_unit_test(until_the_first_reads_nobody_knows_that_the_kernel_dropped_it),
	    cmocka_unit_test(who_opened_before_a_change_keeps_others_from_the_cache),
	    cmocka_unit_test(who_went_without_a_look_has_dropped_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

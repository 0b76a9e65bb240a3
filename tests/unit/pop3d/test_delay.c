/* LOGIN-DELAY: who has to wait, how long, and that the table forgets. */
#include "base/clock.h"
#include "pop3d/delay.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define USER(n) ((struct user_id){n})

static void login_waits_for_the_delay_after_the_last_one(void **state)
{
	uint32_t left_s = 0;

	(void)state;
	assert_true(pop3_delay_take(USER(1), 60, &left_s));
	assert_true(pop3_delay_take(USER(2), 60, &left_s));
	assert_false(pop3_delay_take(USER(1), 60, &left_s));
	assert_in_range(left_s, 59, 60);
	clock_advance(59000);
	assert_false(pop3_delay_take(USER(1), 60, &left_s));
	assert_int_equal(left_s, 1);
	clock_advance(1000);
	assert_true(pop3_delay_take(USER(1), 60, &left_s));
	assert_false(pop3_delay_take(USER(1), 60, &left_s));
}

static void login_that_came_to_nothing_does_not_count(void **state)
{
	uint32_t left_s;

	(void)state;
	assert_true(pop3_delay_take(USER(3), 60, &left_s));
	pop3_delay_give_back(USER(3));
	assert_true(pop3_delay_take(USER(3), 60, &left_s));
}

static void many_users_are_told_apart(void **state)
{
	uint32_t left_s;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint64_t n = 1000; n < 6000; n++)
			assert_true(pop3_delay_take(USER(n), 60, &left_s));
		for (uint64_t n = 1000; n < 6000; n++)
			assert_false(pop3_delay_take(USER(n), 60, &left_s));
		clock_advance(60000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(login_waits_for_the_delay_after_the_last_one),
	    cmocka_unit_test(login_that_came_to_nothing_does_not_count),
	    cmocka_unit_test(many_users_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

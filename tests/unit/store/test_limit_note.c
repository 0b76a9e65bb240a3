/* tests/unit/store/test_limit_note.c */
#include "store/limit_note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_limits_in_front_of_the_store_are_known_by_name(void **state)
{
	(void)state;
	assert_true(note_is_front_layer("MaxConnectionsPerUser"));
	assert_true(note_is_front_layer("maxconnectionsperuser"));
	assert_true(note_is_front_layer("IMAPMaxConcurrency"));
	assert_true(note_is_front_layer("popMAXconcurrency"));
	assert_false(note_is_front_layer("MaxConcurrency"));
	assert_false(note_is_front_layer("Maximum Allowed Service Sessions Per User"));
	assert_false(note_is_front_layer("RefusalStyle"));
	assert_false(note_is_front_layer(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_limits_in_front_of_the_store_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/ctl/test_permission.c */
#include "cmocka_all.h"

#include "ctl/permission.h"

static void case_blanks_and_hyphens_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(permission_parse("ViewInformationStoreStatus"),
	    PERMISSION_VIEW_INFORMATION_STORE_STATUS);
	assert_int_equal(permission_parse("View Information Store Status"),
	    PERMISSION_VIEW_INFORMATION_STORE_STATUS);
	assert_int_equal(permission_parse("view-information-store-status"),
	    PERMISSION_VIEW_INFORMATION_STORE_STATUS);
	assert_int_equal(permission_parse("ADMINISTRATOR"), PERMISSION_ADMINISTRATOR);
}

static void other_words_are_no_permission(void **state)
{
	(void)state;
	assert_int_equal(permission_parse(""), 0);
	assert_int_equal(permission_parse("Admin"), 0);
	assert_int_equal(permission_parse("Administrators"), 0);
	assert_int_equal(permission_parse("Admini.strator"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(case_blanks_and_hyphens_do_not_count),
	    cmocka_unit_test(other_words_are_no_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

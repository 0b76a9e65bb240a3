/* tests/unit/ctl/test_regvalue.c */
#include "cmocka_all.h"

#include "ctl/regvalue.h"

static void numbers_are_decimal_or_hexadecimal_and_fit_32_bits(void **state)
{
	static const struct {
		const char *text;
		uint32_t n;
	} good[] = {{"0", 0}, {"20", 20}, {"4294967295", 4294967295u}, {"0x14", 20}, {"0XfF", 255}, {"007", 7}};
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1.5", "4294967296", "0x", "0x100000000", "x14",
	    "99999999999999999999999", "null", "0x1g"};
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(regvalue_number(good[i].text, &n));
		assert_int_equal(n, good[i].n);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(regvalue_number(bad[i], &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_decimal_or_hexadecimal_and_fit_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

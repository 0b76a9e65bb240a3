/* Netstrings of the socketmap. */
#include "authd/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static enum map_parsed cut(const char *text, struct str_view *rest_r, struct str_view *text_r)
{
	*rest_r = str_view(text, strlen(text));
	return map_netstring(rest_r, 20, text_r);
}

static void netstring_is_cut_off_the_front(void **state)
{
	struct str_view rest, text;

	(void)state;
	assert_int_equal(cut("9:domains x,3:abc,", &rest, &text), MAP_WHOLE);
	assert_true(str_equal(text, SV("domains x")));
	assert_int_equal(map_netstring(&rest, 20, &text), MAP_WHOLE);
	assert_true(str_equal(text, SV("abc")));
	assert_int_equal(rest.n, 0);
	assert_int_equal(cut("0:,", &rest, &text), MAP_WHOLE);
	assert_int_equal(text.n, 0);
}

static void every_beginning_of_one_waits_for_more(void **state)
{
	static const char whole[] = "12:domains x.de,";
	struct str_view rest, text;

	(void)state;
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		rest = str_view(whole, n);
		assert_int_equal(map_netstring(&rest, 20, &text), MAP_PART);
		assert_int_equal(rest.n, n);
	}
}

static void what_is_none_is_malformed(void **state)
{
	static const char *const bad[] = {
	    "x", ":", "-1:x,", "01:x,", "1 :x,", "1:xx,", "1:x;", "21:123456789012345678901,", "99999999999:", "21:"};
	struct str_view rest, text;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		print_message("%s\n", bad[i]);
		assert_int_equal(cut(bad[i], &rest, &text), MAP_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(netstring_is_cut_off_the_front),
	    cmocka_unit_test(every_beginning_of_one_waits_for_more),
	    cmocka_unit_test(what_is_none_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Dots unstuffed, and where the text ends: whole, octet by octet, and cut in two anywhere. */
#include "lmtpd/unstuff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *in, *text, *rest;
	bool is_end;
} cases[] = {
    {".\r\n", "", "", true},
    {".\r\nQUIT\r\n", "", "QUIT\r\n", true},
    {"a\r\n.\r\n", "a\r\n", "", true},
    {"a\r\n..\r\n...\r\n.x\r\n.\r\nb", "a\r\n.\r\n..\r\nx\r\n", "b", true},
    {"\r\n.\r\n", "\r\n", "", true},
    {"\r\n\r\n.\r\n", "\r\n\r\n", "", true},
    /* none of these ends it */
    {"a\n.\r\nb", "a\n.\r\nb", "", false},
    {"a\r\n.\nb\r\n", "a\r\n\nb\r\n", "", false},
    {"a\n.\nb", "a\n.\nb", "", false},
    {"a\r.\r\nb", "a\r.\r\nb", "", false},
    {"a\r\n.\r\rb", "a\r\n\r\rb", "", false},
    {"a\r\n.\rb\r\n", "a\r\n\rb\r\n", "", false},
    {"a\r\n.\r.\r\n", "a\r\n\r.\r\n", "", false},
    {"a.\r\n", "a.\r\n", "", false},
    {"a\r\r\n.\r\n", "a\r\r\n", "", true},
    {"a\r\n.\r\r\n.\r\nb", "a\r\n\r\r\n", "b", true},
    {"\n.\n.\r\n", "\n.\n.\r\n", "", false},
    {"", "", "", false},
};

/* Feeds pieces of at most `first`, then of at most `then` octets. */
static void expect(size_t i, size_t first, size_t then)
{
	struct unstuff unstuff = {0};
	struct str_view left = str_view(cases[i].in, strlen(cases[i].in));
	struct str_buf out = {0};
	bool is_end = false;
	size_t piece = first;

	while (left.n && !is_end) {
		struct str_view octets = str_view(left.p, left.n < piece ? left.n : piece);
		size_t taken;

		is_end = unstuff_feed(&unstuff, octets, &taken, &out);
		assert_true(is_end || taken == octets.n);
		left = str_view(left.p + taken, left.n - taken);
		piece = then;
	}
	assert_int_equal(is_end, cases[i].is_end);
	assert_true(str_equal(str_buf_view(&out), str_view(cases[i].text, strlen(cases[i].text))));
	assert_true(str_equal(left, str_view(cases[i].rest, strlen(cases[i].rest))));
	str_buf_fini(&out);
}

static void text_and_end_are_the_same_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t first = 1; first <= strlen(cases[i].in); first++)
			expect(i, first, SIZE_MAX);
		expect(i, SIZE_MAX, SIZE_MAX);
		expect(i, 1, 1);
		expect(i, 2, 2);
		expect(i, 1, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_and_end_are_the_same_however_it_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

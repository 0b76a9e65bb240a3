/* Line ends: what comes in as any octets comes out again as the same ones. */
#include "check_message.h"

#include "mime/eol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *in, *crlf;
	enum eol_kind kind;
	size_t exceptions_n;
} cases[] = {
	{"nothing", "", "", EOL_CRLF, 0},
	{"no line end", "a", "a", EOL_CRLF, 0},
	{"CRLF alone", "a\r\nb\r\n", "a\r\nb\r\n", EOL_CRLF, 0},
	{"LF alone", "a\nb\n\n", "a\r\nb\r\n\r\n", EOL_LF, 0},
	{"a bare CR stays", "a\rb\r", "a\rb\r", EOL_CRLF, 0},
	{"CR CR LF is a CR and a CRLF", "a\r\r\n", "a\r\r\n", EOL_CRLF, 0},
	{"LF CR", "a\n\rb", "a\r\n\rb", EOL_LF, 0},
	{"one LF among CRLF", "a\r\nb\nc\r\n", "a\r\nb\r\nc\r\n", EOL_MIXED, 2},
	{"LF first", "\n\r\n", "\r\n\r\n", EOL_MIXED, 2},
	{"CR at the end of LF text", "a\n\r", "a\r\n\r", EOL_LF, 0},
};

static void every_case_normalises_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct eol_in in = {0};
		struct str_buf out = {0};

		for (const char *p = cases[i].in; *p; p++)
			eol_in_feed(&in, p, 1, &out);
		eol_in_finish(&in, &out);
		if (!str_equal(str_buf_view(&out), str_view(cases[i].crlf, strlen(cases[i].crlf))) ||
		    eol_in_kind(&in) != cases[i].kind || in.exceptions.n != cases[i].exceptions_n)
			fail_msg("%s: \"%s\", kind %d, %zu octets of exceptions", cases[i].name,
			    out.p ? out.p : "", eol_in_kind(&in), in.exceptions.n);
		assert_null(check_eol(str_view(cases[i].in, strlen(cases[i].in)), 1));
		eol_in_fini(&in);
		str_buf_fini(&out);
	}
}

static void any_octets_come_back_in_any_slices(void **state)
{
	(void)state;
	/* few different octets, so that every order of CR and LF turns up */
	static const char octets[] = "\r\n\r\n\na";
	char text[400];
	unsigned seed = 7;

	for (unsigned round = 0; round < 20000; round++) {
		size_t n = round % sizeof text;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = octets[(seed >> 16) % (sizeof octets - 1)];
		}
		const char *why = check_eol(str_view(text, n), round);

		if (why)
			fail_msg("round %u: %s", round, why);
	}
}

static void crlf_text_can_be_served_with_lf(void **state)
{
	(void)state;
	struct eol_out out = {.to = EOL_LF};
	struct str_buf to = {0};

	for (const char *p = "a\r\n\rb\r\r\nc\r"; *p; p++)
		eol_out_feed(&out, p, 1, &to);
	eol_out_finish(&out, &to);
	assert_string_equal(to.p, "a\n\rb\r\nc\r");
	str_buf_fini(&to);
}

static void exceptions_past_the_bound_are_served_as_crlf(void **state)
{
	(void)state;
	struct eol_in in = {0};
	struct str_buf crlf = {0}, back = {0};
	size_t pairs = EOL_EXCEPTIONS_MAX / 2 + 1000;

	for (size_t i = 0; i < pairs; i++)
		eol_in_feed(&in, "\n\r\n", 3, &crlf);
	eol_in_finish(&in, &crlf);
	assert_true(in.exceptions_full);
	assert_true(in.exceptions.n <= EOL_EXCEPTIONS_MAX);
	struct eol_out out = {.to = eol_in_kind(&in), .exceptions = str_buf_view(&in.exceptions)};

	eol_out_feed(&out, crlf.p, crlf.n, &back);
	eol_out_finish(&out, &back);
	assert_int_equal(back.n, eol_in_size_back(&in));
	assert_memory_equal(back.p, "\n\r\n\n\r\n", 6);
	assert_memory_equal(back.p + back.n - 8, "\r\n\r\n\r\n\r\n", 8);
	eol_in_fini(&in);
	str_buf_fini(&crlf);
	str_buf_fini(&back);
}

static void damaged_exceptions_do_no_harm(void **state)
{
	(void)state;
	struct str_buf to = {0};
	struct eol_out out = {.to = EOL_MIXED, .exceptions = SV("\x01\xff")};

	eol_out_feed(&out, "a\r\nb\r\nc\r\n", 9, &to);
	eol_out_finish(&out, &to);
	assert_string_equal(to.p, "a\r\nb\r\nc\r\n");
	str_buf_fini(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_normalises_as_told),
		cmocka_unit_test(any_octets_come_back_in_any_slices),
		cmocka_unit_test(crlf_text_can_be_served_with_lf),
		cmocka_unit_test(exceptions_past_the_bound_are_served_as_crlf),
		cmocka_unit_test(damaged_exceptions_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

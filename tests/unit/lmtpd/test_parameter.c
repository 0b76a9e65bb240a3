/* Parameters of MAIL and RCPT, and xtext. */
#include "lmtpd/parameter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void xtext_is_decoded_or_refused(void **state)
{
	static const struct {
		const char *xtext, *text; /* NULL: it is none */
	} cases[] = {
	    {"plain", "plain"}, {"a+2Bb", "a+b"}, {"+3D+2B", "=+"}, {"+C3+B6", "\303\266"}, {"\303\266", "\303\266"},
	    {"a+20b", "a b"}, {"+2", NULL}, {"+", NULL}, {"+2b", NULL}, {"+G0", NULL}, {"+0A", NULL}, {"+7F", NULL},
	    {"+00", NULL}, {"+FF", NULL}, {"x+C3", NULL},
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = parameter_xtext(str_view(cases[i].xtext, strlen(cases[i].xtext)), &arena);

		if (cases[i].text)
			assert_string_equal(text, cases[i].text);
		else
			assert_null(text);
	}
	arena_fini(&arena);
}

static void parameters_come_one_by_one(void **state)
{
	struct str_view rest = SV(" SIZE=10  SMTPUTF8 X-A=b=c");
	struct parameter parameter;

	(void)state;
	assert_int_equal(parameter_next(&rest, &parameter), 1);
	assert_true(str_equal(parameter.name, SV("SIZE")) && str_equal(parameter.value, SV("10")));
	assert_int_equal(parameter_next(&rest, &parameter), 1);
	assert_true(str_equal(parameter.name, SV("SMTPUTF8")) && !parameter.has_value);
	assert_int_equal(parameter_next(&rest, &parameter), -1); /* a value has no = in it */
	assert_int_equal(parameter_next(&rest, &parameter), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(xtext_is_decoded_or_refused),
	    cmocka_unit_test(parameters_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

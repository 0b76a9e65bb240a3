/* imapd/result: RETURN's options, and which messages they name. */
#include "imapd/result.h"

#include "imapd/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *parsed(const char *text, struct result_how *how)
{
	static const struct parse_limits limits = {.nesting_max = 3, .list_max = 12, .keyword_max = 8};
	struct parse p = {.p = text, .end = text + strlen(text), .limits = &limits};

	*how = (struct result_how){0};
	return result_parse_how(&p, how) && parse_end(&p) ? NULL : p.bad;
}

static void options_are_understood_in_any_case_and_order(void **state)
{
	static const struct {
		const char *text;
		unsigned options;
	} cases[] = {
		{"RETURN () ", RESULT_ALL},
		{"return (max MIN) ", RESULT_MIN | RESULT_MAX},
		{"RETURN (SAVE) ", RESULT_SAVE},
		{"RETURN (ALL COUNT ALL) ", RESULT_ALL | RESULT_COUNT},
		{"RETURN (UPDATE) ", RESULT_UPDATE | RESULT_ALL},
		{"RETURN (CONTEXT UPDATE COUNT) ", RESULT_CONTEXT | RESULT_UPDATE | RESULT_COUNT},
		{"RETURN (PARTIAL 1:2) ", RESULT_PARTIAL},
	};
	struct result_how how;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(parsed(cases[i].text, &how));
		assert_true(how.is_extended);
		assert_int_equal(how.options, cases[i].options);
	}
	assert_null(parsed("", &how));
	assert_false(how.is_extended);
}

static void ranges_count_from_either_end(void **state)
{
	struct result_how how;

	(void)state;
	assert_null(parsed("RETURN (PARTIAL 9:3) ", &how));
	assert_int_equal(how.partial.from, 3);
	assert_int_equal(how.partial.to, 9);
	assert_false(how.partial.from_end);
	assert_null(parsed("RETURN (COUNT PARTIAL -1:-100) ", &how));
	assert_int_equal(how.partial.from, 1);
	assert_int_equal(how.partial.to, 100);
	assert_true(how.partial.from_end);
	assert_memory_equal(how.partial.text.p, "-1:-100", how.partial.text.n);
}

static void bad_options_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"RETURN", "An argument is missing"},
		{"RETURN MIN", "A list in parentheses must stand here"},
		{"RETURN (MIN", "An argument is missing"},
		{"RETURN (MINI) ", "There is no such RETURN option"},
		{"RETURN (PARTIAL) ", "A blank is missing"},
		{"RETURN (PARTIAL 0:4) ", "Positions count from 1"},
		{"RETURN (PARTIAL 4) ", "Unexpected character"},
		{"RETURN (PARTIAL 4:*) ", "A number of 32 bits must stand here"},
		{"RETURN (PARTIAL 1:-4) ", "A range counts from one end"},
		{"RETURN (PARTIAL -1:4) ", "A range counts from one end"},
		{"RETURN (PARTIAL 1:2 PARTIAL 3:4) ", "PARTIAL can stand there once"},
		{"RETURN (PARTIAL 1:2 ALL) ", "ALL and PARTIAL can't stand together"},
		{"RETURN (PARTIAL 1:4294967296) ", "A number of 32 bits must stand here"},
	};
	struct result_how how;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(parsed(cases[i].text, &how), cases[i].words);
}

/* What is named of 2,3,5,8,9,10 (or of them in the order given), as text. */
static const char *named(const char *options, const uint32_t *order, struct str_buf *out)
{
	static const uint32_t seqs[] = {2, 3, 5, 8, 9, 10};
	struct result result = {0}, some = {0};
	struct seq_writer w = {.out = out};
	struct result_how how;

	str_buf_clear(out);
	for (size_t i = 0; i < 6; i++)
		result_add(&result, seqs[i]);
	result.order = (uint32_t *)(uintptr_t)order;
	assert_null(parsed(options, &how));
	result_named(&result, &how, &some);
	for (size_t i = 0; i < some.ranges_n; i++)
		for (uint32_t n = some.ranges[i].from; n <= some.ranges[i].to; n++)
			seq_write(&w, n);
	seq_write_end(&w);
	result_fini(&result);
	result_fini(&some);
	return out->n ? out->p : "";
}

static void options_name_messages(void **state)
{
	static const uint32_t order[] = {9, 2, 3, 10, 8, 5};
	static const struct {
		const char *options, *plain, *sorted;
	} cases[] = {
		{"RETURN (SAVE) ", "2:3,5,8:10", "2:3,5,8:10"},
		{"RETURN (SAVE MIN) ", "2", "9"},
		{"RETURN (SAVE MAX) ", "10", "5"},
		{"RETURN (MIN MAX) ", "2,10", "5,9"},
		{"RETURN (MIN COUNT) ", "2:3,5,8:10", "2:3,5,8:10"},
		{"RETURN (PARTIAL 2:4) ", "3,5,8", "2:3,10"},
		{"RETURN (PARTIAL -1:-2) ", "9:10", "5,8"},
		{"RETURN (PARTIAL -6:-100) ", "2", "9"},
		{"RETURN (PARTIAL 6:100 MIN) ", "2,10", "5,9"},
		{"RETURN (PARTIAL 7:100) ", "", ""},
		{"RETURN (PARTIAL -7:-100) ", "", ""},
	};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(named(cases[i].options, NULL, &out), cases[i].plain);
		assert_string_equal(named(cases[i].options, order, &out), cases[i].sorted);
	}
	str_buf_fini(&out);
}

static void a_search_ends_where_what_is_asked_for_is_known(void **state)
{
	static const struct {
		const char *text;
		uint32_t enough;
	} cases[] = {
		{"", UINT32_MAX},
		{"RETURN () ", UINT32_MAX},
		{"RETURN (MIN) ", 1},
		{"RETURN (MIN SAVE) ", 1},
		{"RETURN (MIN COUNT) ", UINT32_MAX},
		{"RETURN (MIN MAX) ", UINT32_MAX},
		{"RETURN (SAVE) ", UINT32_MAX},
		{"RETURN (MIN UPDATE) ", UINT32_MAX},
		{"RETURN (PARTIAL 11:20) ", 20},
		{"RETURN (PARTIAL 11:20 MIN) ", 20},
		{"RETURN (PARTIAL 11:20 COUNT) ", UINT32_MAX},
		{"RETURN (PARTIAL -11:-20) ", UINT32_MAX},
	};
	struct result_how how;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(parsed(cases[i].text, &how));
		assert_int_equal(result_enough(&how), cases[i].enough);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_understood_in_any_case_and_order),
		cmocka_unit_test(ranges_count_from_either_end),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(options_name_messages),
		cmocka_unit_test(a_search_ends_where_what_is_asked_for_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

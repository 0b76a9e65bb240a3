/* imapd/seq: sequence-set as written, resolved, and written again. */
#include "imapd/seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *resolved(const char *text, uint32_t star, struct str_buf *out)
{
	struct arena arena = {0};
	struct seq_set set;
	size_t n = seq_parse(str_view(text, strlen(text)), &arena, &set);

	str_buf_clear(out);
	str_buf_printf(out, "%zu", n);
	if (n) {
		seq_resolve(&set, star);
		for (size_t i = 0; i < set.n; i++)
			str_buf_printf(out, " %u-%u", set.ranges[i].from, set.ranges[i].to);
	}
	arena_fini(&arena);
	return out->p;
}

static void sets_are_sorted_merged_and_turned_round(void **state)
{
	static const struct {
		const char *text;
		uint32_t star;
		const char *is;
	} cases[] = {
		{"1", 9, "1 1-1"},
		{"*", 9, "1 9-9"},
		{"1:*", 9, "3 1-9"},
		{"*:4", 9, "3 4-9"},
		{"12:*", 9, "4 9-12"},
		{"5:2", 9, "3 2-5"},
		{"7,1:3,4", 9, "7 1-4 7-7"},
		{"1:5,2:3,5:6", 9, "11 1-6"},
		{"1,1,1", 9, "5 1-1"},
		{"4294967295", 9, "10 4294967295-4294967295"},
		{"4294967295,4294967294", 9, "21 4294967294-4294967295"},
		{"2 x", 9, "1 2-2"},
		{"3)", 9, "1 3-3"},
	};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(resolved(cases[i].text, cases[i].star, &out), cases[i].is);
	str_buf_fini(&out);
}

static void what_is_no_set_is_refused(void **state)
{
	static const char *const bad[] = {"", "0", "1:0", "01", "a", "1,", ",1", "1:", ":1", "1,,2",
	    "4294967296", "-1", "1:-2", "99999999999999999999999"};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_string_equal(resolved(bad[i], 9, &out), "0");
	str_buf_fini(&out);
}

static void numbers_are_written_as_runs_in_their_order(void **state)
{
	static const uint32_t numbers[] = {1, 2, 3, 7, 9, 10, 4, 5};
	struct str_buf out = {0};
	struct seq_writer w = {.out = &out};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		seq_write(&w, numbers[i]);
	seq_write_end(&w);
	assert_string_equal(out.p, "1:3,7,9:10,4:5");
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_sorted_merged_and_turned_round),
		cmocka_unit_test(what_is_no_set_is_refused),
		cmocka_unit_test(numbers_are_written_as_runs_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

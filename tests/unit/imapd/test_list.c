/* tests/unit/imapd/test_list.c - names against several patterns, with and without parents. */
#include "imapd/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct folder_info folder;

/* "name" or, with '-' in front, one that is not chosen; by name. */
static const char *matched(struct arena *arena, const char *const *names, enum list_parents parents,
    const char *const *patterns)
{
	struct list_entry all[20], *found;
	struct str_view at[8];
	struct list_patterns p = {.at = at};
	struct str_buf out = {0};
	size_t all_n = 0, n;
	char *text;

	for (; names[all_n]; all_n++)
		all[all_n] = (struct list_entry){.name = names[all_n] + (*names[all_n] == '-'),
		    .folder = &folder, .is_chosen = *names[all_n] != '-'};
	for (; patterns[p.n]; p.n++)
		at[p.n] = str_view(patterns[p.n], strlen(patterns[p.n]));
	list_match(&p, parents, all, all_n, arena, &found, &n);
	for (size_t i = 0; i < n; i++)
		str_buf_printf(&out, "%s%s%s%s", i ? " " : "", found[i].name,
		    found[i].folder ? "" : "?", found[i].has_chosen_below ? "+" : "");
	text = arena_strn(arena, out.p ? out.p : "", out.n);
	str_buf_fini(&out);
	return text;
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_missing_parent_is_told_for_the_pattern_that_does_not_match_the_child(void **state)
{
	struct arena arena = {0};
	const char *const *names = LIST("f1/b1", "f1/c/d1", "f1/e", "g/h/i", "g/h/j");

	(void)state;
	assert_string_equal(matched(&arena, names, LIST_MISSING_PARENTS, LIST("%")), "f1?+ g?+");
	assert_string_equal(matched(&arena, names, LIST_MISSING_PARENTS, LIST("*")),
	    "f1/b1 f1/c/d1 f1/e g/h/i g/h/j");
	assert_string_equal(matched(&arena, names, LIST_MISSING_PARENTS, LIST("f*1", "f%/c")),
	    "f1?+ f1/b1 f1/c?+ f1/c/d1");
	assert_string_equal(matched(&arena, names, LIST_MISSING_PARENTS, LIST("g/%", "g/h/i", "x")),
	    "g/h?+ g/h/i");
	assert_string_equal(matched(&arena, names, LIST_NO_PARENTS, LIST("%", "%/%")), "f1/b1 f1/e");
	arena_fini(&arena);
}

static void every_parent_of_a_chosen_name_is_told_with_what_it_is(void **state)
{
	struct arena arena = {0};
	const char *const *names = LIST("-a", "-a/b", "a/b/c", "d", "-d/e", "f/g");

	(void)state;
	assert_string_equal(matched(&arena, names, LIST_ALL_PARENTS, LIST("*")),
	    "a+ a/b+ a/b/c d f?+ f/g");
	assert_string_equal(matched(&arena, names, LIST_ALL_PARENTS, LIST("%")), "a+ d f?+");
	assert_string_equal(matched(&arena, names, LIST_ALL_PARENTS, LIST("d/%", "nothing")), "");
	assert_string_equal(matched(&arena, names, LIST_NO_PARENTS, LIST("*", "*")), "a/b/c d f/g");
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_missing_parent_is_told_for_the_pattern_that_does_not_match_the_child),
	    cmocka_unit_test(every_parent_of_a_chosen_name_is_told_with_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

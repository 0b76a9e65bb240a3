/* tests/unit/imapd/test_resync.c - sets of UIDs against history, and a client's sample against the view. */
#include "imapd/resync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct view view;

static struct seq_set set_of(const char *text)
{
	struct seq_set set = {0};

	if (*text)
		assert_int_equal(seq_parse(str_view(text, strlen(text)), &arena, &set), strlen(text));
	return set;
}

static void assert_set(struct seq_set set, const char *text)
{
	struct seq_set wanted = set_of(text);

	assert_int_equal(set.n, wanted.n);
	for (size_t i = 0; i < set.n; i++) {
		assert_int_equal(set.ranges[i].from, wanted.ranges[i].from);
		assert_int_equal(set.ranges[i].to, wanted.ranges[i].to);
	}
}

static void view_of(const char *text)
{
	struct seq_set set = set_of(text);

	view_fini(&view);
	for (size_t i = 0; i < set.n; i++)
		for (uint32_t uid = set.ranges[i].from; uid <= set.ranges[i].to; uid++)
			view_append(&view, uid);
}

static int teardown(void **state)
{
	(void)state;
	view_fini(&view);
	arena_fini(&arena);
	return 0;
}

static void assert_intersect(const char *a, const char *b, const char *both)
{
	struct seq_set x = set_of(a), y = set_of(b);

	assert_set(resync_intersect(&x, &y, &arena), both);
	assert_set(resync_intersect(&y, &x, &arena), both);
}

static void sets_meet_where_both_hold(void **state)
{
	(void)state;
	assert_intersect("1:10", "3,5:7,10:4294967295", "3,5:7,10");
	assert_intersect("1:3,7:9", "4:6", "");
	assert_intersect("1:4294967295", "1:4294967295", "1:4294967295");
	assert_intersect("", "1:5", "");
	assert_intersect("1:5,8:12", "4:9,12:20", "4:5,8:9,12");
}

static void assert_missing(const char *asked, uint32_t from, uint32_t to, const char *missing)
{
	struct seq_set a = set_of(asked);

	assert_set(resync_missing(&a, &view, from, to, &arena), missing);
}

static void what_the_view_lacks_is_missing(void **state)
{
	(void)state;
	view_of("3,5:6,10");
	assert_missing("1:4294967295", 0, 12, "1:2,4,7:9,11:12");
	assert_missing("3,5:6,10", 0, 12, "");
	assert_missing("2:5,9:10", 0, 12, "2,4,9");
	assert_missing("1:4294967295", 4, 9, "7:9");
	assert_missing("1:4294967295", 12, 12, "");
	assert_missing("5:4294967295", 0, 5, "");
	view_of("");
	assert_missing("2:4,6", 0, 4294967295, "2:4,6");
	assert_missing("1:4294967295", 4294967295, 4294967295, "");
	assert_missing("4294967295", 0, 4294967295, "4294967295");
}

static void assert_match(const char *seqs, const char *uids, uint32_t matched)
{
	struct seq_set s = set_of(seqs), u = set_of(uids);

	assert_int_equal(resync_match(&view, &s, &u), matched);
}

static void the_highest_pair_that_agrees_is_found(void **state)
{
	(void)state;
	view_of("1:3,5:7,20");
	assert_match("1:6", "1:3,5:7", 7);
	assert_match("1:7", "1:7", 3);      /* 4 went */
	assert_match("3,5", "3,7", 3);
	assert_match("7", "20", 20);
	assert_match("8", "21", 0);         /* no such number any more */
	assert_match("2:3", "1,2", 0);
	assert_match("1:4294967295", "1:4294967295", 3);
	assert_match("1,4:6,7", "1,5:6,7,20", 20);
	view_of("");
	assert_match("1", "1", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(sets_meet_where_both_hold, teardown),
	    cmocka_unit_test_teardown(what_the_view_lacks_is_missing, teardown),
	    cmocka_unit_test_teardown(the_highest_pair_that_agrees_is_found, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

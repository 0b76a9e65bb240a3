/* tests/unit/fs/test_feed.c - lines for those who follow. */
#include "fs/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void put(struct feed *f, uint64_t user, const char *line)
{
	feed_put(f, user, str_view(line, strlen(line)));
}

/* What the reader gets, asking for so many octets at a time. */
static void assert_takes(struct feed *f, struct feed_reader *r, size_t enough, const char *want)
{
	struct str_buf out = {0};

	feed_take(f, r, &out, enough);
	assert_string_equal(out.p ? out.p : "", want);
	str_buf_fini(&out);
}

static void a_reader_gets_what_comes_after_it_began(void **state)
{
	struct feed *f = feed_new(10);
	struct feed_reader r;

	(void)state;
	put(f, 1, "before");
	r = feed_follow(f, 0);
	assert_false(feed_has(f, &r));
	assert_takes(f, &r, 100, "");
	put(f, 1, "one");
	put(f, 2, "two");
	assert_true(feed_has(f, &r));
	assert_takes(f, &r, 100, "one\ntwo\n");
	assert_false(feed_has(f, &r));
	feed_free(&f);
}

static void a_reader_of_one_user_gets_no_others_lines(void **state)
{
	struct feed *f = feed_new(10);
	struct feed_reader r = feed_follow(f, 2);

	(void)state;
	put(f, 1, "his");
	assert_false(feed_has(f, &r));
	put(f, 2, "hers");
	put(f, 1, "his");
	assert_true(feed_has(f, &r));
	assert_takes(f, &r, 100, "hers\n");
	assert_false(feed_has(f, &r));
	feed_free(&f);
}

static void lines_are_whole_and_the_rest_waits(void **state)
{
	struct feed *f = feed_new(10);
	struct feed_reader r = feed_follow(f, 0);

	(void)state;
	put(f, 1, "a long line");
	put(f, 1, "another");
	assert_takes(f, &r, 3, "a long line\n");
	assert_takes(f, &r, 3, "another\n");
	feed_free(&f);
}

static void who_falls_behind_is_told_how_much_is_missed(void **state)
{
	struct feed *f = feed_new(3);
	struct feed_reader r = feed_follow(f, 0), others = feed_follow(f, 7);
	char line[8];

	(void)state;
	for (int i = 1; i <= 8; i++) {
		snprintf(line, sizeof line, "%d", i);
		put(f, 1, line);
	}
	assert_true(feed_has(f, &r));
	assert_takes(f, &r, 100, "missed 5\n6\n7\n8\n");
	/* What is gone may have been for this one too: it is told. */
	assert_true(feed_has(f, &others));
	assert_takes(f, &others, 100, "missed 5\n");
	assert_false(feed_has(f, &others));
	feed_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_reader_gets_what_comes_after_it_began),
	    cmocka_unit_test(a_reader_of_one_user_gets_no_others_lines),
	    cmocka_unit_test(lines_are_whole_and_the_rest_waits),
	    cmocka_unit_test(who_falls_behind_is_told_how_much_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

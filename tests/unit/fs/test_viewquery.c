/* tests/unit/fs/test_viewquery.c - queries in a path. */
#include "fs/viewquery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

/* A tree as a line: (KIND ...), so that a test reads as what it means. */
static void put(const struct search_key *k, struct str_buf *out)
{
	static const char *const names[] = {[SEARCH_ALL] = "all", [SEARCH_AND] = "and", [SEARCH_OR] = "or",
	    [SEARCH_NOT] = "not", [SEARCH_FLAG] = "flag", [SEARCH_KEYWORD] = "keyword",
	    [SEARCH_HEADER] = "header", [SEARCH_ADDRESS] = "address", [SEARCH_BODY] = "body",
	    [SEARCH_TEXT] = "text", [SEARCH_LARGER] = "larger", [SEARCH_SMALLER] = "smaller",
	    [SEARCH_BEFORE] = "before", [SEARCH_SINCE] = "since", [SEARCH_SENT_BEFORE] = "sentbefore",
	    [SEARCH_SENT_SINCE] = "sentsince", [SEARCH_OLDER] = "older", [SEARCH_YOUNGER] = "younger"};

	str_buf_printf(out, "(%s", names[k->kind]);
	if (k->name)
		str_buf_printf(out, " %s", k->name);
	if (k->text.n)
		str_buf_printf(out, " <%.*s>", (int)k->text.n, k->text.p);
	if (k->flags)
		str_buf_printf(out, " %u", k->flags);
	if (k->number)
		str_buf_printf(out, " %llu", (unsigned long long)k->number);
	if (k->day)
		str_buf_printf(out, " %d", k->day);
	if (k->at_s)
		str_buf_printf(out, " %lld", (long long)k->at_s);
	for (const struct search_key *c = k->children; c; c = c->next)
		put(c, out);
	str_buf_putc(out, ')');
}

static void means(const char *text, const char *wanted)
{
	struct viewquery_fault fault = {0};
	struct viewquery query;
	struct str_buf got = {0};

	if (!viewquery_parse(str_view(text, strlen(text)), 1000000, &arena, &query, &fault))
		fail_msg("%s: %s", text, fault.text);
	put(query.key, &got);
	assert_string_equal(got.p, wanted);
	str_buf_fini(&got);
}

static void is_refused(const char *text, size_t at)
{
	struct viewquery_fault fault = {0};
	struct viewquery query;

	if (viewquery_parse(str_view(text, strlen(text)), 0, &arena, &query, &fault))
		fail_msg("%s was taken", text);
	assert_non_null(fault.text);
	assert_int_equal(fault.at, at);
}

static void words_beside_each_other_all_hold(void **state)
{
	(void)state;
	means("report", "(text <report>)");
	means("two words", "(and(text <two>)(text <words>))");
	means("\"two words\"", "(text <two words>)");
	means("\"a \\\"b\\\" \\\\\"", "(text <a \"b\" \\>)");
	means("from:alice subject:\"the report\"", "(and(address from <alice>)(header subject <the report>))");
	means("FROM:alice Is:Read", "(and(address from <alice>)(flag 1))");
}

static void or_binds_less_than_words_beside_each_other(void **state)
{
	(void)state;
	means("a b or c", "(or(and(text <a>)(text <b>))(text <c>))");
	means("a or b OR c", "(or(or(text <a>)(text <b>))(text <c>))");
	means("a (b or c)", "(and(text <a>)(or(text <b>)(text <c>)))");
	means("\"or\" orange", "(and(text <or>)(text <orange>))");
}

static void what_is_not_to_be_has_a_dash_or_not(void **state)
{
	(void)state;
	means("-a", "(not(text <a>))");
	means("not is:unread", "(not(not(flag 1)))");
	means("-(a or b)", "(not(or(text <a>)(text <b>)))");
	means("a-b", "(text <a-b>)");
	means("-", "(text <->)");
}

static void days_months_and_years_are_ranges_of_days(void **state)
{
	(void)state;
	means("since:1970-01-03", "(since 2)");
	means("before:1971", "(before 365)");
	means("on:1970-02", "(and(since 31)(before 59))");
	means("on:1972-02-29", "(and(since 789)(before 790))");
	means("senton:1970-01-02", "(and(sentsince 1)(sentbefore 2))");
	is_refused("since:1970-02-30", 6);
	is_refused("since:1970-1-1", 6);
	is_refused("since:70", 6);
	is_refused("since:1970-01-01-01", 6);
}

static void times_are_counted_back_from_now(void **state)
{
	struct viewquery_fault fault;
	struct viewquery query;

	(void)state;
	means("newer:1d", "(younger 913600)");
	means("older:2h", "(older 992800)");
	assert_true(viewquery_parse(SV("x newer:1w"), 0, &arena, &query, &fault));
	assert_true(query.is_of_now);
	assert_true(viewquery_parse(SV("x since:2024"), 0, &arena, &query, &fault));
	assert_false(query.is_of_now);
	is_refused("newer:d", 6);
	is_refused("newer:1", 6);
}

static void sizes_have_units(void **state)
{
	(void)state;
	means("larger:10", "(larger 10)");
	means("larger:2k smaller:1M", "(and(larger 2048)(smaller 1048576))");
	is_refused("larger:k", 7);
	is_refused("larger:-1", 7);
}

static void fields_and_ids_are_headers(void **state)
{
	(void)state;
	means("header:X-Spam=yes", "(header X-Spam <yes>)");
	means("header:list-id", "(header list-id)");
	means("id:<a@b>", "(header message-id <a@b>)");
	means("label:$todo", "(keyword <$todo>)");
	is_refused("header:=x", 7);
}

static void what_is_no_query_is_refused_where_it_goes_wrong(void **state)
{
	(void)state;
	is_refused("", 0);
	is_refused("   ", 3);
	is_refused("a or", 4);
	is_refused("or a", 0);
	is_refused("(a", 0);
	is_refused("a)", 1);
	is_refused("from:", 5);
	is_refused("http://x", 0);
	is_refused("\"a", 0);
	is_refused("is:blue", 3);
	is_refused("\xff", 0);
	is_refused("((((((((((((((((((((((((((((((((a", 30);
}

static bool covers(const char *text, const char *folder, bool is_aside)
{
	struct viewquery_fault fault;
	struct viewquery query;

	assert_true(viewquery_parse(str_view(text, strlen(text)), 0, &arena, &query, &fault));
	return viewquery_covers(&query, folder, is_aside);
}

static void folders_are_searched_that_in_names_and_trash_only_then(void **state)
{
	(void)state;
	assert_true(covers("x", "Work", false));
	assert_false(covers("x", "Trash", true));
	assert_true(covers("x in:*", "Trash", true));
	assert_true(covers("x in:Trash", "Trash/Old", true));
	assert_false(covers("x in:Work", "INBOX", false));
	assert_false(covers("x in:Work", "Workshop", false));
	assert_true(covers("x in:inbox", "INBOX/Sub", false));
	assert_false(covers("x in:work", "Work", false));
	assert_true(covers("x in:Work in:INBOX", "INBOX", false));
	assert_false(covers("x -in:Work", "Work/Old", false));
	assert_true(covers("x -in:Work", "INBOX", false));
	assert_true(covers("x in:\"two words\"", "two words", false));
	is_refused("a or in:Work", 12);
	is_refused("(in:Work)", 1);
}

static int clean(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(words_beside_each_other_all_hold, clean),
	    cmocka_unit_test_teardown(or_binds_less_than_words_beside_each_other, clean),
	    cmocka_unit_test_teardown(what_is_not_to_be_has_a_dash_or_not, clean),
	    cmocka_unit_test_teardown(days_months_and_years_are_ranges_of_days, clean),
	    cmocka_unit_test_teardown(times_are_counted_back_from_now, clean),
	    cmocka_unit_test_teardown(sizes_have_units, clean),
	    cmocka_unit_test_teardown(fields_and_ids_are_headers, clean),
	    cmocka_unit_test_teardown(what_is_no_query_is_refused_where_it_goes_wrong, clean),
	    cmocka_unit_test_teardown(folders_are_searched_that_in_names_and_trash_only_then, clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

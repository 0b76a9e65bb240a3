/* imapd/name: modified UTF-7 both ways, and LIST's patterns. */
#include "imapd/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *wire, *name;
} pairs[] = {
	{"", ""},
	{"INBOX", "INBOX"},
	{"a &- b", "a & b"},
	{"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
	{"Entw&APw-rfe", "Entw\xc3\xbcrfe"},
	{"&2D3eAA-", "\xf0\x9f\x98\x80"},
	{"&AOkA6Q-", "\xc3\xa9\xc3\xa9"},
	{"&AAk-", "\t"},
};

static void names_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct str_buf name = {0}, wire = {0};

		assert_true(name_decode(str_view(pairs[i].wire, strlen(pairs[i].wire)), &name));
		assert_string_equal(name.p ? name.p : "", pairs[i].name);
		name_encode(str_view(pairs[i].name, strlen(pairs[i].name)), &wire);
		assert_string_equal(wire.p ? wire.p : "", pairs[i].wire);
		str_buf_fini(&name);
		str_buf_fini(&wire);
	}
}

static void what_has_another_spelling_or_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"&", "&A", "&AG", "&AGE-", "&AGE", "&!-", "&AA-", "&AAA-", "&2D0-", "&3gA-", "&2D0AYQ-",
		"&APx-", "&APwA-", "\x7f", "a\tb", "caf\xc3\xa9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct str_buf name = {0};

		assert_false(name_decode(str_view(bad[i], strlen(bad[i])), &name));
		str_buf_fini(&name);
	}
}

static void patterns_match_as_rfc_3501_says(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{"*", "INBOX", true},
		{"*", "a/b/c", true},
		{"%", "a", true},
		{"%", "a/b", false},
		{"%/%", "a/b", true},
		{"%/%", "a/b/c", false},
		{"a/*", "a/b/c", true},
		{"a/*", "a", false},
		{"a*", "a", true},
		{"*c", "a/b/c", true},
		{"*c", "a/b/cd", false},
		{"%b%", "abc", true},
		{"a%*d", "abcd", true},
		{"a%d", "a/d", false},
		{"a**%%d", "abcd", true},
		{"inbox", "INBOX", true},
		{"InB%", "INBOX", true},
		{"inbox/x", "INBOX/x", true},
		{"inbox/X", "INBOX/x", false},
		{"inboxes", "INBOXES", false},
		{"work", "Work", false},
		{"", "a", false},
		{"", "", true},
		{"*****************************************b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(name_matches(str_view(cases[i].pattern, strlen(cases[i].pattern)),
		        str_view(cases[i].name, strlen(cases[i].name))), cases[i].matches);
}

static void parents_that_match_come_with_the_name(void **state)
{
	size_t lengths[3], n;

	(void)state;
	assert_false(name_matches_parents(SV("%"), SV("a/b/c/d"), lengths, &n));
	assert_int_equal(n, 1);
	assert_int_equal(lengths[0], 1);
	assert_false(name_matches_parents(SV("a*b%"), SV("a/b/cc/d"), lengths, &n));
	assert_int_equal(n, 1);
	assert_int_equal(lengths[0], 3);
	assert_true(name_matches_parents(SV("a*"), SV("a/b/c/d"), lengths, &n));
	assert_int_equal(n, 3);
	assert_int_equal(lengths[2], 5);
	assert_false(name_matches_parents(SV("inbox"), SV("INBOX/b"), lengths, &n));
	assert_int_equal(n, 1);
	assert_false(name_matches_parents(SV("x"), SV("a/b"), lengths, &n));
	assert_int_equal(n, 0);
}

static void a_pattern_longer_than_any_name_matches_nothing(void **state)
{
	static char pattern[NAME_PATTERN_MAX + 1];

	(void)state;
	memset(pattern, '*', sizeof pattern);
	assert_false(name_matches(str_view(pattern, sizeof pattern), SV("a")));
	assert_true(name_matches(str_view(pattern, sizeof pattern - 1), SV("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(what_has_another_spelling_or_none_is_refused),
		cmocka_unit_test(patterns_match_as_rfc_3501_says),
		cmocka_unit_test(parents_that_match_come_with_the_name),
		cmocka_unit_test(a_pattern_longer_than_any_name_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

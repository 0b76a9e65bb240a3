/* imapd/parse and the literal's head of imapd/read: tokens, good and bad. */
#include "imapd/parse.h"

#include "imapd/read.h"
#include "store/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct parse_limits limits = {.nesting_max = 10, .list_max = 5, .keyword_max = 8};

static struct parse over(struct arena *arena, const char *text, size_t n)
{
	return (struct parse){.p = text, .end = text + n, .arena = arena, .limits = &limits};
}
#define OVER(arena, literal) over((arena), (literal), sizeof(literal) - 1)

static void astrings_are_atoms_quoted_or_literals(void **state)
{
	static const struct {
		const char *text, *is;
		size_t left;
	} good[] = {
		{"abc def", "abc", 4},
		{"a]c", "a]c", 0},
		{"\"\"", "", 0},
		{"\"a b\" c", "a b", 2},
		{"\"a\\\"b\\\\\"", "a\"b\\", 0},
		{"{3}\r\na\"b x", "a\"b", 2},
		{"{3+}\r\nabc", "abc", 0},
		{"{0}\r\n", "", 0},
		{"a/b=+&-", "a/b=+&-", 0},
	};
	static const char *const bad[] = {"", " a", "(a", "%", "*", "\"", "\"a", "\"a\\b\"", "\"a\\",
	    "{", "{3}", "{3}\r\nab", "{3} abc", "{x}\r\nabc", "{3+", "{99999999999}\r\na", "\"a\r\nb\"",
	    "\\Seen", "{1}\r\n"};
	struct arena arena = {0};
	struct str_view text;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct parse p = over(&arena, good[i].text, strlen(good[i].text));

		assert_true(parse_astring(&p, &text));
		assert_true(str_equal(text, str_view(good[i].is, strlen(good[i].is))));
		assert_int_equal(p.end - p.p, good[i].left);
		assert_null(p.bad);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct parse p = over(&arena, bad[i], strlen(bad[i]));

		assert_false(parse_astring(&p, &text));
		assert_non_null(p.bad);
	}
	arena_fini(&arena);
}

static void a_literal_may_hold_8_bit_octets(void **state)
{
	struct arena arena = {0};
	struct parse p = OVER(&arena, "{2}\r\n\xc3\xa9 x");
	struct str_view text;

	(void)state;
	assert_true(parse_astring(&p, &text));
	assert_true(str_equal(text, SV("\xc3\xa9")));
	arena_fini(&arena);
}

static void a_binary_literal_may_hold_nul(void **state)
{
	struct arena arena = {0};
	struct parse p = OVER(&arena, "~{3}\r\na\0b NIL ~{4}\r\nabc");
	struct str_view text;

	(void)state;
	assert_true(parse_nstring8(&p, &text));
	assert_true(str_equal(text, str_view("a\0b", 3)));
	assert_true(parse_space(&p) && parse_nstring8(&p, &text) && parse_space(&p));
	assert_null(text.p);
	assert_false(parse_nstring8(&p, &text));
	p = OVER(&arena, "~{1}\r\na");
	assert_false(parse_nstring(&p, &text));
	arena_fini(&arena);
}

static void a_quoted_string_may_hold_utf_8(void **state)
{
	struct arena arena = {0};
	struct parse p = OVER(&arena, "\"\xc3\xa9\" \xc3\xa9");
	struct str_view text;

	(void)state;
	assert_true(parse_astring(&p, &text) && parse_space(&p));
	assert_true(str_equal(text, SV("\xc3\xa9")));
	assert_false(parse_astring(&p, &text));
	arena_fini(&arena);
}

static void nil_is_no_string(void **state)
{
	struct arena arena = {0};
	struct parse p = OVER(&arena, "nil \"NIL\"");
	struct str_view text;

	(void)state;
	assert_true(parse_nstring(&p, &text));
	assert_null(text.p);
	assert_true(parse_space(&p));
	assert_true(parse_nstring(&p, &text));
	assert_true(str_equal(text, SV("NIL")));
	arena_fini(&arena);
}

static void flags_are_bits_and_names(void **state)
{
	struct arena arena = {0};
	struct parse p = OVER(&arena, "(\\seen work \\Deleted $x)");
	struct flag_list list;

	(void)state;
	assert_true(parse_flags(&p, false, &list));
	assert_true(parse_end(&p));
	assert_int_equal(list.flags, STORE_FLAG_SEEN | STORE_FLAG_DELETED);
	assert_int_equal(list.keywords_n, 2);
	assert_string_equal(list.keywords[0], "work");
	assert_string_equal(list.keywords[1], "$x");
	p = OVER(&arena, "()");
	assert_true(parse_flags(&p, false, &list));
	assert_int_equal(list.flags, 0);
	p = OVER(&arena, "\\Seen a");
	assert_true(parse_flags(&p, true, &list));
	assert_true(parse_end(&p));
	assert_int_equal(list.keywords_n, 1);
	arena_fini(&arena);
}

static void bad_flags_are_refused(void **state)
{
	static const char *const bad[] = {"\\Seen", "(\\Seen", "(\\Seen ", "(\\Seen  \\Draft)", "( )",
	    "(\\Recent)", "(\\Foo)", "(\\)", "(a(b))", "(a b c d e f)", "(ninechars)", "(a\"b)"};
	struct arena arena = {0};
	struct flag_list list;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct parse p = over(&arena, bad[i], strlen(bad[i]));

		assert_false(parse_flags(&p, false, &list));
		assert_non_null(p.bad);
	}
	arena_fini(&arena);
}

static void mailbox_names_are_utf_8_inside(void **state)
{
	static const struct {
		const char *text, *is;
	} cases[] = {
		{"inbox", "INBOX"},
		{"\"Entw&APw-rfe\"", "Entw\xc3\xbcrfe"},
		{"Work/", "Work"},
		{"Entw&AHUDCA-rfe", NULL},  /* printable ASCII must not be shifted */
		{"u&Awg-", "\xc3\xbc"},     /* u and a combining diaeresis: NFC */
		{"a//b", NULL},
		{"\"\"", NULL},
		{"{3}\r\n\xc3\xa9x", NULL},
	};
	struct arena arena = {0};
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parse p = over(&arena, cases[i].text, strlen(cases[i].text));

		assert_true(parse_mailbox(&p, &name));
		if (cases[i].is)
			assert_string_equal(name, cases[i].is);
		else
			assert_null(name);
	}
	arena_fini(&arena);
}

static void modseqs_have_63_bits(void **state)
{
	static const struct {
		const char *text;
		bool good, good_with_zero;
		uint64_t is;
	} cases[] = {
		{"1", true, true, 1},
		{"0", false, true, 0},
		{"9223372036854775807", true, true, INT64_MAX},
		{"9223372036854775808", false, false, 0},
		{"99999999999999999999999", false, false, 0},
		{"", false, false, 0},
		{"-1", false, false, 0},
	};
	struct arena arena = {0};
	struct store_modseq n;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parse p = over(&arena, cases[i].text, strlen(cases[i].text));

		assert_int_equal(parse_modseq(&p, false, &n), cases[i].good);
		p = over(&arena, cases[i].text, strlen(cases[i].text));
		assert_int_equal(parse_modseq(&p, true, &n), cases[i].good_with_zero);
		if (cases[i].good_with_zero)
			assert_true(n.n == cases[i].is);
	}
	arena_fini(&arena);
}

static void names_are_utf8_once_that_was_enabled(void **state)
{
	static const struct {
		const char *text, *is; /* NULL: can't be a name */
	} cases[] = {
		{"\"Entw\xc3\xbcrfe\"", "Entw\xc3\xbcrfe"},
		{"\"e\xcc\x81\"", "\xc3\xa9"}, /* NFC */
		{"{3}\r\n\xc3\xa9x", "\xc3\xa9x"},
		{"Entw&APw-rfe", "Entw&APw-rfe"},   /* '&' is a character like any other */
		{"inbox/x", "INBOX/x"},
		{"{2}\r\n\xc3(", NULL},
	};
	struct arena arena = {0};
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parse p = over(&arena, cases[i].text, strlen(cases[i].text));

		p.utf8 = true;
		assert_true(parse_mailbox(&p, &name));
		if (cases[i].is)
			assert_string_equal(name, cases[i].is);
		else
			assert_null(name);
	}
	arena_fini(&arena);
}

static void a_literals_head_ends_the_line(void **state)
{
	static const struct {
		const char *line;
		uint64_t octets;
		bool waits, is_binary;
	} good[] = {
		{"a LOGIN {5}", 5, true, false},
		{"{0}", 0, true, false},
		{"a {12+}", 12, false, false},
		{"x{007}", 7, true, false},
		{"a {99999999999999999999999}", UINT64_MAX, true, false},
		{"a ~{3}", 3, true, true},
		{"a ~{3+}", 3, false, true},
		{"~{0}", 0, true, true},
	};
	static const char *const bad[] = {"", "}", "{}", "{+}", "5}", "{5", "{5} ", "{5}x", "{5-}",
	    "{a}", "{5++}", "a \"{5}\""};
	struct literal_head head;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(read_literal_head(str_view(good[i].line, strlen(good[i].line)), &head));
		assert_true(head.octets == good[i].octets);
		assert_int_equal(head.waits, good[i].waits);
		assert_int_equal(head.is_binary, good[i].is_binary);
		assert_int_equal(good[i].line[strlen(good[i].line) - head.n], head.is_binary ? '~' : '{');
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(read_literal_head(str_view(bad[i], strlen(bad[i])), &head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(astrings_are_atoms_quoted_or_literals),
		cmocka_unit_test(a_literal_may_hold_8_bit_octets),
		cmocka_unit_test(a_binary_literal_may_hold_nul),
		cmocka_unit_test(a_quoted_string_may_hold_utf_8),
		cmocka_unit_test(nil_is_no_string),
		cmocka_unit_test(flags_are_bits_and_names),
		cmocka_unit_test(bad_flags_are_refused),
		cmocka_unit_test(mailbox_names_are_utf_8_inside),
		cmocka_unit_test(modseqs_have_63_bits),
		cmocka_unit_test(names_are_utf8_once_that_was_enabled),
		cmocka_unit_test(a_literals_head_ends_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

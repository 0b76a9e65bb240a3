/* Paths of MAIL and RCPT: what is one, what it means, and where it ends. */
#include "deliver/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void path_is_cut_and_understood(void **state)
{
	static const struct {
		const char *in, *text, *local, *domain, *rest;
	} cases[] = {
	    {"<ann@example.org>", "ann@example.org", "ann", "example.org", ""},
	    {"<ann@example.org> SIZE=3", "ann@example.org", "ann", "example.org", " SIZE=3"},
	    {"<>", "", "", "", ""},
	    {"<postmaster>", "postmaster", "postmaster", "", ""},
	    {"<@a.example,@b.example:ann@example.org>", "ann@example.org", "ann", "example.org", ""},
	    {"<\"ann smith\"@example.org>", "\"ann smith\"@example.org", "ann smith", "example.org", ""},
	    {"<\"a\\\"b\\\\c\"@example.org>", "\"a\\\"b\\\\c\"@example.org", "a\"b\\c", "example.org", ""},
	    {"<\"a>b\"@example.org>", "\"a>b\"@example.org", "a>b", "example.org", ""},
	    {"<ann@[127.0.0.1]>", "ann@[127.0.0.1]", "ann", "[127.0.0.1]", ""},
	    {"<ann@[IPv6:::1]>", "ann@[IPv6:::1]", "ann", "[IPv6:::1]", ""},
	    {"<a.b..c.@example.org>", "a.b..c.@example.org", "a.b..c.", "example.org", ""},
	    {"<ann+list/x=y@ex_ample.org>", "ann+list/x=y@ex_ample.org", "ann+list/x=y", "ex_ample.org", ""},
	    {"<\xc3\xa4nn@b\xc3\xbc.example>", "\xc3\xa4nn@b\xc3\xbc.example", "\xc3\xa4nn", "b\xc3\xbc.example", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_view rest = str_view(cases[i].in, strlen(cases[i].in));
		struct arena arena = {0};
		struct mail_path path;

		assert_true(mail_path_parse(&rest, &arena, &path));
		assert_string_equal(path.text, cases[i].text);
		assert_string_equal(path.local, cases[i].local);
		assert_string_equal(path.domain, cases[i].domain);
		assert_int_equal(path.is_null, strcmp(cases[i].in, "<>") == 0);
		assert_int_equal(path.has_utf8, strchr(cases[i].in, '\xc3') != NULL);
		assert_true(str_equal(rest, str_view(cases[i].rest, strlen(cases[i].rest))));
		arena_fini(&arena);
	}
}

static void what_is_no_path_is_refused_and_nothing_is_cut(void **state)
{
	static const char *const cases[] = {"", "<", ">", "ann@example.org", "<ann@example.org", "<ann@>", "<@example.org>",
	    "<ann@.example>", "<ann@-x>", "<ann smith@example.org>", "<a@b@c>", "<\"ann@example.org>", "<\"\"@example.org>",
	    "<\"a\\", "<ann@[127.0.0.1>", "<ann@[]>", "<@a.example>", "<@a.example,ann@b>", "<ann(x)@example.org>",
	    "<ann@exa mple.org>", "<ann\r@example.org>", "<\"a\nb\"@example.org>", "<\xff@example.org>", "<ann@\xc3>", " <ann@b>"};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_view rest = str_view(cases[i], strlen(cases[i])), before = rest;
		struct arena arena = {0};
		struct mail_path path;

		if (mail_path_parse(&rest, &arena, &path))
			fail_msg("\"%s\" is taken for a path", cases[i]);
		assert_true(rest.p == before.p && rest.n == before.n);
		arena_fini(&arena);
	}
}

static void bare_address_of_a_command_line_is_taken(void **state)
{
	struct arena arena = {0};
	struct mail_path path;

	(void)state;
	assert_true(mail_path_take("ann@example.org", &arena, &path));
	assert_string_equal(path.text, "ann@example.org");
	assert_true(mail_path_take("<ann@example.org>", &arena, &path));
	assert_string_equal(path.text, "ann@example.org");
	assert_true(mail_path_take("", &arena, &path));
	assert_true(path.is_null);
	assert_false(mail_path_take("ann@example.org> x", &arena, &path));
	assert_false(mail_path_take("ann smith", &arena, &path));
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(path_is_cut_and_understood),
	    cmocka_unit_test(what_is_no_path_is_refused_and_nothing_is_cut),
	    cmocka_unit_test(bare_address_of_a_command_line_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

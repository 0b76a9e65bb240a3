/* mime/subject: RFC 5256 2.1 and the grammar of its section 5, a case each. */
#include "mime/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_base_is_what_the_grammar_leaves(void **state)
{
	static const struct {
		const char *subject, *base;
		bool replied;
	} cases[] = {
		{"", "", false},
		{"hello", "hello", false},
		{"Re: hello", "hello", true},
		{"RE:hello", "hello", true},
		{"re : hello", "hello", true},
		{"fw: hello", "hello", true},
		{"Fwd: hello", "hello", true},
		{"Re: Fw: re: hello", "hello", true},
		{"Re[2]: hello", "hello", true},
		{"Re [2] : hello", "hello", true},
		{"[list] hello", "hello", false},
		{"[list] Re: hello", "hello", true},
		{"Re: [list] hello", "hello", true},
		{"[a] [b]Re: [c] hello", "hello", true},
		{"[a][b]", "[b]", false},
		{"[a] [b]  ", "[b]", false},
		{"[only]", "[only]", false},
		{"Re: [only]", "[only]", true},
		{"[a[b] hello", "[a[b] hello", false},
		{"hello (fwd)", "hello", true},
		{"hello (FWD)(fwd) ", "hello", true},
		{"(fwd)", "", true},
		{"Re: (fwd)", "", true},
		{"[fwd: hello]", "hello", true},
		{"[Fwd: Re: [list] hello (fwd)]", "hello", true},
		{"[fwd:[fwd: [fwd: hello]]]", "hello", true},
		{"[fwd: [only]]", "[only]", true},
		{"[fwd:]", "", true},
		{"[fwd: hello", "[fwd: hello", false},
		{"re hello", "re hello", false},
		{"Reply: hello", "Reply: hello", false},
		{"Re:", "", true},
		{"a \t  b", "a b", false},
		{" \t a", "a", false},
		{"=?utf-8?q?Re=3A_caf=C3=A9?=", "caf\xc3\xa9", true},
		{"=?iso-8859-1?q?AW=3A_caf=E9?=", "AW: caf\xc3\xa9", false},
		{"Re: =?utf-8?q?=5Blist=5D_x?=", "x", true},
	};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		str_buf_clear(&out);
		bool replied = mime_base_subject(str_view(cases[i].subject, strlen(cases[i].subject)), &out);

		assert_string_equal(out.n ? out.p : "", cases[i].base);
		assert_int_equal(replied, cases[i].replied);
	}
	str_buf_fini(&out);
}

/* A megabyte of each shape; the test's time-out is the judge. */
static void bombs_take_linear_time(void **state)
{
	static const struct {
		const char *piece, *end, *base;
	} cases[] = {
		{"[a]", "x", "x"}, {"[a]", "", "[a]"}, {"re:", "", ""}, {"[fwd:", "]", NULL},
		{"[", "", NULL}, {"[a] re", "", NULL}, {"(fwd)", "", ""}, {"re [", "", NULL},
		{"fw[a]:[b]", "x", "x"}, {" ", "", ""},
	};
	struct str_buf text = {0}, out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		str_buf_clear(&text);
		str_buf_clear(&out);
		while (text.n < 1 << 20)
			str_buf_puts(&text, cases[i].piece);
		str_buf_puts(&text, cases[i].end);
		mime_base_subject(str_buf_view(&text), &out);
		if (cases[i].base)
			assert_string_equal(out.n ? out.p : "", cases[i].base);
	}
	str_buf_clear(&text);
	str_buf_clear(&out);
	for (size_t i = 0; i < 100000; i++)
		str_buf_puts(&text, "[fwd:");
	for (size_t i = 0; i < 100000; i++)
		str_buf_puts(&text, "]");
	mime_base_subject(str_buf_view(&text), &out);
	assert_int_equal(out.n, 0);
	str_buf_fini(&text);
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_base_is_what_the_grammar_leaves),
		cmocka_unit_test(bombs_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

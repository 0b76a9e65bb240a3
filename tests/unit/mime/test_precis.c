/* Names and passwords in any script (RFC 8265), and domains in theirs. */
#include "mime/idn.h"
#include "mime/precis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct pair {
	const char *typed, *kept;
};

static enum precis_fault username(const char *typed, bool mapped, struct str_buf *out)
{
	return precis_username(str_view(typed, strlen(typed)), mapped, out);
}

static enum precis_fault opaque(const char *typed, struct str_buf *out)
{
	return precis_opaque(str_view(typed, strlen(typed)), out);
}

static void names_are_one_in_every_spelling(void **state)
{
	static const struct pair cases[] = {
	    {"alice", "alice"},
	    {"Alice.B-c_d", "alice.b-c_d"},
	    {"J\xc3\x9cRGEN", "j\xc3\xbcrgen"},
	    {"ju\xcc\x88rgen", "j\xc3\xbcrgen"},                                              /* decomposed */
	    {"\xef\xbc\xa1\xef\xbd\x8c\xef\xbd\x89\xef\xbd\x83\xef\xbd\x85", "alice"},      /* full width */
	    {"\xef\xbd\xb1", "\xe3\x82\xa2"},                                                 /* half width katakana */
	    {"stra\xc3\x9f" "e", "stra\xc3\x9f" "e"},                                         /* a sharp s is no ss */
	    {"\xe1\xba\x9e", "\xc3\x9f"},                                                     /* but has a capital */
	    {"\xce\xa3\xce\x91\xce\xa3", "\xcf\x83\xce\xb1\xcf\x82"},                        /* a sigma ends as one that ends */
	    {"\xcf\x83\xce\xb1\xcf\x82", "\xcf\x83\xce\xb1\xcf\x82"},
	    {"\xc4\xb0", "i\xcc\x87"},                                                        /* I with a dot, of Turkish */
	    {"I", "i"},
	    {"\xd0\x96\xd0\xb5\xd0\xbd\xd1\x8f", "\xd0\xb6\xd0\xb5\xd0\xbd\xd1\x8f"},
	    {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d" "1", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d" "1"}, /* to the left, with digits */
	    {"l\xc2\xb7l", "l\xc2\xb7l"},
	    {"S\xcc\x87\xcc\xa3", "\xe1\xb9\xa9"},                                          /* order of marks */
	    {"k\xe2\x84\xaa", "kk"},                                                          /* the Kelvin sign is a K */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf out = {0}, again = {0};
		enum precis_fault fault = username(cases[i].typed, true, &out);

		print_message("%s\n", cases[i].typed);
		assert_int_equal(fault, PRECIS_GOOD);
		assert_string_equal(out.p, cases[i].kept);
		assert_int_equal(username(out.p, true, &again), PRECIS_GOOD);
		assert_string_equal(again.p, out.p);
		str_buf_fini(&out);
		str_buf_fini(&again);
	}
}

static void names_keep_their_case_where_they_are_shown(void **state)
{
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(username("\xef\xbc\xa1lice", false, &out), PRECIS_GOOD);
	assert_string_equal(out.p, "Alice");
	str_buf_fini(&out);
}

static void names_that_could_be_misread_are_refused(void **state)
{
	static const struct {
		const char *typed;
		enum precis_fault fault;
	} cases[] = {
	    {"", PRECIS_EMPTY},
	    {"\xff", PRECIS_NOT_UTF8},
	    {"a b", PRECIS_FORBIDDEN},
	    {"a\xc2\xa0" "b", PRECIS_FORBIDDEN},
	    {"a\tb", PRECIS_FORBIDDEN},
	    {"a\xe2\x80\x8b", PRECIS_FORBIDDEN},          /* no width */
	    {"a\xe2\x80\xae", PRECIS_FORBIDDEN},          /* turns what follows round */
	    {"\xef\xac\x81", PRECIS_FORBIDDEN},           /* the ligature fi */
	    {"\xe2\x85\xa3", PRECIS_FORBIDDEN},           /* Roman four */
	    {"\xe2\x99\x9a", PRECIS_FORBIDDEN},           /* a chess king */
	    {"\xe1\x84\x80", PRECIS_FORBIDDEN},           /* an old Hangul jamo */
	    {"\xee\x80\x80", PRECIS_FORBIDDEN},           /* private use */
	    {"\xcd\xb8", PRECIS_FORBIDDEN},               /* unassigned */
	    {"a\xd7\xa9", PRECIS_DIRECTION},
	    {"\xd7\xa9" "a", PRECIS_DIRECTION},
	    {"1\xd7\xa9", PRECIS_DIRECTION},
	    {"\xd9\xa1\xdb\xb1", PRECIS_OUT_OF_PLACE},    /* digits of two kinds */
	    {"a\xe2\x80\x8d" "b", PRECIS_OUT_OF_PLACE},
	    {"\xe3\x83\xbb", PRECIS_OUT_OF_PLACE},
	    {"a\xd7\xb3", PRECIS_OUT_OF_PLACE},
	    {"\xcd\xb5" "a", PRECIS_OUT_OF_PLACE},
	    {"a\xc2\xb7l", PRECIS_OUT_OF_PLACE},        /* the dot of Catalan stands between two l */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf out = {0};
		enum precis_fault fault = username(cases[i].typed, true, &out);

		if (fault != cases[i].fault)
			fail_msg("case %zu: %s", i, precis_fault_text(fault));
		assert_int_equal(out.n, 0);
		str_buf_fini(&out);
	}
}

static void passwords_are_one_however_they_were_typed(void **state)
{
	static const struct pair cases[] = {
	    {"secret", "secret"},
	    {"Correct Horse Battery Staple", "Correct Horse Battery Staple"}, /* case and blanks count */
	    {"e\xcc\x81t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},                      /* NFD and NFC */
	    {"a\xc2\xa0" "b\xe3\x80\x80" "c", "a b c"},                        /* blanks of other kinds */
	    {"\xef\xbd\x81", "\xef\xbd\x81"},                                  /* a full width letter is not mapped */
	    {"\xcf\x80\xc3\x9f\xe5\xa5\xbd", "\xcf\x80\xc3\x9f\xe5\xa5\xbd"},
	    {"\xe2\x99\xa5", "\xe2\x99\xa5"},                                  /* symbols are welcome */
	    {"a\xd7\xa9", "a\xd7\xa9"},                                        /* direction is nobody's business */
	    {"\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae", "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae"}, /* Persian: a joiner that means something */
	    {"\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d", "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d"}, /* behind a virama */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf out = {0};

		print_message("%s\n", cases[i].typed);
		assert_int_equal(opaque(cases[i].typed, &out), PRECIS_GOOD);
		assert_string_equal(out.p, cases[i].kept);
		str_buf_fini(&out);
	}
}

static void passwords_that_nobody_can_type_twice_are_refused(void **state)
{
	static const char *const cases[] = {
	    "", "\xff", "a\tb", "a\x7f", "\xc2\x85", "\xc2\xad", "a\xe2\x80\x8b", "\xe2\x80\xa8", "\xe1\x84\x80",
	    "\xee\x80\x80", "\xef\xbf\xbe", "a\xe2\x80\x8c" "b", "\xe2\x80\x8d", "\xe2\x80\x8c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf out = {0};

		if (opaque(cases[i], &out) == PRECIS_GOOD)
			fail_msg("case %zu was taken", i);
		str_buf_fini(&out);
	}
}

static void a_domain_is_one_in_its_script_and_in_ascii(void **state)
{
	static const struct pair cases[] = {
	    {"Example.ORG", "example.org"},
	    {"localhost", "localhost"},
	    {"a-b.c_d.example", "a-b.c_d.example"},
	    {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"},
	    {"B\xc3\x9c" "CHER.example", "xn--bcher-kva.example"},
	    {"bu\xcc\x88" "cher.example", "xn--bcher-kva.example"},
	    {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
	    {"stra\xc3\x9f" "e.example", "xn--strae-oqa.example"},
	    {"\xef\xbd\x85xample\xe3\x80\x82org", "example.org"}, /* full width, and a full stop of Japanese */
	};
	static const char *const bad[] = {"", ".", "a..b", ".a", "a.", "-a.b", "a-.b", "a b", "[127.0.0.1]", "a@b", "\xff", "xn--\xc3\xbc", "a\xe2\x80\x8b\xe2\x80\xae.b",
	    "xn--a.example", "0123456789012345678901234567890123456789012345678901234567890123.b"};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf out = {0};

		print_message("%s\n", cases[i].typed);
		assert_true(idn_ascii(str_view(cases[i].typed, strlen(cases[i].typed)), &out));
		assert_string_equal(out.p, cases[i].kept);
		str_buf_fini(&out);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct str_buf out = {0};

		if (idn_ascii(str_view(bad[i], strlen(bad[i])), &out))
			fail_msg("%s is %s", bad[i], out.p);
		str_buf_fini(&out);
	}
}

static void people_see_a_domain_in_its_script(void **state)
{
	struct str_buf out = {0};

	(void)state;
	idn_display("xn--bcher-kva.example", &out);
	idn_display(".example.org", &out);
	assert_string_equal(out.p, "b\xc3\xbc" "cher.example.example.org");
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_one_in_every_spelling),
	    cmocka_unit_test(names_keep_their_case_where_they_are_shown),
	    cmocka_unit_test(names_that_could_be_misread_are_refused),
	    cmocka_unit_test(passwords_are_one_however_they_were_typed),
	    cmocka_unit_test(passwords_that_nobody_can_type_twice_are_refused),
	    cmocka_unit_test(a_domain_is_one_in_its_script_and_in_ascii),
	    cmocka_unit_test(people_see_a_domain_in_its_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

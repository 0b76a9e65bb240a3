/* ENVELOPE: addresses as they are meant, or as they stand; never others. */
#include "check_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The ENVELOPE of a header; "Subject: x" and the like. */
static void expect_envelope(const char *name, struct str_view header, struct str_view expect)
{
	struct arena arena = {0};
	struct mime_message m;

	scan_octets(header, 0, &mime_caps_default, &arena, &m);
	const char *why = check_message(&m);

	if (why)
		fail_msg("%s: %s", name, why);
	if (!str_equal(m.envelope, expect))
		fail_msg("%s:\n  %.*s\nexpected\n  %.*s", name, (int)m.envelope.n, m.envelope.p,
		    (int)expect.n, expect.p);
	arena_fini(&arena);
}

/* How a To: field is told. */
static const struct {
	const char *name, *to, *told;
} lists[] = {
	{"a bare address", "a@b.c", "((NIL NIL \"a\" \"b.c\"))"},
	{"a name in words", "Ann B. Clark <a@b.c>", "((\"Ann B. Clark\" NIL \"a\" \"b.c\"))"},
	{"a quoted name", "\"Clark, Ann \\\"A\\\"\" <a@b>",
	    "((\"Clark, Ann \\\"A\\\"\" NIL \"a\" \"b\"))"},
	{"an encoded name stays raw", "=?utf-8?q?x?= =?utf-8?q?y?= <a@b>",
	    "((\"=?utf-8?q?x?= =?utf-8?q?y?=\" NIL \"a\" \"b\"))"},
	{"a comment is the name where there is no phrase", "a@b (Ann (A.) C)",
	    "((\"Ann (A.) C\" NIL \"a\" \"b\"))"},
	{"a comment is no name beside a phrase", "Ann (x) <a@b>", "((\"Ann\" NIL \"a\" \"b\"))"},
	{"two, with an empty item between", "a@b,, c@d,",
	    "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))"},
	{"a comma in quotes", "\"a,b\"@c", "((NIL NIL \"a,b\" \"c\"))"},
	{"a source route", "<@r1,@r2:a@b>", "((NIL \"@r1,@r2\" \"a\" \"b\"))"},
	{"a source route without angles", "@r:a@b", "((NIL \"@r\" \"a\" \"b\"))"},
	{"blanks and comments around dots", "a . (x) b @ c . d", "((\"x\" NIL \"a.b\" \"c.d\"))"},
	{"a domain literal", "a@[192.0.2.1]", "((NIL NIL \"a\" \"[192.0.2.1]\"))"},
	{"dots where none may be", ".a..b.@c", "((NIL NIL \".a..b.\" \"c\"))"},
	{"a group", "Team: a@b, C <c@d>;",
	    "((NIL NIL \"Team\" NIL)(NIL NIL \"a\" \"b\")(\"C\" NIL \"c\" \"d\")(NIL NIL NIL NIL))"},
	{"an empty group", "undisclosed-recipients:;",
	    "((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL NIL))"},
	{"a group and what follows", "\"G 1\": a@b; , c@d",
	    "((NIL NIL \"G 1\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)(NIL NIL \"c\" \"d\"))"},
	{"a group that is not closed", "g: a@b",
	    "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"},
	{"comments alone are no address", "(x), a@b, (y) (z)", "((NIL NIL \"a\" \"b\"))"},
	{"a group of a comment", "(x)G:(nobody (that I know)) ;",
	    "((NIL NIL \"G\" NIL)(NIL NIL NIL NIL))"},
	{"nothing but a comment", "(x)", "NIL"},
	{"semicolons between addresses", "a@b; c@d", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))"},
	{"words before an address are not joined to it", "a b c@d", "((NIL NIL \"a b c\" \"d\"))"},
	{"a name without angles", "Ann Clark a@b.c", "((NIL NIL \"Ann Clark a\" \"b.c\"))"},
	{"an angle that is not closed", "foo bar <a@b", "((\"foo bar\" NIL \"a\" \"b\"))"},
	{"an angle that is not closed, and a next one", "x <a@b, y <c@d>",
	    "((\"x\" NIL \"a\" \"b\")(\"y\" NIL \"c\" \"d\"))"},
	{"a quote that is not closed", "\"Ann <a@b>", "((\"\\\"Ann\" NIL \"a\" \"b\"))"},
	{"a comment that is not closed", "a@b (Ann", "((NIL NIL \"a\" \"b (Ann\"))"},
	{"no '@'", "postmaster", "((NIL NIL \"postmaster\" \"\"))"},
	{"words and no '@'", "the whole team", "((NIL NIL \"the whole team\" \"\"))"},
	{"two '@'", "a@b@c", "((NIL NIL \"a@b\" \"c\"))"},
	{"nothing before the '@'", "@b", "((NIL NIL \"\" \"b\"))"},
	{"nothing behind the '@'", "a@", "((NIL NIL \"a\" \"\"))"},
	{"empty angles", "Mailer <>", "((\"Mailer\" NIL \"\" \"\"))"},
	{"words behind the angle", "A <a@b> (x) B", "((\"A B\" NIL \"a\" \"b\"))"},
	{"two angles", "<a@b> <c@d>", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))"},
	{"an escaped quote", "\"a\\\"b\"@c", "((NIL NIL \"a\\\"b\" \"c\"))"},
	{"folded", "Ann\r\n Clark\r\n\t<a@b>", "((\"Ann Clark\" NIL \"a\" \"b\"))"},
	{"nothing but commas", " ,,;, ", "NIL"},
	{"nothing", "", "NIL"},
	{"8-bit is a literal", "J\xc3\xb6rg <a@b>", "(({5}\r\nJ\xc3\xb6rg NIL \"a\" \"b\"))"},
};

static void every_address_list_is_told_as_it_stands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct str_buf header = {0}, expect = {0};

		str_buf_printf(&header, "To: %s\r\n\r\n", lists[i].to);
		str_buf_printf(&expect, "(NIL NIL NIL NIL NIL %s NIL NIL NIL NIL)", lists[i].told);
		expect_envelope(lists[i].name, str_buf_view(&header), str_buf_view(&expect));
		str_buf_fini(&header);
		str_buf_fini(&expect);
	}
}

#define A(x) "((NIL NIL \"" x "\" \"h\"))"

static const struct {
	const char *name;
	struct str_view header, told;
} headers[] = {
	{"no header", SV(""), SV("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"all ten", SV("Message-ID: <i@h>\r\nIn-Reply-To: <j@h>\r\nBcc: b@h\r\nCc: c@h\r\nTo: t@h\r\n"
		       "Reply-To: r@h\r\nSender: s@h\r\nFrom: f@h\r\nSubject: x\r\nDate: d\r\n\r\n"),
	    SV("(\"d\" \"x\" " A("f") " " A("s") " " A("r") " " A("t") " " A("c") " " A("b")
		" \"<j@h>\" \"<i@h>\")")},
	{"sender and reply-to are from's where missing or empty", SV("From: f@h\r\nSender: \r\n\r\n"),
	    SV("(NIL NIL " A("f") " " A("f") " " A("f") " NIL NIL NIL NIL NIL)")},
	{"names in any case, blanks before the colon", SV("sUBJECT \t: x\r\n\r\n"),
	    SV("(NIL \"x\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"an empty subject is not none", SV("Subject:\r\n\r\n"),
	    SV("(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"unfolded, nothing else changed", SV("Subject: a\r\n  b\r\n\tc \r\n\r\n"),
	    SV("(NIL \"a  b\tc\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"encoded words raw, quote and backslash escaped",
	    SV("Subject: =?utf-8?q?=C3=A9?= \"q\" \\\r\n\r\n"),
	    SV("(NIL \"=?utf-8?q?=C3=A9?= \\\"q\\\" \\\\\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"NULs are left out", SV("Subject: a\0b\0\r\n\r\n"),
	    SV("(NIL \"ab\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"8-bit with NULs", SV("Subject: \xff\0b\r\n\r\n"),
	    SV("(NIL {2}\r\n\xff" "b NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"a bare CR is no quoted string", SV("Subject: a\rb\r\n\r\n"),
	    SV("(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"the first subject counts", SV("Subject: a\r\nSubject: b\r\n\r\n"),
	    SV("(NIL \"a\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"several fields of addresses are one list", SV("To: a@h\r\nTo: b@h\r\n\r\n"),
	    SV("(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"h\")(NIL NIL \"b\" \"h\")) NIL NIL NIL NIL)")},
	{"lines that are no fields are passed over",
	    SV("From joe Mon Nov 23 04:21:04 2026\r\nno colon here\r\n: empty\r\nSubject: x\r\n\r\n"),
	    SV("(NIL \"x\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"the blank line ends it", SV("Subject: x\r\n\r\nTo: a@h\r\n"),
	    SV("(NIL \"x\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
	{"a header without its blank line", SV("Subject: x"),
	    SV("(NIL \"x\" NIL NIL NIL NIL NIL NIL NIL NIL)")},
};

static void every_header_gives_its_envelope(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		expect_envelope(headers[i].name, headers[i].header, headers[i].told);
}

#define DAY INT64_C(86400000)
#define AT(day, h, m, s) ((day) * DAY + (((h) * 60 + (m)) * 60 + (s)) * 1000)

/* 20780: 2026-11-23 */
static const struct {
	const char *date;
	int64_t wall_ms;
	int zone_min;
} dates[] = {
	{"Mon, 23 Nov 2026 04:21:04 +0000", AT(20780, 4, 21, 4), 0},
	{"Mon, 23 Nov 2026 04:21:04 +0130 (comment (nested))", AT(20780, 2, 51, 4), 90},
	{"23 Nov 2026 04:21 -0800", AT(20780, 12, 21, 0), -480},
	{"Mon,23 nov 2026 04:21:04 GMT", AT(20780, 4, 21, 4), 0},
	{"Mon, 23 Nov 26 04:21:04 EST", AT(20780, 9, 21, 4), -300},
	{"Mon, 23 Nov 126 04:21:04 PDT", AT(20780, 11, 21, 4), -420},
	{"Monday, 23-Nov-26 04:21:04 Z", AT(20780, 4, 21, 4), 0},
	{"Mon Nov 23 04:21:04 2026", AT(20780, 4, 21, 4), 0},
	{"Mon Nov 23 04:21:04 +0100 2026", AT(20780, 3, 21, 4), 60},
	{"2026-11-23T04:21:04.123+01:00", AT(20780, 3, 21, 4), 60},
	{"23 Nov 2026", AT(20780, 0, 0, 0), 0},
	{"Mon, 23 Nov 2026 04:21:60 +0000", AT(20780, 4, 22, 0), 0},
	{"Mon, 23 Nov 2026 04:21:04 XYZ", AT(20780, 4, 21, 4), 0},
	{"Sat,\r\n 29 Feb 2020 00:00:00 +0000", AT(18321, 0, 0, 0), 0},
	{"Thu, 1 Jan 1970 00:00:00 +0000", 0, 0},
	{"Wed, 31 Dec 1969 23:59:59 +0000", -1000, 0},
	{"Fri, 1 Jan 99 00:00:00 +0000", AT(10592, 0, 0, 0), 0},
	{"", INT64_MIN, 0},
	{"yesterday", INT64_MIN, 0},
	{"Mon, 23 Nov", INT64_MIN, 0},
	{"Mon, 23 Foo 2026 04:21:04 +0000", INT64_MIN, 0},
	{"99999999999999999999 Nov 99999999999999 99:99:99 +9999", INT64_MIN, 0},
	{"Mon, 0 Nov 2026 25:00:00", INT64_MIN, 0},
};

static void every_date_is_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
		struct str_buf header = {0};
		struct arena arena = {0};
		struct mime_message m;

		str_buf_printf(&header, "Date: %s\r\n\r\n", dates[i].date);
		scan_octets(str_buf_view(&header), 0, &mime_caps_default, &arena, &m);
		if (m.sent_ms != dates[i].wall_ms || m.sent_zone_min != dates[i].zone_min)
			fail_msg("\"%s\" is %lld ms, zone %d", dates[i].date, (long long)m.sent_ms,
			    m.sent_zone_min);
		arena_fini(&arena);
		str_buf_fini(&header);
	}
}

static const struct {
	const char *name, *header, *slug;
} slugs[] = {
	{"plain", "From: alice@x\r\nSubject: Quarterly report", "alice.Quarterly_report"},
	{"decoded", "From: =?utf-8?q?J=C3=B6rg?= <joerg@x>\r\nSubject: =?utf-8?b?w7xiZXI=?= alles",
	    "joerg.über_alles"},
	{"composed (NFC)", "From: a@x\r\nSubject: e\xcc\x81t\xc3\xa9", "a.\xc3\xa9t\xc3\xa9"},
	{"slashes, quotes, bidi and zero-width characters",
	    "From: a@x\r\nSubject: ../x\"y'z \xe2\x80\xae" "a\xe2\x80\x8b" "b\xef\xbb\xbf", "a.x_y_z_a_b"},
	{"no leading dot or dash", "From: .-a@x\r\nSubject: -rf .", "a.rf"},
	{"runs are one", "From: a@x\r\nSubject: a   --  b", "a.a_--_b"},
	{"no subject", "From: a@x", "a"},
	{"no from", "Subject: b", "b"},
	{"nothing", "X: y", "message"},
	{"nothing that can stay", "From: <>\r\nSubject: ///", "message"},
	{"the first mailbox of a group", "From: g: a@x, b@y;\r\nSubject: s", "a.s"},
	{"kept characters", "From: a+b_c@x\r\nSubject: x-y_z@w+v.u", "a+b_c.x-y_z@w+v.u"},
};

static void every_slug_is_a_safe_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof slugs / sizeof slugs[0]; i++) {
		struct str_buf header = {0};
		struct arena arena = {0};
		struct mime_message m;

		str_buf_printf(&header, "%s\r\n\r\n", slugs[i].header);
		scan_octets(str_buf_view(&header), 0, &mime_caps_default, &arena, &m);
		if (strcmp(m.slug, slugs[i].slug) != 0)
			fail_msg("%s: %s", slugs[i].name, m.slug);
		arena_fini(&arena);
		str_buf_fini(&header);
	}
}

static void a_long_slug_is_cut_at_a_character(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		struct str_buf header = {0};
		struct arena arena = {0};
		struct mime_message m;

		str_buf_printf(&header, "From: a@x\r\nSubject: %.*s", (int)shift, "xxxx");
		for (int i = 0; i < 100; i++)
			str_buf_puts(&header, "\xe4\xb8\xad");
		str_buf_puts(&header, "\r\n\r\n");
		scan_octets(str_buf_view(&header), 0, &mime_caps_default, &arena, &m);
		assert_null(check_message(&m));
		assert_true(strlen(m.slug) <= 120 && strlen(m.slug) > 116);
		arena_fini(&arena);
		str_buf_fini(&header);
	}
}

static void text_for_people_is_decoded_and_on_one_line(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct mime_message m;

	scan_octets(SV("From: =?iso-8859-1?q?J=F6rg?=\r\n <j@x>\r\nSubject: =?utf-8?q?a=00b=0Ac?=\r\n"
		       "Message-ID: <id@x> junk\r\n\r\n"),
	    0, &mime_caps_default, &arena, &m);
	assert_string_equal(m.from, "J\xc3\xb6rg <j@x>");
	assert_string_equal(m.subject, "ab c");
	assert_string_equal(m.message_id, "id@x");
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_list_is_told_as_it_stands),
		cmocka_unit_test(every_header_gives_its_envelope),
		cmocka_unit_test(every_date_is_read_or_refused),
		cmocka_unit_test(every_slug_is_a_safe_name),
		cmocka_unit_test(a_long_slug_is_cut_at_a_character),
		cmocka_unit_test(text_for_people_is_decoded_and_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

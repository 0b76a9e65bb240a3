/* BODYSTRUCTURE, BODY, and the parts themselves, for mail as it should be and as it comes. */
#include "check_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REST " NIL NIL NIL NIL)"
#define PLAIN(octets, lines)                                                                       \
	"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" " octets " " lines REST
#define MIXED " \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)"
#define NO_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
#define MP "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static const struct {
	const char *name;
	struct str_view message, told;
} cases[] = {
	{"nothing at all", SV(""), SV(PLAIN("0", "0"))},
	{"no header", SV("\r\nbody\r\n"), SV(PLAIN("6", "1"))},
	{"a body whose last line has no end", SV("A: b\r\n\r\none\r\ntwo"), SV(PLAIN("8", "1"))},
	{"a type in capitals with parameters",
	    SV("Content-Type: TEXT/HTML; CharSet=UTF-8; x=\"a \\\"b\"\r\n"
	       "Content-Transfer-Encoding: BASE64\r\n\r\n"),
	    SV("(\"text\" \"html\" (\"charset\" \"UTF-8\" \"x\" \"a \\\"b\") NIL NIL \"base64\" 0 0"
	       REST)},
	{"text without charset is told as US-ASCII, its parameters kept",
	    SV("Content-Type: text/x; format=flowed\r\n\r\n"),
	    SV("(\"text\" \"x\" (\"charset\" \"us-ascii\" \"format\" \"flowed\") NIL NIL \"7bit\" 0 0"
	       REST)},
	{"all extension fields",
	    SV("Content-Type: image/png\r\nContent-ID: <i@h>\r\nContent-Description: a\r\n b\r\n"
	       "Content-MD5: Q2h==\r\nContent-Disposition: INLINE; filename=x.png\r\n"
	       "Content-Language: en, de (x)\r\nContent-Location: http://h/\r\n a\r\n\r\nxy"),
	    SV("(\"image\" \"png\" NIL \"<i@h>\" \"a b\" \"7bit\" 2 \"Q2h==\" (\"inline\" "
	       "(\"filename\" \"x.png\")) (\"en\" \"de\") \"http://h/a\")")},
	{"one language", SV("Content-Type: a/b\r\nContent-Language: en\r\n\r\n"),
	    SV("(\"a\" \"b\" NIL NIL NIL \"7bit\" 0 NIL NIL \"en\" NIL)")},
	{"a type that makes no sense", SV("Content-Type: foo\r\n\r\nx"), SV(PLAIN("1", "0"))},
	{"an encoding nobody knows",
	    SV("Content-Type: a/b\r\nContent-Transfer-Encoding: X-uu (c)\r\n\r\n"),
	    SV("(\"a\" \"b\" NIL NIL NIL \"X-uu\" 0" REST)},
	{"a disposition nobody knows stays", SV("Content-Type: a/b\r\nContent-Disposition: Foo\r\n\r\n"),
	    SV("(\"a\" \"b\" NIL NIL NIL \"7bit\" 0 NIL (\"foo\" NIL) NIL NIL)")},
	{"two parts",
	    SV(MP "preamble\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: a/b\r\n\r\ntwo\r\n\r\n--b--\r\nepi"),
	    SV("(" PLAIN("3", "0") "(\"a\" \"b\" NIL NIL NIL \"7bit\" 5" REST MIXED)},
	{"blanks behind a boundary", SV(MP "--b \t\r\n\r\none\r\n--b--\t\r\n"),
	    SV("(" PLAIN("3", "0") MIXED)},
	{"a line that only begins like a boundary is text", SV(MP "--b\r\n\r\n--bc\r\n--b c\r\n--b--\r\n"),
	    SV("(" PLAIN("11", "1") MIXED)},
	{"what stands behind the end is no part", SV(MP "--b\r\n\r\n1\r\n--b--\r\n--b\r\n\r\n2\r\n"),
	    SV("(" PLAIN("1", "0") MIXED)},
	{"the end is missing", SV(MP "--b\r\n\r\none\r\n"), SV("(" PLAIN("5", "1") MIXED)},
	{"the end has no line end", SV(MP "--b\r\n\r\none\r\n--b--"), SV("(" PLAIN("3", "0") MIXED)},
	{"a part of nothing", SV(MP "--b\r\n--b\r\n\r\n--b--\r\n"),
	    SV("(" PLAIN("0", "0") PLAIN("0", "0") MIXED)},
	{"a part that ends within its header", SV(MP "--b\r\nContent-Type: a/b\r\n--b--\r\n"),
	    SV("((\"a\" \"b\" NIL NIL NIL \"7bit\" 0" REST MIXED)},
	{"a boundary is missing", SV("Content-Type: multipart/mixed\r\n\r\n--b\r\n"),
	    SV(PLAIN("5", "1"))},
	{"a boundary is empty", SV("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\nx"),
	    SV(PLAIN("1", "0"))},
	{"a boundary that never comes: all of it is one part", SV(MP "a\r\nb\r\n"),
	    SV("(" PLAIN("6", "2") MIXED)},
	{"a boundary in quotes, folded, in sections",
	    SV("Content-Type: multipart/mixed;\r\n boundary*0=\"a \";\r\n boundary*1=b\r\n\r\n--a b\r\n\r\n"
	       "1\r\n--a b--\r\n"),
	    SV("(" PLAIN("1", "0") " \"mixed\" (\"boundary\" \"a b\") NIL NIL NIL)")},
	{"multiparts within, the inner one not closed",
	    SV(MP "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\n1\r\n--b\r\n\r\n"
		  "2\r\n--b--\r\n"),
	    SV("((" PLAIN("1", "0") " \"alternative\" (\"boundary\" \"c\") NIL NIL NIL)"
	       PLAIN("1", "0") MIXED)},
	{"an outer boundary that begins an inner one",
	    SV(MP "--b\r\nContent-Type: multipart/x; boundary=b--c\r\n\r\n--b--c\r\n\r\n1\r\n--b--c--\r\n"
		  "--b\r\n\r\n2\r\n--b--\r\n"),
	    SV("((" PLAIN("1", "0") " \"x\" (\"boundary\" \"b--c\") NIL NIL NIL)" PLAIN("1", "0") MIXED)},
	{"the same boundary twice",
	    SV(MP "--b\r\n" MP "--b\r\n\r\n1\r\n--b--\r\n--b\r\n\r\n2\r\n--b--\r\n"),
	    SV("((" PLAIN("1", "0") MIXED PLAIN("1", "0") MIXED)},
	{"an enclosed message",
	    SV("Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n"),
	    SV("(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL "
	       "NIL) " PLAIN("3", "1") " 3" REST)},
	{"an enclosed message in a digest, by default",
	    SV("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: s\r\n\r\nx\r\n--b--\r\n"),
	    SV("((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 15 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL "
	       "NIL) " PLAIN("1", "0") " 2" REST " \"digest\" (\"boundary\" \"b\") NIL NIL NIL)")},
	{"an enclosed message that ends within its header",
	    SV(MP "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n--b--\r\n"),
	    SV("((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 10 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL "
	       "NIL) " PLAIN("0", "0") " 0" REST MIXED)},
	{"an enclosed message without even a header", SV("Content-Type: message/rfc822\r\n"),
	    SV("(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 0 " NO_ENVELOPE " " PLAIN("0", "0")
	       " 0" REST)},
	{"sections of a name are one", SV("Content-Type: a/b; name*1=\"2.\"; name*0=1; name*2=txt\r\n\r\n"),
	    SV("(\"a\" \"b\" (\"name\" \"12.txt\") NIL NIL \"7bit\" 0" REST)},
	{"sections of which one is encoded",
	    SV("Content-Type: a/b; n*0*=utf-8'en'%e2%82%ac; n*1=\" %\"; n*2*=%41\r\n\r\n"),
	    SV("(\"a\" \"b\" (\"n*\" \"utf-8'en'%e2%82%ac%20%25%41\") NIL NIL \"7bit\" 0" REST)},
	{"a section without its first", SV("Content-Type: a/b; n*1=x\r\n\r\n"),
	    SV("(\"a\" \"b\" (\"n*1\" \"x\") NIL NIL \"7bit\" 0" REST)},
	{"a file name with blanks and no quotes",
	    SV("Content-Type: a/b\r\nContent-Disposition: attachment; filename=my own.txt; size=3\r\n\r\n"),
	    SV("(\"a\" \"b\" NIL NIL NIL \"7bit\" 0 NIL (\"attachment\" (\"filename\" \"my own.txt\" "
	       "\"size\" \"3\")) NIL NIL)")},
	{"parameters without sense are passed over", SV("Content-Type: a/b; ; x; =y; z=1 2; w=\r\n\r\n"),
	    SV("(\"a\" \"b\" (\"z\" \"1\" \"w\" \"\") NIL NIL \"7bit\" 0" REST)},
	{"an 8-bit name is a literal", SV("Content-Type: a/b; name=\"\xe9\"\r\n\r\n"),
	    SV("(\"a\" \"b\" (\"name\" {1}\r\n\xe9) NIL NIL \"7bit\" 0" REST)},
};

static void every_message_has_its_bodystructure(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena arena = {0};
		struct mime_message m, sliced;

		scan_octets(cases[i].message, 0, &mime_caps_default, &arena, &m);
		if (!str_equal(m.bodystructure, cases[i].told))
			fail_msg("%s:\n  %.*s\nexpected\n  %.*s", cases[i].name,
			    (int)m.bodystructure.n, m.bodystructure.p, (int)cases[i].told.n,
			    cases[i].told.p);
		const char *why = check_message(&m);

		for (size_t n = 1; n < 40 && !why; n++) {
			scan_octets(cases[i].message, n, &mime_caps_default, &arena, &sliced);
			why = check_same(&m, &sliced);
		}
		if (why)
			fail_msg("%s: %s", cases[i].name, why);
		arena_fini(&arena);
	}
}

static const struct {
	const char *name;
	struct str_view bodystructure, body;
} bodies[] = {
	{"text", SV(PLAIN("3", "1")),
	    SV("(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1)")},
	{"parentheses in strings and literals",
	    SV("(\"a\" \"b\" (\"x\" \")(\\\"\" \"y\" {3}\r\n)()) NIL \"(\" \"7bit\" 0" REST),
	    SV("(\"a\" \"b\" (\"x\" \")(\\\"\" \"y\" {3}\r\n)()) NIL \"(\" \"7bit\" 0)")},
	{"multipart of multipart", SV("((" PLAIN("1", "0") MIXED PLAIN("2", "0") MIXED),
	    SV("(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0) \"mixed\")(\"text\" "
	       "\"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 2 0) \"mixed\")")},
	{"a message", SV("(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 " NO_ENVELOPE " "
		       PLAIN("3", "1") " 3" REST),
	    SV("(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 " NO_ENVELOPE
	       " (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1) 3)")},
#define DAMAGED SV("(\"application\" \"octet-stream\" NIL NIL NIL \"binary\" 0)")
	{"nothing", SV(""), DAMAGED},
	{"cut off", SV("(\"text\" \"plain\" NIL"), DAMAGED},
	{"a literal that lies", SV("(\"a\" {99999999999999999999}\r\nx"), DAMAGED},
	{"parentheses alone", SV("(((((((((("), DAMAGED},
	{"more behind the end", SV(PLAIN("3", "1") ")"), DAMAGED},
};

static void body_is_bodystructure_without_extensions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct str_buf out = {0};

		mime_body_from_bodystructure(bodies[i].bodystructure, &out);
		if (!str_equal(str_buf_view(&out), bodies[i].body))
			fail_msg("%s: %s", bodies[i].name, out.p);
		str_buf_fini(&out);
	}
}

/* What each part of one message holds. */
static void parts_lie_where_they_say(void **state)
{
	(void)state;
	static const char text[] =
	    "Subject: s\r\n" MP "pre\r\n--b\r\nContent-Type: text/plain; charset=\"ISO-8859-1\"\r\n\r\n"
	    "one\r\n\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment;\r\n"
	    " filename*=utf-8''%e2%82%ac.eml\r\n\r\nSubject: in\r\nContent-Transfer-Encoding: "
	    "quoted-printable\r\n\r\ntwo=\r\n\r\n--b--\r\n";
	static const struct {
		const char *number, *header, *body;
		enum mime_kind kind;
	} expect[] = {
		{"", NULL, NULL, MIME_MULTIPART},
		{"1", "Content-Type: text/plain; charset=\"ISO-8859-1\"\r\n\r\n", "one\r\n", MIME_TEXT},
		{"2", NULL,
		    "Subject: in\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ntwo=\r\n",
		    MIME_MESSAGE},
		{"2.1", "Subject: in\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
		    "two=\r\n", MIME_TEXT},
	};
	struct arena arena = {0};
	struct mime_message m;

	scan_octets(str_view(text, sizeof text - 1), 0, &mime_caps_default, &arena, &m);
	assert_null(check_message(&m));
	assert_int_equal(m.parts_n, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct mime_part *p = &m.parts[i];
		size_t found = 9;

		assert_true(mime_part_find(m.parts, m.parts_n,
		    str_view(expect[i].number, strlen(expect[i].number)), &found));
		assert_int_equal(found, i);
		assert_int_equal(p->kind, expect[i].kind);
		if (expect[i].header) {
			assert_int_equal(p->header_n, strlen(expect[i].header));
			assert_memory_equal(text + p->header_at, expect[i].header, p->header_n);
		}
		if (expect[i].body) {
			assert_int_equal(p->body_n, strlen(expect[i].body));
			assert_memory_equal(text + p->body_at, expect[i].body, p->body_n);
		}
	}
	assert_string_equal(m.parts[1].charset, "iso-8859-1");
	assert_string_equal(m.parts[2].name, "\xe2\x82\xac.eml");
	assert_string_equal(m.parts[2].disposition, "attachment");
	assert_int_equal(m.parts[3].encoding, MIME_QUOTED_PRINTABLE);
	arena_fini(&arena);
}

/* RFC 9051 6.4.5.1 */
static const struct {
	const char *name, *message, *number;
	int index; /* -1: there is no such part */
} numbers[] = {
	{"the message", "\r\nx", "", 0},
	{"its text", "\r\nx", "1", 0},
	{"there is no second", "\r\nx", "2", -1},
	{"nor one below the text", "\r\nx", "1.1", -1},
	{"0 is no number", "\r\nx", "0", -1},
	{"a dot at the end", "\r\nx", "1.", -1},
	{"two dots", MP "--b\r\n\r\nx\r\n--b--", "1..1", -1},
	{"no number", "\r\nx", "x", -1},
	{"a number past all bounds", "\r\nx", "99999999999999999999999", -1},
	{"a part", MP "--b\r\n\r\nx\r\n--b\r\n\r\n", "2", 2},
	{"no part behind the last", MP "--b\r\n\r\nx\r\n--b\r\n\r\n", "3", -1},
	{"a message that is a message", "Content-Type: message/rfc822\r\n\r\n\r\nx", "1", 0},
	{"its text", "Content-Type: message/rfc822\r\n\r\n\r\nx", "1.1", 1},
	{"its text has no more", "Content-Type: message/rfc822\r\n\r\n\r\nx", "1.1.1", -1},
	{"parts of an enclosed multipart",
	    MP "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/x; boundary=c\r\n\r\n"
	       "--c\r\n\r\n1\r\n--c\r\n\r\n2\r\n--c--\r\n--b--\r\n",
	    "1.2", 4},
	{"a message within a message within",
	    MP "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n\r\nx", "1.1.1",
	    3},
};

static void every_section_number_finds_its_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct arena arena = {0};
		struct mime_message m;
		size_t index = 77;

		scan_octets(str_view(numbers[i].message, strlen(numbers[i].message)), 0,
		    &mime_caps_default, &arena, &m);
		assert_null(check_message(&m));
		bool found = mime_part_find(m.parts, m.parts_n,
		    str_view(numbers[i].number, strlen(numbers[i].number)), &index);

		if (found != (numbers[i].index >= 0) || (found && (int)index != numbers[i].index))
			fail_msg("%s: \"%s\" found %d %zu", numbers[i].name, numbers[i].number, found,
			    index);
		arena_fini(&arena);
	}
}

/* Any damage is refused or harmless: every octet changed, every length cut. */
static void damaged_packed_parts_are_refused(void **state)
{
	(void)state;
	static const char text[] =
	    MP "--b\r\nContent-Type: a/b; name=n\r\nContent-Disposition: inline\r\n\r\nx\r\n--b\r\n"
	       "Content-Type: message/rfc822\r\n\r\n\r\ny\r\n--b--\r\n";
	struct arena arena = {0};
	struct mime_message m;
	struct mime_part *parts;
	struct str_buf blob = {0};
	struct err e;
	size_t n;

	scan_octets(str_view(text, sizeof text - 1), 0, &mime_caps_default, &arena, &m);
	mime_parts_pack(&m, &blob);
	for (size_t cut = 0; cut < blob.n; cut++) {
		e.code = ERR_NONE;
		assert_int_equal(
		    mime_parts_unpack(str_view(blob.p, cut), &arena, &parts, &n, &e), -1);
		assert_int_equal(e.code, ERR_CORRUPT);
	}
	for (size_t at = 0; at < blob.n; at++)
		for (unsigned x = 1; x < 256; x++) {
			struct arena one = {0};

			blob.p[at] = (char)((unsigned char)blob.p[at] ^ x);
			if (mime_parts_unpack(str_buf_view(&blob), &one, &parts, &n, &e) == 0)
				for (size_t i = 1; i < n; i++)
					assert_true(parts[i].parent < i);
			arena_fini(&one);
			blob.p[at] = (char)((unsigned char)blob.p[at] ^ x);
		}
	assert_int_equal(mime_parts_unpack(str_buf_view(&blob), &arena, &parts, &n, &e), 0);
	str_buf_fini(&blob);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_has_its_bodystructure),
		cmocka_unit_test(body_is_bodystructure_without_extensions),
		cmocka_unit_test(parts_lie_where_they_say),
		cmocka_unit_test(every_section_number_finds_its_part),
		cmocka_unit_test(damaged_packed_parts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* mime/downgrade: each kind of field, the line's length, and what must come out whatever goes in. */
#include "mime/downgrade.h"
#include "mime/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *header, const char *told)
{
	struct str_buf out = {0};

	mime_header_downgrade(str_view(header, strlen(header)), &out);
	assert_string_equal(out.p, told);
	str_buf_fini(&out);
}

static void a_header_without_utf8_is_not_touched(void **state)
{
	static const char *const headers[] = {
	    "Subject: plain\r\n folded\r\n\r\n",
	    "Subject: Gr\xfc\xdf" "e of long ago\r\nno field\r\n\r\n",
	    "n\xc3\xb6 field\r\nSubject: x\r\n\r\n",
	    "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct str_view header = str_view(headers[i], strlen(headers[i]));
		struct str_buf out = {0};

		assert_false(mime_header_is_utf8(header));
		mime_header_downgrade(header, &out);
		assert_true(str_equal(str_buf_view(&out), header));
		str_buf_fini(&out);
	}
	assert_true(mime_header_is_utf8(SV("To: x\r\nSubject: \xc3\xb6\r\n\r\n")));
}

static void text_becomes_encoded_words_where_it_has_to(void **state)
{
	(void)state;
	expect("Subject: two Gr\xc3\xbc\xc3\x9f" "e \xc3\xb6 more\r\nTo: a@b\r\n\r\n",
	    "Subject: two =?UTF-8?B?R3LDvMOfZSDDtg==?= more\r\nTo: a@b\r\n\r\n");
	expect("Subject: =?utf-8?q?=C3=B6?= \xc3\xb6\r\n", "Subject: =?UTF-8?B?w7Ygw7Y=?=\r\n");
	expect("X-Any: \xc3\xb6\r\n\tb\r\n", "X-Any: =?UTF-8?B?w7Y=?= b\r\n");
	/* what an encoded word hides is no line of the header */
	expect("Subject: \xc3\xb6 a =?utf-8?q?b=0D=0AEvil:_x?=\r\n",
	    "Subject: =?UTF-8?B?w7Y=?= a =?UTF-8?B?Yg0KRXZpbDo=?= x\r\n");
}

static void addresses_stay_what_can_be_answered_to(void **state)
{
	(void)state;
	expect("From: J\xc3\xb6rg <j@b\xc3\xbc" "cher.example>, Ann <ann@example.org>\r\n",
	    "From: =?UTF-8?B?SsO2cmc=?= <j@xn--bcher-kva.example>, \"Ann\"\r\n <ann@example.org>\r\n");
	expect("To: j@M\xc3\x9cLLER.example.\r\n", "To: <j@xn--mller-kva.example>\r\n");
	expect("Cc: j@b\xc3\xbc" "cher.example (J\xc3\xb6rg)\r\n",
	    "Cc: =?UTF-8?B?SsO2cmc=?= <j@xn--bcher-kva.example>\r\n");
	expect("To: \"a b\"@\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88\r\n",
	    "To: <\"a b\"@xn--r8jz45g.xn--zckzah>\r\n");
}

static void an_address_that_cannot_be_said_is_shown(void **state)
{
	(void)state;
	expect("From: J\xc3\xb6rg <j\xc3\xb6rg@example.org>\r\n",
	    "From: =?UTF-8?B?SsO2cmcgPGrDtnJnQGV4YW1wbGUub3JnPg==?= :;\r\n");
	expect("To: Team: a@b.example, j\xc3\xb6@b.example;, c@d.example\r\n",
	    "To: \"Team\": <a@b.example>, =?UTF-8?B?PGrDtkBiLmV4YW1wbGU+?=\r\n <invalid@internationalized.invalid>;, <c@d.example>\r\n");
	expect("Cc: \xc3\xb6:;\r\n", "Cc: =?UTF-8?B?w7Y=?=:;\r\n");
}

static void parameters_say_their_charset(void **state)
{
	(void)state;
	expect("Content-Disposition: attachment; filename=\"Gr\xc3\xbc\xc3\x9f" "e.txt\"; size=3\r\n",
	    "Content-Disposition: attachment;\r\n\tfilename*=UTF-8''Gr%C3%BC%C3%9Fe.txt;\r\n\tsize=\"3\"\r\n");
	expect("Content-Type: text/plain; name=\"a long name with a \xc3\xb6 in it\"\r\n",
	    "Content-Type: text/plain;\r\n\tname*0*=UTF-8''a%20long%20name%20with%20a%20;\r\n\tname*1*=%C3%B6%20in%20it\r\n");
	expect("Content-Type: t\xc3\xb6xt/plain\r\n", "Downgraded-Content-Type: =?UTF-8?B?dMO2eHQvcGxhaW4=?=\r\n");
}

static void what_is_for_programs_is_kept_for_people(void **state)
{
	(void)state;
	expect("Message-ID: <\xc3\xb6@example.org>\r\n", "Downgraded-Message-ID: =?UTF-8?B?PMO2QGV4YW1wbGUub3JnPg==?=\r\n");
	expect("Received: from a by b\r\n\tfor <j\xc3\xb6@example.org>; Mon, 3 Mar 2025 10:01:00 +0000\r\n",
	    "Received: from a by b; Mon, 3 Mar 2025 10:01:00 +0000\r\n");
	expect("Received: from \xc3\xb6 by b for <a@b>; x\r\n",
	    "Downgraded-Received: from =?UTF-8?B?w7Y=?= by b for <a@b>; x\r\n");
}

/* What is told of any text: lines of at most 76 octets, in ASCII, that decode to the text. */
static void long_text_is_folded_and_comes_back(void **state)
{
	static const char *const pieces[] = {"\xc3\xb6", "x", " ", "\xe2\x82\xac", "word", "\xf0\x9f\x98\x80"};
	struct str_buf header = {0}, out = {0}, back = {0};
	struct str_view value;
	unsigned seed = 1;

	(void)state;
	for (size_t n = 1; n < 400; n++) {
		str_buf_clear(&header);
		str_buf_clear(&out);
		str_buf_clear(&back);
		str_buf_puts(&header, "Subject: \xc3\xb6");
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245u + 12345u;
			const char *piece = pieces[(seed >> 16) % 6];

			if (*piece != ' ' || header.p[header.n - 1] != ' ')
				str_buf_puts(&header, piece);
		}
		str_buf_puts(&header, "\xc3\xb6\r\n");
		mime_header_downgrade(str_buf_view(&header), &out);
		assert_int_equal(mime_ascii_n(str_buf_view(&out)), out.n);
		assert_true(mime_header_find(str_buf_view(&out), SV("Subject"), 0, &value));
		mime_header_value(value, &back);
		assert_true(str_equal(str_buf_view(&back), str_view(header.p + 9, header.n - 11)));
		for (const char *p = out.p, *lf; (lf = strchr(p, '\n')); p = lf + 1)
			assert_true(lf - p <= 77);
	}
	str_buf_fini(&header);
	str_buf_fini(&out);
	str_buf_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_header_without_utf8_is_not_touched),
	    cmocka_unit_test(text_becomes_encoded_words_where_it_has_to),
	    cmocka_unit_test(addresses_stay_what_can_be_answered_to),
	    cmocka_unit_test(an_address_that_cannot_be_said_is_shown),
	    cmocka_unit_test(parameters_say_their_charset),
	    cmocka_unit_test(what_is_for_programs_is_kept_for_people),
	    cmocka_unit_test(long_text_is_folded_and_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Transfer encodings, charsets, encoded words, folding, header fields. */
#include "check_message.h"

#include "mime/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include <cmocka.h>

static void expect(const char *name, struct str_buf *got, struct str_view want)
{
	if (!str_equal(str_buf_view(got), want))
		fail_msg("%s: \"%s\" and not \"%.*s\"", name, got->p ? got->p : "", (int)want.n,
		    want.p);
	str_buf_fini(got);
}

static const struct {
	const char *name;
	enum mime_encoding encoding;
	struct str_view in, out;
} encodings[] = {
	{"base64", MIME_BASE64, SV("AAEC\r\nAw==\r\n"), SV("\0\1\2\3")},
	{"base64 in odd lines", MIME_BASE64, SV("AA\r\nE\r\nC"), SV("\0\1\2")},
	{"base64 with other octets between", MIME_BASE64, SV("A!A E\tC\xff"), SV("\0\1\2")},
	{"base64 cut off after two", MIME_BASE64, SV("AAECAw"), SV("\0\1\2\3")},
	{"base64 cut off after one", MIME_BASE64, SV("AAECA"), SV("\0\1\2")},
	{"base64 that goes on behind its padding", MIME_BASE64, SV("QQ==QQ=="), SV("AA")},
	{"base64 with too much padding", MIME_BASE64, SV("QQ======"), SV("A")},
	{"base64 of nothing", MIME_BASE64, SV("===="), SV("")},
	{"quoted-printable", MIME_QUOTED_PRINTABLE, SV("a=3D=c3=A9\r\nb"), SV("a=\xc3\xa9\r\nb")},
	{"a soft line break", MIME_QUOTED_PRINTABLE, SV("a=\r\nb=\nc= \t\r\nd"), SV("abcd")},
	{"blanks at the end of a line go", MIME_QUOTED_PRINTABLE, SV("a b \t\r\n c =20\r\n \nd "),
	    SV("a b\r\n c  \r\n\nd")},
	{"what is no escape stays", MIME_QUOTED_PRINTABLE, SV("=x =1g == =\rq =E"),
	    SV("=x =1g == =\rq =E")},
	{"an equals sign at the end", MIME_QUOTED_PRINTABLE, SV("a="), SV("a")},
	{"a CR alone", MIME_QUOTED_PRINTABLE, SV("a\rb \rc\r\r\n"), SV("a\rb \rc\r\r\n")},
	{"8bit", MIME_8BIT, SV("=\0\xff "), SV("=\0\xff ")},
	{"one that nobody knows", MIME_OTHER, SV("=41"), SV("=41")},
};

static void every_encoding_is_decoded_in_any_slices(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
		struct mime_decoder *d = mime_decoder_new(encodings[i].encoding);
		struct str_buf out = {0};

		mime_decoder_feed(d, encodings[i].in.p, encodings[i].in.n, &out);
		mime_decoder_finish(&d, &out);
		assert_null(d);
		expect(encodings[i].name, &out, encodings[i].out);
		const char *why = check_decoders(encodings[i].in);

		if (why)
			fail_msg("%s: %s", encodings[i].name, why);
	}
}

static void endless_blanks_are_not_held(void **state)
{
	(void)state;
	struct mime_decoder *d = mime_decoder_new(MIME_QUOTED_PRINTABLE);
	struct str_buf out = {0};

	for (int i = 0; i < 3000; i++)
		mime_decoder_feed(d, " ", 1, &out);
	mime_decoder_feed(d, "x", 1, &out);
	mime_decoder_finish(&d, &out);
	assert_int_equal(out.n, 3001);
	str_buf_fini(&out);
}

static const struct {
	const char *charset;
	struct str_view in, out;
} charsets[] = {
	{"utf-8", SV("\xc3\xa9"), SV("\xc3\xa9")},
	{"UTF-8", SV("a\xff" "b\xe2\x82"), SV("a\xef\xbf\xbd" "b\xef\xbf\xbd")},
	{"us-ascii", SV("abc"), SV("abc")},
	{"us-ascii", SV("\xe9"), SV("\xc3\xa9")},
	{"iso-8859-1", SV("\xe9\x80"), SV("\xc3\xa9\xc2\x80")},
	{"ISO-8859-15", SV("\xa4"), SV("\xe2\x82\xac")},
	{"windows-1252", SV("\x80\x81" "a"), SV("\xe2\x82\xac\xef\xbf\xbd" "a")},
	{"koi8-r", SV("\xc1"), SV("\xd0\xb0")},
	{"gb2312", SV("\xd6\xd0"), SV("\xe4\xb8\xad")},
	{"big5", SV("\xa4\xa4"), SV("\xe4\xb8\xad")},
	{"shift_jis", SV("\x93\xfa"), SV("\xe6\x97\xa5")},
	{"iso-2022-jp", SV("\033$BF|\033(B!"), SV("\xe6\x97\xa5!")},
	{"euc-kr", SV("\xc7\xd1"), SV("\xed\x95\x9c")},
	{"utf-16", SV("\xff\xfe" "a\0"), SV("a")},
	{"utf-7", SV("+AOk-"), SV("\xc3\xa9")},
	{"", SV("\xc3\xa9"), SV("\xc3\xa9")},
	{"", SV("\xe9"), SV("\xc3\xa9")},
	{"x-nobody-knows", SV("\xe9"), SV("\xc3\xa9")},
	{"utf-8//IGNORE", SV("\xe9"), SV("\xc3\xa9")},
	{"iso-2022-cn-ext", SV("a"), SV("a")},
	{"a-name-far-longer-than-any-charset-ever-had-one", SV("a"), SV("a")},
};

static void every_charset_becomes_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
		struct str_buf out = {0};

		mime_to_utf8(charsets[i].charset, charsets[i].in, &out);
		expect(charsets[i].charset, &out, charsets[i].out);
	}
}

static void only_charsets_of_mail_are_known(void **state)
{
	(void)state;
	assert_true(mime_charset_known("UTF-8"));
	assert_true(mime_charset_known("us-ascii"));
	assert_true(mime_charset_known("Windows-1251"));
	assert_false(mime_charset_known(""));
	assert_false(mime_charset_known("utf-8//TRANSLIT"));
	assert_false(mime_charset_known("iso-2022-cn-ext"));
	assert_false(mime_charset_known("nonesuch"));
}

/* RFC 2047 8, and what is written instead. */
static const struct {
	const char *name;
	struct str_view in, out;
} words[] = {
	{"plain", SV("a b"), SV("a b")},
	{"one word", SV("=?ISO-8859-1?Q?a?="), SV("a")},
	{"a word and text", SV("=?ISO-8859-1?Q?a?= b"), SV("a b")},
	{"blanks between words go", SV("=?ISO-8859-1?Q?a?=  \r\n =?ISO-8859-1?Q?b?="), SV("ab")},
	{"a blank that is encoded stays", SV("=?ISO-8859-1?Q?a_b=20?="), SV("a b ")},
	{"two charsets", SV("=?ISO-8859-1?Q?=E9?= =?ISO-8859-15?Q?=A4?="), SV("\xc3\xa9\xe2\x82\xac")},
	{"base64", SV("=?utf-8?B?w6k=?="), SV("\xc3\xa9")},
	{"a character in two words", SV("=?utf-8?b?w6nD?= =?utf-8?q?=A9?="), SV("\xc3\xa9\xc3\xa9")},
	{"a language", SV("=?utf-8*en?q?a?="), SV("a")},
	{"no blank around", SV("x=?utf-8?q?a?=y"), SV("xay")},
	{"blanks within", SV("=?utf-8?q?a b?="), SV("a b")},
	{"empty", SV("a =?utf-8?q?" "?= b"), SV("a  b")},
	{"8-bit beside", SV("\xe9 =?utf-8?q?a?="), SV("\xc3\xa9 a")},
	{"not closed", SV("=?utf-8?q?abc"), SV("=?utf-8?q?abc")},
	{"no such encoding", SV("=?utf-8?x?abc?="), SV("=?utf-8?x?abc?=")},
	{"no charset", SV("=?" "?q?abc?="), SV("=?" "?q?abc?=")},
	{"a charset nobody knows", SV("=?foo?q?=41=e9?="), SV("A\xc3\xa9")},
	{"cut short everywhere", SV("= =? =?u =?u? =?u?q =?u?q? =?u?q?" "?"),
	    SV("= =? =?u =?u? =?u?q =?u?q? =?u?q?" "?")},
	{"bad hex", SV("=?utf-8?q?=4=zz=?="), SV("=4=zz=")},
};

static void every_encoded_word_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct str_buf out = {0};

		mime_header_decode(words[i].in, &out);
		expect(words[i].name, &out, words[i].out);
	}
}

static const struct {
	const char *name, *in, *out;
} folds[] = {
	{"ASCII", "Hello, WORLD 12", "hello, world 12"},
	{"sharp s", "Stra\xc3\x9f" "e STRASSE", "strasse strasse"},
	{"accents, composed and not", "\xc3\x89 E\xcc\x81", "e\xcc\x81 e\xcc\x81"},
	{"sigma", "\xce\xa3\xcf\x82\xcf\x83", "\xcf\x83\xcf\x83\xcf\x83"},
	{"Cyrillic", "\xd0\x96", "\xd0\xb6"},
	{"full width", "\xef\xbc\xa1\xef\xbd\x81", "aa"},
	{"ligature", "\xef\xac\x81", "fi"},
	{"case that only NFKD brings to light", "\xe2\x84\x83", "\xc2\xb0" "c"},
	{"CJK", "\xe4\xb8\xad", "\xe4\xb8\xad"},
	{"no UTF-8", "A\xff", "a\xef\xbf\xbd"},
};

static void text_that_means_the_same_folds_to_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
		struct str_buf out = {0}, again = {0};

		mime_fold(str_view(folds[i].in, strlen(folds[i].in)), &out);
		mime_fold(str_buf_view(&out), &again);
		if (!str_equal(str_buf_view(&out), str_buf_view(&again)))
			fail_msg("%s: folding is not stable", folds[i].name);
		str_buf_fini(&again);
		expect(folds[i].name, &out, str_view(folds[i].out, strlen(folds[i].out)));
	}
}

/* Two passes of the library over the whole text. */
static bool folds_as_the_library_says(struct str_view s)
{
	struct str_buf out = {0};
	size_t n = 0, n2 = 0;
	uint8_t *once = u8_casefold((const uint8_t *)s.p, s.n, NULL, UNINORM_NFKD, NULL, &n);
	uint8_t *twice = u8_casefold(once, n, NULL, UNINORM_NFKD, NULL, &n2);

	mime_fold(s, &out);
	bool same = str_equal(str_buf_view(&out), str_view((const char *)twice, n2));

	str_buf_fini(&out);
	free(once);
	free(twice);
	return same;
}

static void short_ways_of_folding_are_exact(void **state)
{
	(void)state;
	/* marks of several classes, what decomposes into them, Hangul, a ligature, letters */
	static const ucs4_t alphabet[] = {'a', 'Z', 0xc9, 0x301, 0x323, 0x345, 0x1ec7, 0x390, 0x5d0, 0x5b8,
		0x64b, 0x651, 0xac01, 0x1100, 0x1161, 0xfb03, 0x3a3, 0x4e2d, 0x1d400, 0x1f600, 0xfdfa, 0x130};
	unsigned seed = 5;
	uint8_t text[200];

	for (ucs4_t uc = 1; uc < 0x30000; uc++) {
		int n = u8_uctomb(text, uc, sizeof text);

		if (n > 0 && !folds_as_the_library_says(str_view((const char *)text, (size_t)n)))
			fail_msg("U+%04X", uc);
	}
	for (int round = 0; round < 20000; round++) {
		size_t n = 0;

		for (int i = 0; i < 2 + round % 20; i++) {
			seed = seed * 1103515245u + 12345u;
			ucs4_t uc = alphabet[(seed >> 16) % (sizeof alphabet / sizeof alphabet[0])];

			n += (size_t)u8_uctomb(text + n, uc, (ptrdiff_t)(sizeof text - n));
		}
		if (!folds_as_the_library_says(str_view((const char *)text, n)))
			fail_msg("round %d: %.*s", round, (int)n, text);
	}
}

static void nfc_composes_and_refuses_what_is_no_utf8(void **state)
{
	(void)state;
	struct str_buf out = {0};

	assert_true(mime_nfc(SV("ae\xcc\x81"), &out));
	assert_string_equal(out.p, "a\xc3\xa9");
	str_buf_clear(&out);
	assert_false(mime_nfc(SV("\xff"), &out));
	assert_false(mime_nfc(SV("\xed\xa0\x80"), &out));
	assert_int_equal(out.n, 0);
	assert_true(mime_utf8_valid(SV("")));
	assert_false(mime_utf8_valid(SV("aaaaaaaaaaaaaaa\xc0\x80")));
	str_buf_fini(&out);
}

static void header_fields_are_found_by_name_and_place(void **state)
{
	(void)state;
	static const char header[] =
	    "From mbox\r\nReceived: one\r\nSubject:a\r\n b\r\nreceived : two \r\nX:\r\n\r\nReceived: no\r\n";
	struct str_view h = str_view(header, sizeof header - 1), value;
	struct str_buf out = {0};

	assert_true(mime_header_find(h, SV("RECEIVED"), 0, &value));
	assert_true(str_equal(value, SV("one")));
	assert_true(mime_header_find(h, SV("Received"), 1, &value));
	assert_true(str_equal(value, SV("two")));
	assert_false(mime_header_find(h, SV("Received"), 2, &value));
	assert_true(mime_header_find(h, SV("x"), 0, &value));
	assert_int_equal(value.n, 0);
	assert_true(mime_header_find(h, SV("subject"), 0, &value));
	assert_true(str_equal(value, SV("a\r\n b")));
	mime_header_unfold(value, &out);
	assert_string_equal(out.p, "a b");
	assert_false(mime_header_find(SV(""), SV("x"), 0, &value));
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_encoding_is_decoded_in_any_slices),
		cmocka_unit_test(endless_blanks_are_not_held),
		cmocka_unit_test(every_charset_becomes_utf8),
		cmocka_unit_test(only_charsets_of_mail_are_known),
		cmocka_unit_test(every_encoded_word_is_decoded),
		cmocka_unit_test(text_that_means_the_same_folds_to_the_same),
		cmocka_unit_test(short_ways_of_folding_are_exact),
		cmocka_unit_test(nfc_composes_and_refuses_what_is_no_utf8),
		cmocka_unit_test(header_fields_are_found_by_name_and_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * mime/charset.c - charsets to UTF-8.  iconv is asked only for charsets that mail is written
 * in: a peer names the charset, and the converters of a C library are many, old and little
 * used.
 */
#include "mime/decode.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <unistr.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Charsets that iconv knows by the name mail uses.  A '*' stands for digits, letters, '-' and
 * '_'. */
static const char *const charsets[] = {
    "utf-16",
    "utf-16be",
    "utf-16le",
    "utf-32",
    "utf-32be",
    "utf-32le",
    "utf-7",
    "iso-8859-*",
    "iso8859-*",
    "iso_8859-*",
    "latin*",
    "l1",
    "l2",
    "windows-125*",
    "windows-874",
    "windows-936",
    "windows-31j",
    "cp125*",
    "cp437",
    "cp737",
    "cp775",
    "cp85*",
    "cp86*",
    "cp874",
    "cp932",
    "cp936",
    "cp949",
    "cp950",
    "ibm437",
    "ibm85*",
    "ibm866",
    "koi8-*",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "big5-hkscs",
    "big5hkscs",
    "euc-jp",
    "euc-kr",
    "euc-cn",
    "euc-tw",
    "shift_jis",
    "shift-jis",
    "sjis",
    "ms_kanji",
    "iso-2022-jp",
    "iso-2022-jp-*",
    "iso-2022-kr",
    "ks_c_5601-1987",
    "ksc5601",
    "uhc",
    "johab",
    "tis-620",
    "viscii",
    "tcvn*",
    "macintosh",
    "mac*",
    "hp-roman8",
    "armscii-8",
    "georgian-*",
    "pt154",
    "rk1048",
};

/* Names that mail uses and iconv does not. */
static const struct {
	const char *mail, *iconv;
} aliases[] = {
    {"windows-874", "cp874"},
    {"windows-936", "cp936"},
    {"windows-31j", "cp932"},
    {"iso-8859-8-i", "iso-8859-8"},
    {"iso-8859-8-e", "iso-8859-8"},
    {"cp-850", "cp850"},
    {"x-sjis", "cp932"},
    {"x-gbk", "gbk"},
    {"x-euc-jp", "euc-jp"},
    {"x-mac-roman", "macintosh"},
    {"x-big5", "big5"},
    {"ks_c_5601", "uhc"},
    {"ks_c_5601-1987", "uhc"},
    {"utf16", "utf-16"},
    {"unicode-1-1-utf-7", "utf-7"},
    {"gb_2312-80", "gb2312"},
    {"x-unknown-cp1252", "cp1252"},
};

static bool matches(const char *pattern, const char *name)
{
	size_t n = strcspn(pattern, "*");

	if (strncmp(pattern, name, n) != 0)
		return false;
	if (pattern[n] == '\0')
		return name[n] == '\0';
	return name[n] != '\0' &&
	       strspn(name + n, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name + n);
}

enum {
	CHARSET_NAME_MAX = 40
};

/* The name for iconv_open, or NULL. */
static const char *iconv_name(const char *charset, char lower[CHARSET_NAME_MAX])
{
	size_t n = strlen(charset);

	if (n >= CHARSET_NAME_MAX)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		lower[i] = charset[i] >= 'A' && charset[i] <= 'Z' ? (char)(charset[i] + 32)
								  : charset[i];
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (strcmp(aliases[i].mail, lower) == 0)
			return aliases[i].iconv;
	for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++)
		if (matches(charsets[i], lower))
			return lower;
	return NULL;
}

static bool is_one_of(const char *charset, const char *const *names)
{
	for (; *names; names++)
		if (str_equal_nocase(
			str_view(charset, strlen(charset)), str_view(*names, strlen(*names))))
			return true;
	return false;
}

static const char *const utf8_names[] = {"utf-8", "utf8", "unicode-1-1-utf-8", NULL};
/* 8-bit under this name is a mislabel; it is read as if nothing had been said. */
static const char *const ascii_names[] = {"us-ascii", "ascii", "ansi_x3.4-1968", NULL};
static const char *const latin1_names[] = {
    "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", NULL};

static size_t ascii_run(struct str_view s)
{
	size_t n = 0;
	uint64_t eight;

	for (; n + 8 <= s.n; n += 8) {
		memcpy(&eight, s.p + n, 8);
		if (eight & 0x8080808080808080u)
			break;
	}
	while (n < s.n && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

bool mime_utf8_valid(struct str_view s)
{
	size_t n = ascii_run(s);

	return n == s.n || u8_check((const uint8_t *)s.p + n, s.n - n) == NULL;
}

/* What is not UTF-8 becomes U+FFFD, one for each maximal part that began well (Unicode 3.9). */
static void repair_utf8(struct str_view in, struct str_buf *out)
{
	const uint8_t *p = (const uint8_t *)in.p, *end = p + in.n;

	if (mime_utf8_valid(in)) {
		str_buf_put(out, in.p, in.n);
		return;
	}
	while (p < end) {
		const uint8_t *bad = u8_check(p, (size_t)(end - p));

		str_buf_put(out, p, (size_t)((bad ? bad : end) - p));
		if (!bad)
			break;
		ucs4_t uc;
		int n = u8_mbtouc(&uc, bad, (size_t)(end - bad));

		str_buf_puts(out, REPLACEMENT);
		p = bad + (n > 0 ? n : 1);
	}
}

static void latin1_to_utf8(struct str_view in, struct str_buf *out)
{
	char *begin = str_buf_room(out, in.n * 2), *to = begin;

	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (c >= 0x80) {
			*to++ = (char)(0xc0 | c >> 6);
			c = 0x80 | (c & 0x3f);
		}
		*to++ = (char)c;
	}
	out->n += (size_t)(to - begin);
	out->p[out->n] = '\0';
}

static void convert(iconv_t cd, struct str_view in, struct str_buf *out)
{
	char *from = (char *)(uintptr_t)in.p; /* iconv's prototype lacks const */
	size_t left = in.n;
	bool flushed = false;

	while (!flushed) {
		size_t room = left * 2 + 64;
		char *to = str_buf_room(out, room), *t = to;
		size_t r = left ? iconv(cd, &from, &left, &t, &room)
				: iconv(cd, NULL, NULL, &t, &room);
		int error = errno;

		flushed = left == 0 && r != (size_t)-1 && from == in.p + in.n && room > 0;
		out->n += (size_t)(t - to);
		out->p[out->n] = '\0';
		if (r != (size_t)-1 || error == E2BIG)
			continue;
		str_buf_puts(out, REPLACEMENT);
		if (error != EILSEQ || left == 0)
			break; /* EINVAL: the last character is cut off */
		from++, left--;
	}
}

/* What nobody said, or nobody knows. */
static void guess(struct str_view in, struct str_buf *out)
{
	if (mime_utf8_valid(in))
		str_buf_put(out, in.p, in.n);
	else
		latin1_to_utf8(in, out);
}

void mime_to_utf8(const char *charset, struct str_view in, struct str_buf *out)
{
	char lower[CHARSET_NAME_MAX];
	const char *name;
	iconv_t cd;

	if (!*charset || is_one_of(charset, ascii_names)) {
		guess(in, out);
	} else if (is_one_of(charset, utf8_names)) {
		repair_utf8(in, out);
	} else if (is_one_of(charset, latin1_names)) {
		latin1_to_utf8(in, out);
	} else if ((name = iconv_name(charset, lower)) &&
		   (cd = iconv_open("UTF-8", name)) != (iconv_t)-1) {
		convert(cd, in, out);
		iconv_close(cd);
	} else {
		guess(in, out);
	}
}

bool mime_charset_known(const char *charset)
{
	char lower[CHARSET_NAME_MAX];
	const char *name;
	iconv_t cd;

	if (is_one_of(charset, utf8_names) || is_one_of(charset, ascii_names) ||
	    is_one_of(charset, latin1_names))
		return true;
	name = iconv_name(charset, lower);
	if (!name || (cd = iconv_open("UTF-8", name)) == (iconv_t)-1)
		return false;
	iconv_close(cd);
	return true;
}

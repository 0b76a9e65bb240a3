/*
 * mime/charset.c - charsets to UTF-8, by iconv.  What iconv is asked for is a name a peer wrote, so only
 * names of plain characters go there, and none of those that stand for this machine's own memory.
 */
#include "mime/decode.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <unistr.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* How a C library keeps characters in memory: no charset of mail (RFC 2978 2.1), and another on the next
 * machine. */
static const char *const not_charsets[] = {"char", "internal", "wchar_t", NULL};

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

enum {
	CHARSET_NAME_MAX = 40
};

static bool is_one_of(const char *charset, const char *const *names)
{
	for (; *names; names++)
		if (str_equal_nocase(
			str_view(charset, strlen(charset)), str_view(*names, strlen(*names))))
			return true;
	return false;
}

/* The name for iconv_open, or NULL.  A '/' would be iconv's own syntax. */
static const char *iconv_name(const char *charset, char lower[CHARSET_NAME_MAX])
{
	size_t n = strlen(charset);

	if (n == 0 || n >= CHARSET_NAME_MAX || is_one_of(charset, not_charsets))
		return NULL;
	for (size_t i = 0; i <= n; i++)
		lower[i] = charset[i] >= 'A' && charset[i] <= 'Z' ? (char)(charset[i] + 32)
								  : charset[i];
	if (strspn(lower, "abcdefghijklmnopqrstuvwxyz0123456789-_.:+()") != n)
		return NULL;
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (strcmp(aliases[i].mail, lower) == 0)
			return aliases[i].iconv;
	return lower;
}

static const char *const utf8_names[] = {"utf-8", "utf8", "unicode-1-1-utf-8", NULL};
/* 8-bit under this name is a mislabel; it is read as if nothing had been said. */
static const char *const ascii_names[] = {"us-ascii", "ascii", "ansi_x3.4-1968", NULL};
static const char *const latin1_names[] = {
    "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", NULL};

size_t mime_ascii_n(struct str_view s)
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
	size_t n = mime_ascii_n(s);

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

/* Some converters hold a character back until they know that none joins it; so at the end they are asked
 * for what they hold. */
static void convert(iconv_t cd, struct str_view in, struct str_buf *out)
{
	char *from = (char *)(uintptr_t)in.p; /* iconv's prototype lacks const */
	size_t left = in.n, r;
	bool at_end;

	do {
		size_t room = left * 2 + 64;
		char *to = str_buf_room(out, room), *t = to;

		at_end = left == 0;
		r = at_end ? iconv(cd, NULL, NULL, &t, &room) : iconv(cd, &from, &left, &t, &room);
		int error = errno;

		out->n += (size_t)(t - to);
		out->p[out->n] = '\0';
		if (r != (size_t)-1 || error == E2BIG)
			continue;
		str_buf_puts(out, REPLACEMENT);
		if (at_end)
			break;
		if (error == EILSEQ && left)
			from++, left--;
		else
			left = 0; /* EINVAL: the last character is cut off */
	} while (!at_end || r == (size_t)-1);
}

/* What nobody said, or nobody knows. */
static void guess(struct str_view in, struct str_buf *out)
{
	if (mime_utf8_valid(in))
		str_buf_put(out, in.p, in.n);
	else
		latin1_to_utf8(in, out);
}

/* Charsets in which text that is all ASCII reads as ASCII, by how their names begin. */
static bool keeps_ascii(const char *charset)
{
	static const char *const begins[] = {"iso-8859-", "iso8859-", "iso_8859-", "latin",
	    "windows-125", "cp125", "koi8-", "gb", "big5", "euc-"};

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (str_begins_nocase(
			str_view(charset, strlen(charset)), str_view(begins[i], strlen(begins[i]))))
			return true;
	return false;
}

struct str_view mime_utf8_view(const char *charset, struct str_view in, struct str_buf *out)
{
	bool is_utf8 = !*charset || is_one_of(charset, utf8_names) || is_one_of(charset, ascii_names);

	if (is_utf8 ? mime_utf8_valid(in) : keeps_ascii(charset) && mime_ascii_n(in) == in.n)
		return in;
	str_buf_clear(out);
	mime_to_utf8(charset, in, out);
	return str_buf_view(out);
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

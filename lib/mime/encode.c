/* mime/encode.c - encoded words (RFC 2047) and parameters (RFC 2231), written: what words.c and params.c read. */
#include "mime/encode_priv.h"

#include <string.h>

#define LINE_MAX_OCTETS 76 /* of a line with an encoded word (RFC 2047 2) */
#define WORD_EXTRA 12      /* of an encoded word, beside its text */
#define WORD_OCTETS_MIN 9u /* of UTF-8; for fewer none is begun at a line's end */
#define SECTION_OCTETS 20u  /* of a parameter's section: each may be three in %XX, so that lines stay short */

static size_t column(const struct str_buf *out)
{
	const char *lf = out->n ? memrchr(out->p, '\n', out->n) : NULL;

	return lf ? (size_t)(out->p + out->n - lf) - 1 : out->n;
}

void encode_blank(struct str_buf *out, size_t n)
{
	size_t at = column(out);

	/* A line of nothing but the field's name would do no good. */
	if (at > 0 && at + 1 + n > LINE_MAX_OCTETS && out->p[out->n - 1] != ':')
		str_buf_puts(out, "\r\n");
	str_buf_putc(out, ' ');
}

/* How many octets of s, at most max, end with a whole character. */
static size_t whole_characters(struct str_view s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s.n;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n ? n : max;
}

static void put_base64(struct str_view s, struct str_buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.n; i += 3) {
		size_t n = s.n - i < 3 ? s.n - i : 3;
		uint32_t bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < n ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			str_buf_putc(out, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
	}
}

/* How many octets of UTF-8 an encoded word can take that begins behind a blank at this column. */
static size_t word_room(size_t at)
{
	size_t used = at + 1 + WORD_EXTRA;

	return used < LINE_MAX_OCTETS ? (LINE_MAX_OCTETS - used) / 4 * 3 : 0;
}

/* A blank before each. */
static void put_words(struct str_view utf8, struct str_buf *out)
{
	while (utf8.n) {
		size_t room = word_room(column(out)), n;

		if (room < WORD_OCTETS_MIN && room < utf8.n) {
			str_buf_puts(out, "\r\n");
			room = word_room(0);
		}
		n = whole_characters(utf8, room);
		str_buf_putc(out, ' ');
		str_buf_puts(out, "=?UTF-8?B?");
		put_base64(str_view(utf8.p, n), out);
		str_buf_puts(out, "?=");
		utf8 = str_view(utf8.p + n, utf8.n - n);
	}
}

/* What would be no text of ASCII, or be taken for an encoded word. */
static bool must_encode(struct str_view s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x7f || (c < 0x20 && c != '\t') || (c == '=' && i + 1 < s.n && s.p[i + 1] == '?'))
			return true;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of ASCII, or the next run of words that are to be encoded with the blanks between. */
static struct str_view next_run(struct str_view s, bool *encode_r)
{
	struct str_view run = {s.p, 0};
	size_t at = 0;

	while (at < s.n) {
		size_t begin = at, end;

		while (begin < s.n && is_blank(s.p[begin]))
			begin++;
		for (end = begin; end < s.n && !is_blank(s.p[end]);)
			end++;
		if (begin == end)
			break;
		if (!must_encode(str_view(s.p + begin, end - begin))) {
			if (run.n == 0)
				run.n = end;
			break;
		}
		*encode_r = true;
		run.n = at = end;
	}
	return run;
}

void encode_text(struct str_view utf8, struct str_buf *out)
{
	utf8 = str_trim(utf8);
	while (utf8.n) {
		bool encode = false;
		struct str_view run = next_run(utf8, &encode);

		utf8 = str_view(utf8.p + run.n, utf8.n - run.n);
		while (run.n && is_blank(*run.p)) /* one stands for several */
			run = str_view(run.p + 1, run.n - 1);
		if (encode) {
			put_words(run, out);
		} else {
			encode_blank(out, run.n);
			str_buf_put(out, run.p, run.n);
		}
	}
}

void encode_quoted(struct str_view ascii, struct str_buf *out)
{
	str_buf_putc(out, '"');
	for (size_t i = 0; i < ascii.n; i++) {
		char c = ascii.p[i];

		if (c == '"' || c == '\\')
			str_buf_putc(out, '\\');
		if ((unsigned char)c >= 0x20 && (unsigned char)c < 0x7f)
			str_buf_putc(out, c);
	}
	str_buf_putc(out, '"');
}

void encode_phrase(struct str_view utf8, struct str_buf *out)
{
	if (must_encode(utf8)) {
		put_words(utf8, out);
	} else {
		encode_blank(out, utf8.n + 2);
		encode_quoted(utf8, out);
	}
}

/* RFC 2231 7: attribute-char. */
static bool is_attribute_char(char c)
{
	return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f && !strchr("*'%()<>@,;:\\\"/[]?=", c);
}

static void put_percent(struct str_view s, struct str_buf *out)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_attribute_char(s.p[i]))
			str_buf_putc(out, s.p[i]);
		else
			str_buf_printf(out, "%%%02X", (unsigned char)s.p[i]);
}

void encode_extended(const char *name, struct str_view value, struct str_buf *out)
{
	str_buf_printf(out, ";\r\n\t%s*=", name);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '%' || value.p[i] == '\'')
			str_buf_putc(out, value.p[i]);
		else
			put_percent(str_view(value.p + i, 1), out);
}

void encode_parameter(const char *name, struct str_view utf8, struct str_buf *out)
{
	bool whole = utf8.n <= SECTION_OCTETS;

	for (unsigned section = 0; utf8.n; section++) {
		size_t n = whole_characters(utf8, SECTION_OCTETS);

		str_buf_printf(out, ";\r\n\t%s*", name);
		if (!whole)
			str_buf_printf(out, "%u*", section);
		str_buf_puts(out, section == 0 ? "=UTF-8''" : "=");
		put_percent(str_view(utf8.p, n), out);
		utf8 = str_view(utf8.p + n, utf8.n - n);
	}
}

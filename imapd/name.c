/* imapd/name.c - modified UTF-7 (RFC 3501 5.1.3) and LIST patterns (RFC 3501 6.3.8). */
#include "imapd/name.h"

#include <string.h>

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int base64_value(char c)
{
	const char *at = c ? strchr(base64, c) : NULL;

	return at ? (int)(at - base64) : -1;
}

static void put_utf8(struct str_buf *out, uint32_t c)
{
	char b[4];
	size_t n = 0;

	if (c < 0x80) {
		b[n++] = (char)c;
	} else if (c < 0x800) {
		b[n++] = (char)(0xc0 | c >> 6);
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		b[n++] = (char)(0xe0 | c >> 12);
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		b[n++] = (char)(0xf0 | c >> 18);
		b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	}
	str_buf_put(out, b, n);
}

/* One unit of UTF-16; *high keeps the first half of a pair.  Printable ASCII must not be shifted:
 * a name has one spelling (RFC 3501 5.1.3). */
static bool put_unit(struct str_buf *out, uint32_t unit, uint32_t *high)
{
	if (*high) {
		if (unit < 0xdc00 || unit > 0xdfff)
			return false;
		put_utf8(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return true;
	}
	if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
		return true;
	}
	if ((unit >= 0xdc00 && unit <= 0xdfff) || unit == 0 || (unit >= 0x20 && unit <= 0x7e))
		return false;
	put_utf8(out, unit);
	return true;
}

/* The shifted part behind '&', up to and with its '-'. */
static bool decode_shifted(const char **p, const char *end, struct str_buf *out)
{
	uint32_t bits = 0, high = 0;
	unsigned bits_n = 0;
	bool any = false;

	for (; *p < end && **p != '-'; (*p)++) {
		int value = base64_value(**p);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		bits_n += 6;
		if (bits_n >= 16) {
			bits_n -= 16;
			if (!put_unit(out, bits >> bits_n & 0xffff, &high))
				return false;
			any = true;
		}
		bits &= (1u << bits_n) - 1;
	}
	if (*p == end || high || bits || bits_n >= 6 || !any)
		return false;
	(*p)++;
	return true;
}

bool name_decode(struct str_view wire, struct str_buf *out)
{
	const char *p = wire.p, *end = wire.p + wire.n;

	while (p < end) {
		char c = *p++;

		if (c < 0x20 || c > 0x7e)
			return false;
		if (c != '&') {
			str_buf_putc(out, c);
		} else if (p < end && *p == '-') {
			str_buf_putc(out, '&');
			p++;
		} else if (!decode_shifted(&p, end, out)) {
			return false;
		}
	}
	return true;
}

/* The next character of valid UTF-8. */
static uint32_t next_utf8(const unsigned char **p, const unsigned char *end)
{
	uint32_t c = *(*p)++;
	int more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (more)
		c &= 0x3fu >> more;
	for (; more > 0 && *p < end; more--)
		c = c << 6 | (*(*p)++ & 0x3fu);
	return c;
}

struct shift {
	struct str_buf *out;
	uint32_t bits;
	unsigned bits_n;
	bool on;
};

static void shift_unit(struct shift *s, uint32_t unit)
{
	if (!s->on)
		str_buf_putc(s->out, '&');
	s->on = true;
	s->bits = s->bits << 16 | unit;
	s->bits_n += 16;
	while (s->bits_n >= 6) {
		s->bits_n -= 6;
		str_buf_putc(s->out, base64[s->bits >> s->bits_n & 0x3f]);
	}
	s->bits &= (1u << s->bits_n) - 1;
}

static void shift_end(struct shift *s)
{
	if (!s->on)
		return;
	if (s->bits_n)
		str_buf_putc(s->out, base64[s->bits << (6 - s->bits_n) & 0x3f]);
	str_buf_putc(s->out, '-');
	*s = (struct shift){.out = s->out};
}

void name_encode(struct str_view name, struct str_buf *out)
{
	const unsigned char *p = (const unsigned char *)name.p, *end = p + name.n;
	struct shift s = {.out = out};

	while (p < end) {
		uint32_t c = next_utf8(&p, end);

		if (c >= 0x20 && c <= 0x7e) {
			shift_end(&s);
			str_buf_putc(out, (char)c);
			if (c == '&')
				str_buf_putc(out, '-');
		} else if (c < 0x10000) {
			shift_unit(&s, c);
		} else {
			shift_unit(&s, 0xd800 + ((c - 0x10000) >> 10));
			shift_unit(&s, 0xdc00 + ((c - 0x10000) & 0x3ff));
		}
	}
	shift_end(&s);
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/*
 * One row of a table over the pattern per octet of the name: reach[i] says that the first i octets
 * of the pattern can match what was seen.  No backtracking, so no pattern is expensive.
 */
bool name_matches_parents(struct str_view pattern, struct str_view name, size_t *lengths,
    size_t *lengths_n_r)
{
	bool reach[NAME_PATTERN_MAX + 1] = {true};
	bool inbox = str_begins_nocase(name, SV("INBOX")) && (name.n == 5 || name.p[5] == '/');

	if (lengths)
		*lengths_n_r = 0;
	if (pattern.n > NAME_PATTERN_MAX)
		return false;
	for (size_t i = 0; i < pattern.n && (pattern.p[i] == '*' || pattern.p[i] == '%'); i++)
		reach[i + 1] = true;
	for (size_t k = 0; k < name.n; k++) {
		bool diagonal = reach[0]; /* the row before, one to the left */
		bool any = false;
		char c = name.p[k];

		if (c == '/' && lengths && reach[pattern.n])
			lengths[(*lengths_n_r)++] = k;
		reach[0] = false;
		for (size_t i = 0; i < pattern.n; i++) {
			char want = pattern.p[i];
			bool above = reach[i + 1];

			if (want == '*')
				reach[i + 1] = above || reach[i];
			else if (want == '%')
				reach[i + 1] = (above && c != '/') || reach[i];
			else
				reach[i + 1] = diagonal && (want == c ||
				    (inbox && k < 5 && upper(want) == upper(c)));
			any = any || reach[i + 1];
			diagonal = above;
		}
		if (!any)
			return false;
	}
	return reach[pattern.n];
}

bool name_matches(struct str_view pattern, struct str_view name)
{
	return name_matches_parents(pattern, name, NULL, NULL);
}

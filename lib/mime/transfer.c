/*
 * mime/transfer.c - Content-Transfer-Encoding, in slices (RFC 2045 6.7, 6.8).  What a broken
 * encoder wrote is kept where it can be told from encoded text, and left out where it can't.
 */
#include "mime/decode.h"
#include "base/mem.h"
#include "mime/hex_priv.h"

#include <stdlib.h>
#include <string.h>

/* Blanks at the end of a line are no content (RFC 2045 6.7, rule 3), so they are held until the
 * line goes on; no longer line is legal, and past it they go through as they are. */
enum {
	BLANKS_MAX = 998
};

struct mime_decoder {
	enum mime_encoding encoding;
	/* base64: bits of the group at hand */
	uint32_t bits;
	unsigned sextets;
	/* quoted-printable: what may yet turn out to be an escape, a soft line break, or
	 * trailing blanks */
	char held[BLANKS_MAX];
	size_t held_n;
};

/* 64 + the digit's value, or 0 for what is no base64 digit. */
enum {
	DIGIT = 64
};
static const unsigned char base64_digit[256] = {
    ['A'] = 64,
    ['B'] = 65,
    ['C'] = 66,
    ['D'] = 67,
    ['E'] = 68,
    ['F'] = 69,
    ['G'] = 70,
    ['H'] = 71,
    ['I'] = 72,
    ['J'] = 73,
    ['K'] = 74,
    ['L'] = 75,
    ['M'] = 76,
    ['N'] = 77,
    ['O'] = 78,
    ['P'] = 79,
    ['Q'] = 80,
    ['R'] = 81,
    ['S'] = 82,
    ['T'] = 83,
    ['U'] = 84,
    ['V'] = 85,
    ['W'] = 86,
    ['X'] = 87,
    ['Y'] = 88,
    ['Z'] = 89,
    ['a'] = 90,
    ['b'] = 91,
    ['c'] = 92,
    ['d'] = 93,
    ['e'] = 94,
    ['f'] = 95,
    ['g'] = 96,
    ['h'] = 97,
    ['i'] = 98,
    ['j'] = 99,
    ['k'] = 100,
    ['l'] = 101,
    ['m'] = 102,
    ['n'] = 103,
    ['o'] = 104,
    ['p'] = 105,
    ['q'] = 106,
    ['r'] = 107,
    ['s'] = 108,
    ['t'] = 109,
    ['u'] = 110,
    ['v'] = 111,
    ['w'] = 112,
    ['x'] = 113,
    ['y'] = 114,
    ['z'] = 115,
    ['0'] = 116,
    ['1'] = 117,
    ['2'] = 118,
    ['3'] = 119,
    ['4'] = 120,
    ['5'] = 121,
    ['6'] = 122,
    ['7'] = 123,
    ['8'] = 124,
    ['9'] = 125,
    ['+'] = 126,
    ['/'] = 127,
};

/* What a group that padding or the end cut short still holds. */
static size_t base64_flush(struct mime_decoder *d, unsigned char *to)
{
	size_t n = d->sextets == 3 ? 2 : d->sextets == 2 ? 1 : 0;

	d->bits <<= 6 * (4 - d->sextets) % 24;
	if (n >= 1)
		to[0] = (unsigned char)(d->bits >> 16);
	if (n == 2)
		to[1] = (unsigned char)(d->bits >> 8);
	d->bits = 0;
	d->sextets = 0;
	return n;
}

static void base64_feed(
    struct mime_decoder *d, const unsigned char *p, size_t n, struct str_buf *out)
{
	unsigned char *to = (unsigned char *)str_buf_room(out, n / 4 * 3 + 6), *t = to;
	const unsigned char *end = p + n;

	while (p < end) {
		if (d->sextets == 0 && end - p >= 4) {
			uint32_t a = base64_digit[p[0]], b = base64_digit[p[1]],
				 c = base64_digit[p[2]], e = base64_digit[p[3]];

			if (a & b & c & e & DIGIT) {
				uint32_t bits =
				    (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (e & 63);

				*t++ = (unsigned char)(bits >> 16);
				*t++ = (unsigned char)(bits >> 8);
				*t++ = (unsigned char)bits;
				p += 4;
				continue;
			}
		}
		unsigned char digit = base64_digit[*p];

		if (*p == '=') {
			t += base64_flush(d, t);
		} else if (digit) {
			d->bits = d->bits << 6 | (digit & 63);
			if (++d->sextets == 4) {
				*t++ = (unsigned char)(d->bits >> 16);
				*t++ = (unsigned char)(d->bits >> 8);
				*t++ = (unsigned char)d->bits;
				d->bits = 0;
				d->sextets = 0;
			}
		}
		p++;
	}
	out->n += (size_t)(t - to);
	out->p[out->n] = '\0';
}

static void release_held(struct mime_decoder *d, struct str_buf *out)
{
	str_buf_put(out, d->held, d->held_n);
	d->held_n = 0;
}

static void hold(struct mime_decoder *d, char c, struct str_buf *out)
{
	if (d->held_n == BLANKS_MAX)
		release_held(d, out);
	d->held[d->held_n++] = c;
}

/* An octet while an escape is open: held is "=", "=X", or "=" with blanks and a CR behind. */
static void qp_escape(struct mime_decoder *d, char c, struct str_buf *out)
{
	bool blanks = d->held_n > 1 && hex_value(d->held[1]) < 0;

	if (c == '\n') { /* soft line break, with whatever blanks a transport put there */
		if (d->held_n == 1 || blanks) {
			d->held_n = 0;
			return;
		}
	} else if ((c == ' ' || c == '\t' || c == '\r') && (d->held_n == 1 || blanks) &&
		   d->held_n < BLANKS_MAX) {
		d->held[d->held_n++] = c;
		return;
	} else if (d->held_n == 1 && hex_value(c) >= 0) {
		d->held[d->held_n++] = c;
		return;
	} else if (d->held_n == 2 && !blanks && hex_value(c) >= 0) {
		str_buf_putc(out, (char)(hex_value(d->held[1]) << 4 | hex_value(c)));
		d->held_n = 0;
		return;
	}
	/* no escape after all: what stood there stays */
	release_held(d, out);
	mime_decoder_feed(d, &c, 1, out);
}

/* An octet while blanks (and perhaps a CR behind them) are held. */
static void qp_blank(struct mime_decoder *d, char c, struct str_buf *out)
{
	if (c == ' ' || c == '\t' || c == '\r') {
		if (d->held[d->held_n - 1] == '\r')
			release_held(d, out); /* a CR alone ends no line */
		hold(d, c, out);
		return;
	}
	if (c == '\n') {
		bool cr = d->held[d->held_n - 1] == '\r';

		d->held_n = 0;
		str_buf_puts(out, cr ? "\r\n" : "\n");
		return;
	}
	release_held(d, out);
	mime_decoder_feed(d, &c, 1, out);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* How far the octets are plainly themselves: up to what more octets must explain.  A blank with
 * text behind it, and a line end with none before it, explain themselves. */
static const char *qp_plain(const char *p, const char *end)
{
	while (p < end) {
		if (*p == '=')
			break;
		if (*p != '\r' && !is_blank(*p)) {
			p++;
			continue;
		}
		if (p + 1 == end)
			break;
		if (*p == '\r' ? p[1] != '\n' : is_blank(p[1]) || p[1] == '\r' || p[1] == '\n')
			break;
		p += 2 - (p[1] == '=');
	}
	return p;
}

static void qp_feed(struct mime_decoder *d, const char *p, size_t n, struct str_buf *out)
{
	const char *end = p + n;

	while (p < end) {
		if (d->held_n && d->held[0] == '=') {
			qp_escape(d, *p++, out);
		} else if (d->held_n) {
			qp_blank(d, *p++, out);
		} else {
			const char *from = p;

			p = qp_plain(p, end);
			str_buf_put(out, from, (size_t)(p - from));
			if (p < end)
				hold(d, *p++, out);
		}
	}
}

struct mime_decoder *mime_decoder_new(enum mime_encoding encoding)
{
	struct mime_decoder *d = mem_alloc(sizeof *d);

	d->encoding = encoding;
	return d;
}

struct mime_decoder *mime_decoder_copy(const struct mime_decoder *d)
{
	struct mime_decoder *copy = mem_alloc(sizeof *copy);

	*copy = *d;
	return copy;
}

void mime_decoder_free(struct mime_decoder **d)
{
	mem_free(d);
}

void mime_decoder_feed(
    struct mime_decoder *d, const void *octets, size_t n, struct str_buf *out)
{
	if (d->encoding == MIME_BASE64)
		base64_feed(d, octets, n, out);
	else if (d->encoding == MIME_QUOTED_PRINTABLE)
		qp_feed(d, octets, n, out);
	else
		str_buf_put(out, octets, n);
}

void mime_decoder_finish(struct mime_decoder **d, struct str_buf *out)
{
	if (!*d)
		return;
	if ((*d)->encoding == MIME_BASE64)
		out->n += base64_flush(*d, (unsigned char *)str_buf_room(out, 3));
	else if ((*d)->held_n == 2 && (*d)->held[0] == '=' && hex_value((*d)->held[1]) >= 0)
		release_held(*d, out); /* half an escape; a soft break or blanks just go */
	if (out->p)
		out->p[out->n] = '\0';
	mem_free(d);
}

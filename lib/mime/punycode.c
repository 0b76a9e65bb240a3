/* mime/punycode.c - a domain's labels beyond ASCII as "xn--" and Punycode (RFC 3492). */
#include "mime/decode.h"
#include "mime/encode_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unistr.h>

#define LABEL_MAX 63u /* octets (RFC 1035 2.3.4) */

/* RFC 3492 5 */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 };

static uint32_t adapt(uint32_t delta, uint32_t points, bool is_first)
{
	uint32_t k = 0;

	delta = is_first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static char digit(uint32_t n)
{
	return (char)(n < 26 ? 'a' + n : '0' + n - 26);
}

/* delta as an integer of variable length. */
static void put_delta(uint32_t delta, uint32_t bias, struct str_buf *out)
{
	uint32_t q = delta;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;

		if (q < t)
			break;
		str_buf_putc(out, digit(t + (q - t) % (BASE - t)));
		q = (q - t) / (BASE - t);
	}
	str_buf_putc(out, digit(q));
}

static uint32_t lowest_from(const uint32_t *points, size_t n, uint32_t from)
{
	uint32_t lowest = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (points[i] >= from && points[i] < lowest)
			lowest = points[i];
	return lowest;
}

/* RFC 3492 6.3.  No more than LABEL_MAX points, of which none is above 0x10FFFF: nothing overflows. */
static void put_punycode(const uint32_t *points, size_t n, struct str_buf *out)
{
	uint32_t next = INITIAL_N, delta = 0, bias = INITIAL_BIAS, basic = 0, done;

	for (size_t i = 0; i < n; i++)
		if (points[i] < INITIAL_N) {
			str_buf_putc(out, (char)points[i]);
			basic++;
		}
	if (basic)
		str_buf_putc(out, '-');
	for (done = basic; done < n; delta++, next++) {
		uint32_t lowest = lowest_from(points, n, next);

		delta += (lowest - next) * (done + 1);
		next = lowest;
		for (size_t i = 0; i < n; i++) {
			delta += points[i] < next;
			if (points[i] == next) {
				put_delta(delta, bias, out);
				bias = adapt(delta, done + 1, done == basic);
				delta = 0;
				done++;
			}
		}
	}
}

static bool is_ascii_label(struct str_view label)
{
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			c == '_'))
			return false;
	}
	return label.n > 0 && label.n <= LABEL_MAX;
}

/* In small letters and composed, as a U-label is (RFC 5895 2). */
static bool put_a_label(struct str_view label, struct str_buf *out)
{
	size_t lower_n = 0, n = 0, before = out->n;
	uint8_t *lower = u8_tolower((const uint8_t *)label.p, label.n, NULL, UNINORM_NFKC, NULL, &lower_n);
	uint32_t *points = lower ? u8_to_u32(lower, lower_n, NULL, &n) : NULL;
	bool is_good = points && n > 0 && n <= LABEL_MAX;

	for (size_t i = 0; is_good && i < n; i++)
		is_good = points[i] >= INITIAL_N || is_ascii_label(str_view(&(char){(char)points[i]}, 1));
	if (is_good) {
		str_buf_puts(out, "xn--");
		put_punycode(points, n, out);
		is_good = out->n - before <= LABEL_MAX;
	}
	free(points);
	free(lower);
	return is_good;
}

bool punycode_domain(struct str_view utf8, struct str_buf *out)
{
	size_t before = out->n;
	bool is_good = mime_utf8_valid(utf8);

	while (is_good && utf8.n) {
		const char *dot = memchr(utf8.p, '.', utf8.n);
		struct str_view label = str_view(utf8.p, dot ? (size_t)(dot - utf8.p) : utf8.n);
		size_t cut = label.n + (dot != NULL);

		if (mime_ascii_n(label) < label.n) {
			is_good = put_a_label(label, out);
		} else {
			is_good = is_ascii_label(label);
			str_buf_put(out, label.p, label.n);
		}
		utf8 = str_view(utf8.p + cut, utf8.n - cut);
		if (dot && utf8.n)
			str_buf_putc(out, '.');
	}
	if (!is_good || out->n == before) {
		out->n = before;
		return false;
	}
	return true;
}

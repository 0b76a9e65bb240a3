/*
 * mime/words.c - encoded words (RFC 2047).  Decoded wherever they stand, not only between
 * blanks: many programs write them so, and what they meant is plain.  A character split over
 * two words of one charset is put together again.
 */
#include "mime/decode.h"
#include "mime/hex_priv.h"

#include <string.h>

struct word {
	char charset[64];
	char encoding; /* 'q' or 'b' */
	struct str_view text;
	size_t length; /* from "=?" to "?=" */
};

/* At "=?": whether an encoded word begins here.  Linear, as the text holds no '?'. */
static bool word_at(struct str_view s, struct word *w)
{
	size_t i = 2, n;

	while (i < s.n && i - 2 < sizeof w->charset - 1 && (unsigned char)s.p[i] > 32 &&
	       s.p[i] != '?')
		i++;
	if (i == 2 || i + 3 >= s.n || s.p[i] != '?' || s.p[i + 2] != '?')
		return false;
	const char *star =
	    memchr(s.p + 2, '*', i - 2); /* RFC 2231 5: a language behind the charset */

	n = star ? (size_t)(star - s.p) - 2 : i - 2;
	memcpy(w->charset, s.p + 2, n);
	w->charset[n] = '\0';
	w->encoding = (char)(s.p[i + 1] | 0x20);
	if (w->encoding != 'q' && w->encoding != 'b')
		return false;
	const char *text = s.p + i + 3, *end = memchr(text, '?', s.n - i - 3);

	if (!end || end + 1 == s.p + s.n || end[1] != '=')
		return false;
	w->text = str_view(text, (size_t)(end - text));
	w->length = (size_t)(end - s.p) + 2;
	return true;
}

static void decode_q(struct str_view s, struct str_buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '=' && i + 2 < s.n && hex_value(s.p[i + 1]) >= 0 &&
		    hex_value(s.p[i + 2]) >= 0) {
			c = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		str_buf_putc(out, c);
	}
}

static void decode_b(struct str_view s, struct str_buf *out)
{
	struct mime_decoder *d = mime_decoder_new(MIME_BASE64);

	mime_decoder_feed(d, s.p, s.n, out);
	mime_decoder_finish(&d, out);
}

static bool blank(struct str_view s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

/* Octets of words gathered so far, which one charset will decode. */
struct gathered {
	char charset[64];
	struct str_buf octets;
};

static void gathered_flush(struct gathered *g, struct str_buf *out)
{
	if (g->octets.n)
		mime_to_utf8(g->charset, str_buf_view(&g->octets), out);
	str_buf_clear(&g->octets);
}

static void gather(struct gathered *g, const struct word *w, struct str_buf *out)
{
	if (strcmp(g->charset, w->charset) != 0)
		gathered_flush(g, out);
	memcpy(g->charset, w->charset, sizeof g->charset);
	if (w->encoding == 'q')
		decode_q(w->text, &g->octets);
	else
		decode_b(w->text, &g->octets);
}

void mime_header_decode(struct str_view value, struct str_buf *out)
{
	struct gathered g = {0};
	const char *p = value.p, *end = p + value.n, *plain = p;
	bool after_word = false;

	while (p < end && (p = memchr(p, '=', (size_t)(end - p)))) {
		struct word w = {0};

		if (p + 1 == end || p[1] != '?' ||
		    !word_at(str_view(p, (size_t)(end - p)), &w)) {
			p++;
			continue;
		}
		struct str_view between = str_view(plain, (size_t)(p - plain));

		/* RFC 2047 6.2: blanks between two encoded words are not shown */
		if (!after_word || !blank(between)) {
			gathered_flush(&g, out);
			mime_to_utf8("", between, out);
		}
		gather(&g, &w, out);
		after_word = true;
		p += w.length;
		plain = p;
	}
	gathered_flush(&g, out);
	mime_to_utf8("", str_view(plain, (size_t)(end - plain)), out);
	str_buf_fini(&g.octets);
}

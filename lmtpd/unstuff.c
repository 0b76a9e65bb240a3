/* lmtpd/unstuff.c - lines that begin with a dot are rare: the rest is looked through at memmem's pace. */
#include "lmtpd/unstuff.h"

#include <string.h>

/* Text from p up to a dot that begins a line, or to the end. */
static const char *pass_text(struct unstuff *unstuff, const char *p, const char *end, struct str_buf *out)
{
	const char *dot = memmem(p, (size_t)(end - p), "\r\n.", 3);
	const char *stop = dot ? dot + 2 : end;
	size_t n = (size_t)(stop - p);

	str_buf_put(out, p, n);
	if (dot || (n >= 2 && memcmp(stop - 2, "\r\n", 2) == 0))
		unstuff->at = UNSTUFF_LINE;
	else
		unstuff->at = stop[-1] == '\r' ? UNSTUFF_CR : UNSTUFF_TEXT;
	return stop;
}

/* One octet at the places where each decides.  True: it was the end. */
static bool step(struct unstuff *unstuff, char c, struct str_buf *out)
{
	switch (unstuff->at) {
	case UNSTUFF_LINE:
		if (c == '.') {
			unstuff->at = UNSTUFF_DOT;
			return false;
		}
		break;
	case UNSTUFF_DOT:
		if (c == '\r') {
			unstuff->at = UNSTUFF_DOT_CR;
			return false;
		}
		break;
	case UNSTUFF_DOT_CR:
		if (c == '\n')
			return true;
		str_buf_putc(out, '\r');
		break;
	case UNSTUFF_CR:
		if (c == '\n') {
			str_buf_putc(out, c);
			unstuff->at = UNSTUFF_LINE;
			return false;
		}
		break;
	case UNSTUFF_TEXT:
		break;
	}
	str_buf_putc(out, c);
	unstuff->at = c == '\r' ? UNSTUFF_CR : UNSTUFF_TEXT;
	return false;
}

bool unstuff_feed(struct unstuff *unstuff, struct str_view octets, size_t *taken_r, struct str_buf *out)
{
	const char *p = octets.p, *end = octets.p + octets.n;
	bool is_end = false;

	while (p < end && !is_end) {
		bool is_text = unstuff->at == UNSTUFF_TEXT || (unstuff->at == UNSTUFF_LINE && *p != '.');

		if (is_text)
			p = pass_text(unstuff, p, end, out);
		else
			is_end = step(unstuff, *p++, out);
	}
	if (is_end)
		unstuff->at = UNSTUFF_LINE;
	*taken_r = (size_t)(p - octets.p);
	return is_end;
}

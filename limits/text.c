/* limits/text.c - UTF-8 told from what is none (RFC 3629 4: no overlong forms, no surrogates). */
#include "limits/text.h"

#include <string.h>

size_t text_utf8_size(const char *at, size_t n)
{
	const unsigned char *p = (const unsigned char *)at;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c;

	if (size < 2 || size > n || p[0] > 0xf4)
		return size == 1 && p[0] != 0 ? 1 : 0;
	c = p[0] & (0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : size;
}

void text_put_utf8(struct str_buf *out, uint32_t c)
{
	if (c < 0x80) {
		str_buf_putc(out, (char)c);
	} else if (c < 0x800) {
		str_buf_putc(out, (char)(0xc0 | c >> 6));
		str_buf_putc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		str_buf_putc(out, (char)(0xe0 | c >> 12));
		str_buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		str_buf_putc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		str_buf_putc(out, (char)(0xf0 | c >> 18));
		str_buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		str_buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		str_buf_putc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* XML 1.0 2.2: no control characters but three, and neither U+FFFE nor U+FFFF. */
static bool is_xml(const char *character, size_t n)
{
	return n > 1 ? n != 3 || (memcmp(character, "\xef\xbf\xbe", 3) != 0 && memcmp(character, "\xef\xbf\xbf", 3) != 0)
		     : n == 1 && ((unsigned char)*character >= ' ' || strchr("\t\n\r", *character));
}

void text_put_xml(struct str_buf *out, const char *text)
{
	for (size_t n; *text; text += n) {
		n = text_utf8_size(text, strlen(text));
		if (!is_xml(text, n)) {
			str_buf_putc(out, '?');
			n = n ? n : 1;
		} else if (*text == '&') {
			str_buf_puts(out, "&amp;");
		} else if (*text == '<') {
			str_buf_puts(out, "&lt;");
		} else if (*text == '>') {
			str_buf_puts(out, "&gt;");
		} else if (*text == '"') {
			str_buf_puts(out, "&quot;");
		} else {
			str_buf_put(out, text, n);
		}
	}
}

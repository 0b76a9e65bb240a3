/* lmtpd/parameter.c - esmtp-param = esmtp-keyword ["=" esmtp-value] */
#include "lmtpd/parameter.h"

#include "mime/decode.h"

#include <string.h>

static bool is_keyword(struct str_view s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && (c != '-' || i == 0))
			return false;
	}
	return s.n > 0;
}

/* Anything printable but blanks and "="; beyond ASCII, too (RFC 6531 3.3). */
static bool is_value(struct str_view s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 32 || s.p[i] == '=' || s.p[i] == 127)
			return false;
	return s.n > 0;
}

int parameter_next(struct str_view *rest, struct parameter *parameter_r)
{
	struct parameter parameter = {.name = str_word(rest)};
	const char *equals = memchr(parameter.name.p, '=', parameter.name.n);

	if (parameter.name.n == 0)
		return 0;
	if (equals) {
		const char *end = parameter.name.p + parameter.name.n;

		parameter.has_value = true;
		parameter.value = str_view(equals + 1, (size_t)(end - equals - 1));
		parameter.name.n = (size_t)(equals - parameter.name.p);
	}
	if (!is_keyword(parameter.name) || (equals && !is_value(parameter.value)))
		return -1;
	*parameter_r = parameter;
	return 1;
}

/* Upper case alone, says the RFC. */
static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *parameter_xtext(struct str_view value, struct arena *arena)
{
	char *text = arena_strn(arena, value.p, value.n);
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		int c = (unsigned char)value.p[i];

		if (c == '+') {
			int high = i + 2 < value.n ? hex_digit(value.p[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(value.p[i + 2]) : -1;

			if (low < 0)
				return NULL;
			c = high << 4 | low;
			i += 2;
		}
		if (c < 32 || c == 127)
			return NULL;
		text[n++] = (char)c;
	}
	text[n] = '\0';
	return mime_utf8_valid(str_view(text, n)) ? text : NULL;
}

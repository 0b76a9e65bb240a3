/* lmtpd/parameter.c - esmtp-param = esmtp-keyword ["=" esmtp-value] */
#include "lmtpd/parameter.h"

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

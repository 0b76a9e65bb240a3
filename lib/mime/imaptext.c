/* mime/imaptext.c - strings of IMAP, and BODY out of BODYSTRUCTURE. */
#include "mime/imaptext_priv.h"
#include "mime/scan.h"

#include <string.h>

static void put_literal(struct str_buf *out, struct str_view s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] != '\0';
	str_buf_putc(out, '{');
	str_buf_put_number(out, n);
	str_buf_puts(out, "}\r\n");
	char *to = str_buf_room(out, n);

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\0')
			*to++ = s.p[i];
	out->n += n;
	out->p[out->n] = '\0';
}

void imaptext_string(struct str_buf *out, struct str_view s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 || s.p[i] == '\r' || s.p[i] == '\n') {
			put_literal(out, s);
			return;
		}
	char *begin = str_buf_room(out, 2 * s.n + 2), *to = begin;

	*to++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			*to++ = '\\';
		if (s.p[i] != '\0')
			*to++ = s.p[i];
	}
	*to++ = '"';
	out->n += (size_t)(to - begin);
	out->p[out->n] = '\0';
}

void imaptext_nstring(struct str_buf *out, struct str_view s)
{
	if (s.p)
		imaptext_string(out, s);
	else
		str_buf_puts(out, "NIL");
}

/* Moves *at behind a quoted string or a literal. */
static bool skip_string(struct str_view s, size_t *at)
{
	size_t i = *at;

	if (i < s.n && s.p[i] == '"') {
		for (i++; i < s.n && s.p[i] != '"'; i++)
			i += s.p[i] == '\\';
		if (i >= s.n)
			return false;
		*at = i + 1;
		return true;
	}
	if (i >= s.n || s.p[i] != '{')
		return false;
	const char *brace = memchr(s.p + i, '}', s.n - i);
	uint64_t n;

	if (!brace ||
	    !str_number(str_view(s.p + i + 1, (size_t)(brace - s.p) - i - 1), s.n, &n))
		return false;
	i = (size_t)(brace - s.p) + 3; /* "}\r\n" */
	if (i > s.n || n > s.n - i)
		return false;
	*at = i + n;
	return true;
}

/* Moves *at behind one value: an atom (NIL, a number), a string, or a whole list. */
static bool skip_value(struct str_view s, size_t *at)
{
	size_t depth = 0, i = *at;

	do {
		if (i >= s.n)
			return false;
		char c = s.p[i];

		if (c == '(') {
			depth++, i++;
		} else if (c == ')') {
			if (depth-- == 0)
				return false;
			i++;
		} else if (c == '"' || c == '{') {
			if (!skip_string(s, &i))
				return false;
		} else if (c == ' ') {
			if (depth == 0)
				return false;
			i++;
		} else {
			while (i < s.n && !memchr(" ()", s.p[i], 3))
				i++;
		}
	} while (depth > 0);
	*at = i;
	return true;
}

/* Moves behind n values and the blanks between them, and copies that; behind the last no blank.
 */
static bool copy_values(struct str_view s, size_t *at, size_t n, struct str_buf *out)
{
	size_t from = *at;

	for (size_t i = 0; i < n; i++) {
		if (i && (*at >= s.n || s.p[(*at)++] != ' '))
			return false;
		if (!skip_value(s, at))
			return false;
	}
	str_buf_put(out, s.p + from, *at - from);
	return true;
}

/* Leaves the extension data out, up to the body's own closing parenthesis, and copies that. */
static bool close_body(struct str_view s, size_t *at, struct str_buf *out)
{
	while (*at < s.n && s.p[*at] == ' ') {
		(*at)++;
		if (!skip_value(s, at))
			return false;
	}
	if (*at >= s.n || s.p[*at] != ')')
		return false;
	(*at)++;
	str_buf_putc(out, ')');
	return true;
}

/* A body that is no multipart, behind its parenthesis: seven values, and what its type adds
 * (RFC 9051 7.5.2).  *message_r: its last value is the enclosed body, which stands at *at now.
 */
static bool body_basic(struct str_view s, size_t *at, struct str_buf *out, bool *message_r)
{
	static const char text[] = "\"text\" ", message[] = "\"message\" \"rfc822\" ";
	struct str_view type = str_view(s.p + *at, s.n - *at);
	bool is_text = str_begins_nocase(type, SV(text));

	*message_r = str_begins_nocase(type, SV(message));
	if (*message_r) {
		if (!copy_values(s, at, 8, out) || *at >= s.n || s.p[(*at)++] != ' ')
			return false;
		str_buf_putc(out, ' ');
		return true;
	}
	return copy_values(s, at, is_text ? 8 : 7, out) && close_body(s, at, out);
}

/* Bodies within bodies are kept on a stack of one octet each, not in recursion. */
static bool body_copy(struct str_view s, struct str_buf *stack, struct str_buf *out)
{
	size_t at = 0;

	do {
		bool message = false;

		if (at < s.n && s.p[at] == '(') { /* a body begins */
			at++;
			str_buf_putc(out, '(');
			if (at < s.n && s.p[at] == '(') {
				str_buf_putc(stack, 'm');
				continue;
			}
			if (!body_basic(s, &at, out, &message))
				return false;
			if (message)
				str_buf_putc(stack, 'r');
			continue;
		}
		/* the children of the innermost body have ended */
		if (stack->n == 0 || at >= s.n || s.p[at] != ' ')
			return false;
		at++;
		str_buf_putc(out, ' ');
		if (!copy_values(s, &at, 1, out) || !close_body(s, &at, out))
			return false;
		stack->n--;
	} while (stack->n);
	return at == s.n;
}

void mime_body_from_bodystructure(struct str_view bodystructure, struct str_buf *out)
{
	struct str_buf stack = {0};
	size_t before = out->n;

	if (!body_copy(bodystructure, &stack, out)) {
		/* not what the scanner wrote; say something that is true of any octets */
		out->n = before;
		str_buf_puts(
		    out, "(\"application\" \"octet-stream\" NIL NIL NIL \"binary\" 0)");
	}
	str_buf_fini(&stack);
}

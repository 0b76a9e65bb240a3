/* mime/header.c - header fields found and unfolded, and the tokens of structured ones. */
#include "mime/header_priv.h"
#include "mime/decode.h"

#include <string.h>

/* The field that begins s with its continuation lines, up to and with the last line end. */
static size_t field_length(struct str_view s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		if (!lf)
			return s.n;
		p = lf + 1;
		if (p < end && *p != ' ' && *p != '\t')
			break;
	}
	return (size_t)(p - s.p);
}

/* RFC 5322 2.2: printable ASCII without colon; blanks before the colon are obsolete but meant
 * so. */
static bool field_name(struct str_view line, struct str_view *name_r, size_t *colon_r)
{
	size_t n = 0;

	while (n < line.n && line.p[n] > 32 && line.p[n] < 127 && line.p[n] != ':')
		n++;
	size_t colon = n;

	while (colon < line.n && (line.p[colon] == ' ' || line.p[colon] == '\t'))
		colon++;
	if (n == 0 || colon == line.n || line.p[colon] != ':')
		return false;
	*name_r = str_view(line.p, n);
	*colon_r = colon;
	return true;
}

bool header_next(struct str_view *rest, struct header_field *field)
{
	while (rest->n) {
		size_t colon, n = field_length(*rest);
		struct str_view line = str_view(rest->p, n);

		if (line.p[0] == '\n' || (n >= 2 && line.p[0] == '\r' && line.p[1] == '\n'))
			return false;
		rest->p += n;
		rest->n -= n;
		if (field_name(line, &field->name, &colon)) {
			field->value = str_trim(str_view(line.p + colon + 1, n - colon - 1));
			return true;
		}
	}
	return false;
}

bool header_line_next(struct str_view *rest, struct str_view *line_r)
{
	if (rest->n == 0)
		return false;
	*line_r = str_view(rest->p, field_length(*rest));
	*rest = str_view(rest->p + line_r->n, rest->n - line_r->n);
	return true;
}

bool mime_header_find(
    struct str_view header, struct str_view name, size_t nth, struct str_view *value_r)
{
	struct header_field field;

	while (header_next(&header, &field))
		if (str_equal_nocase(field.name, name) && nth-- == 0) {
			*value_r = field.value;
			return true;
		}
	return false;
}

bool mime_header_next(struct str_view *rest, struct str_view *name_r, struct str_view *value_r)
{
	struct header_field field;

	if (!header_next(rest, &field))
		return false;
	*name_r = field.name;
	*value_r = field.value;
	return true;
}

void mime_header_value(struct str_view value, struct str_buf *out)
{
	struct str_buf unfolded = {0};

	if (value.n && memchr(value.p, '\n', value.n)) {
		mime_header_unfold(value, &unfolded);
		value = str_buf_view(&unfolded);
	}
	mime_header_decode(value, out);
	str_buf_fini(&unfolded);
}

void mime_header_text(struct str_view header, struct str_buf *out)
{
	/* Most headers hold nothing to decode. */
	if (mime_ascii_n(header) == header.n && !memmem(header.p, header.n, "=?", 2)) {
		mime_header_unfold(header, out);
		str_buf_puts(out, "\r\n");
		return;
	}
	while (header.n) {
		struct str_view line = str_view(header.p, field_length(header)), name;
		size_t colon;

		header = str_view(header.p + line.n, header.n - line.n);
		if (line.p[line.n - 1] == '\n')
			line.n -= line.n > 1 && line.p[line.n - 2] == '\r' ? 2 : 1;
		/* No encoded word begins in a name and ends in the value. */
		if (field_name(line, &name, &colon)) {
			str_buf_put(out, line.p, colon + 1);
			line = str_view(line.p + colon + 1, line.n - colon - 1);
		}
		mime_header_value(line, out);
		str_buf_puts(out, "\r\n");
	}
}

void mime_header_unfold(struct str_view value, struct str_buf *out)
{
	const char *p = value.p, *end = p + value.n, *lf;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p)))) {
		size_t n = (size_t)(lf - p);
		bool folded = lf + 1 == end || lf[1] == ' ' || lf[1] == '\t';

		if (folded)
			str_buf_put(out, p, n && lf[-1] == '\r' ? n - 1 : n);
		else
			str_buf_put(out, p, n + 1);
		p = lf + 1;
	}
	str_buf_put(out, p, (size_t)(end - p));
}

bool lex_quoted(struct lex *l, struct str_view *inside_r)
{
	if (l->no_quotes)
		return false;
	for (const char *q = l->p + 1; q < l->end; q++) {
		if (*q == '\\') {
			q++;
		} else if (*q == '"') {
			*inside_r = str_view(l->p + 1, (size_t)(q - l->p - 1));
			l->p = q + 1;
			return true;
		}
	}
	l->no_quotes = true;
	return false;
}

bool lex_comment(struct lex *l, struct str_view *inside_r)
{
	size_t depth = 0;

	if (l->no_comments)
		return false;
	for (const char *q = l->p; q < l->end; q++) {
		if (*q == '\\') {
			q++;
		} else if (*q == '(') {
			depth++;
		} else if (*q == ')' && --depth == 0) {
			*inside_r = str_view(l->p + 1, (size_t)(q - l->p - 1));
			l->p = q + 1;
			return true;
		}
	}
	l->no_comments = true;
	return false;
}

bool lex_skip(struct lex *l)
{
	const char *from = l->p;
	struct str_view inside;

	while (l->p < l->end) {
		if (lex_blank(*l->p))
			l->p++;
		else if (*l->p != '(' || !lex_comment(l, &inside))
			break;
	}
	return l->p > from;
}

struct str_view lex_token(struct lex *l)
{
	const char *from = l->p;

	while (
	    l->p < l->end && (unsigned char)*l->p > 32 && !strchr("()<>@,;:\\\"/[]?=", *l->p))
		l->p++;
	return str_view(from, (size_t)(l->p - from));
}

void lex_unescape(struct str_view inside, struct str_buf *out)
{
	for (size_t i = 0; i < inside.n; i++) {
		char c = inside.p[i];

		if (c == '\\' && i + 1 < inside.n)
			c = inside.p[++i];
		if (c != '\r' && c != '\n')
			str_buf_putc(out, c);
	}
}

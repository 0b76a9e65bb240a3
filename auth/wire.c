/* auth/wire.c - words of the authentication protocol, see wire.h. */
#include "auth/wire.h"

#include <string.h>

#define ESCAPE '\001'

bool wire_word(struct str_view *rest, struct str_view *word_r)
{
	const char *tab;

	if (!rest->p)
		return false;
	tab = rest->n ? memchr(rest->p, '\t', rest->n) : NULL;
	*word_r = str_view(rest->p, tab ? (size_t)(tab - rest->p) : rest->n);
	*rest = tab ? str_view(tab + 1, rest->n - word_r->n - 1) : str_view(NULL, 0);
	return true;
}

void wire_parameter(struct str_view word, struct str_view *name_r, struct str_view *value_r)
{
	const char *is = word.n ? memchr(word.p, '=', word.n) : NULL;

	*name_r = is ? str_view(word.p, (size_t)(is - word.p)) : word;
	*value_r = is ? str_view(is + 1, word.n - name_r->n - 1) : str_view(NULL, 0);
}

/* What stands behind an escape, and for what; NUL ('0') is left out: our texts end with it. */
static const struct {
	char escaped, octet;
} escapes[] = {{'1', ESCAPE}, {'t', '\t'}, {'r', '\r'}, {'n', '\n'}, {'0', '\0'}};

static bool unescape(char c, char *octet_r)
{
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
		if (escapes[i].escaped == c)
			return (*octet_r = escapes[i].octet) != '\0';
	return false;
}

const char *wire_text(struct str_view word, struct arena *arena)
{
	char *text = arena_alloc(arena, word.n + 1), *to = text;

	if (!word.p)
		return NULL;
	for (size_t i = 0; i < word.n; i++, to++) {
		*to = word.p[i];
		if (*to == '\0' || (*to == ESCAPE && (++i == word.n || !unescape(word.p[i], to))))
			return NULL;
	}
	*to = '\0';
	return text;
}

void wire_put(struct str_buf *out, struct str_view octets)
{
	for (size_t i = 0; i < octets.n; i++) {
		size_t e = 0;

		while (e < sizeof escapes / sizeof *escapes && escapes[e].octet != octets.p[i])
			e++;
		if (e < sizeof escapes / sizeof *escapes) {
			str_buf_putc(out, ESCAPE);
			str_buf_putc(out, escapes[e].escaped);
		} else {
			str_buf_putc(out, octets.p[i]);
		}
	}
}

void wire_put_parameter(struct str_buf *out, const char *name, const char *value)
{
	str_buf_putc(out, '\t');
	str_buf_puts(out, name);
	str_buf_putc(out, '=');
	wire_put(out, str_view(value, strlen(value)));
}

/* base/str.c - views and growing buffers. */
#include "base/str.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool str_equal(struct str_view a, struct str_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool str_equal_nocase(struct str_view a, struct str_view b)
{
	return a.n == b.n && str_begins_nocase(a, b);
}

bool str_begins_nocase(struct str_view s, struct str_view prefix)
{
	if (s.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++)
		if (lower(s.p[i]) != lower(prefix.p[i]))
			return false;
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str_view str_trim(struct str_view s)
{
	while (s.n && is_space(s.p[0]))
		s.p++, s.n--;
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str_view str_word(struct str_view *rest)
{
	size_t n = 0;

	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		rest->p++, rest->n--;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	struct str_view word = {rest->p, n};

	rest->p += n;
	rest->n -= n;
	return word;
}

bool str_number(struct str_view s, uint64_t max, uint64_t *n_r)
{
	uint64_t n = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		unsigned digit = (unsigned)(s.p[i] - '0');

		if (n > (max - digit) / 10 || digit > max)
			return false;
		n = n * 10 + digit;
	}
	*n_r = n;
	return true;
}

void str_buf_fini(struct str_buf *b)
{
	free(b->p);
	*b = (struct str_buf){0};
}

void str_buf_clear(struct str_buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = '\0';
}

char *str_buf_room(struct str_buf *b, size_t n)
{
	size_t need = b->n + n + 1;

	CHECK(need > n);
	if (need > b->size) {
		size_t size = b->size * 2 > need ? b->size * 2 : need;

		b->size = size < 64 ? 64 : size;
		b->p = mem_realloc(b->p, b->size);
		b->p[b->n] = '\0';
	}
	return b->p + b->n;
}

void str_buf_put(struct str_buf *b, const void *bytes, size_t n)
{
	char *to = str_buf_room(b, n);

	if (n)
		memcpy(to, bytes, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void str_buf_putc(struct str_buf *b, char c)
{
	str_buf_put(b, &c, 1);
}

void str_buf_puts(struct str_buf *b, const char *s)
{
	str_buf_put(b, s, strlen(s));
}

void str_buf_vprintf(struct str_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	str_buf_room(b, 80);
	n = vsnprintf(b->p + b->n, b->size - b->n, fmt, ap);
	CHECK(n >= 0);
	if ((size_t)n >= b->size - b->n) {
		str_buf_room(b, (size_t)n);
		vsnprintf(b->p + b->n, b->size - b->n, fmt, again);
	}
	va_end(again);
	b->n += (size_t)n;
}

void str_buf_printf(struct str_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void str_buf_put_number(struct str_buf *b, uint64_t n)
{
	char digits[20];
	size_t i = sizeof digits;

	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	str_buf_put(b, digits + i, sizeof digits - i);
}

void str_buf_consume(struct str_buf *b, size_t n)
{
	CHECK(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = '\0';
}

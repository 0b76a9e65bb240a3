/*
 * Strings: a borrowed view, and a growing buffer.  Both may hold any bytes, NUL included; a
 * buffer always has a NUL behind its last byte, so that b.p is a C string where it has none inside.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str_view {
	const char *p; /* borrowed; whoever gives one says until when */
	size_t n;
};

struct str_buf {
	char *p; /* NULL while nothing was ever put */
	size_t n, size;
};

#define SV(literal) ((struct str_view){(literal), sizeof(literal) - 1})
static inline struct str_view str_view(const char *s, size_t n)
{
	return (struct str_view){s, n};
}

bool str_equal(struct str_view a, struct str_view b);
bool str_equal_nocase(struct str_view a, struct str_view b); /* ASCII letters only */
bool str_begins_nocase(struct str_view s, struct str_view prefix);
struct str_view str_trim(struct str_view s); /* blanks, tabs, CR, LF off both ends */
/* Cuts the next word (up to a blank or tab) off the front of *rest. */
struct str_view str_word(struct str_view *rest);
/* Whole view as a decimal number without sign; false if it is none or over max. */
bool str_number(struct str_view s, uint64_t max, uint64_t *n_r);

/* A zeroed struct str_buf is empty.  fini frees; clear keeps the memory. */
void str_buf_fini(struct str_buf *b);
void str_buf_clear(struct str_buf *b);
/* Room for n more bytes; returns where they go; the caller then adds to b->n. */
char *str_buf_room(struct str_buf *b, size_t n);
void str_buf_put(struct str_buf *b, const void *bytes, size_t n);
void str_buf_putc(struct str_buf *b, char c);
void str_buf_puts(struct str_buf *b, const char *s);
void str_buf_printf(struct str_buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_buf_vprintf(struct str_buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void str_buf_put_number(struct str_buf *b, uint64_t n); /* decimal, faster than printf */
/* Removes n bytes at the front. */
void str_buf_consume(struct str_buf *b, size_t n);
static inline struct str_view str_buf_view(const struct str_buf *b)
{
	return (struct str_view){b->p ? b->p : "", b->n};
}

#endif

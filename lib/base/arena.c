/*
 * base/arena.c - a chain of blocks, newest first; freed whole.
 *
 * The first block is small: thousands of arenas hold a few words each while their owner waits (a
 * client that idles, a folder's keywords), and a page for each would be most of what it costs.
 */
#include "base/arena.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_BYTES 224
#define BLOCK_BYTES 4000

struct arena_block {
	struct arena_block *older;
	size_t used, size;
	_Alignas(16) unsigned char data[];
};

void arena_fini(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->older;
		free(b);
	}
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->blocks;
	size_t need = (n + 15) & ~(size_t)15;

	CHECK(need >= n);
	if (!b || b->size - b->used < need) {
		size_t size = b ? BLOCK_BYTES : FIRST_BLOCK_BYTES;

		if (size < need)
			size = need;
		b = mem_alloc(sizeof *b + size);
		b->size = size;
		b->used = 0;
		b->older = a->blocks;
		a->blocks = b;
	}
	void *p = b->data + b->used;

	b->used += need;
	return p;
}

void *arena_copy(struct arena *a, const void *bytes, size_t n)
{
	void *p = arena_alloc(a, n);

	if (n)
		memcpy(p, bytes, n);
	return p;
}

char *arena_strn(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

char *arena_str(struct arena *a, const char *s)
{
	return arena_strn(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	struct str_buf text = {0};
	va_list ap;
	char *p;

	va_start(ap, fmt);
	str_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	p = arena_strn(a, text.p, text.n);
	str_buf_fini(&text);
	return p;
}

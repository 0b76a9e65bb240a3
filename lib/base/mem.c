/* base/mem.c - heap memory that can't fail. */
#include "base/mem.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void *mem_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	CHECK(p && "out of memory");
	return p;
}

void *mem_realloc(void *old, size_t n)
{
	void *p = realloc(old, n ? n : 1);

	CHECK(p && "out of memory");
	return p;
}

char *mem_str(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_alloc(n), s, n);
}

char *mem_strn(const char *s, size_t n)
{
	char *p = mem_alloc(n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

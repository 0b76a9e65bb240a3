/* Heap memory that can't fail: out of memory ends the process.  mem_alloc's memory is zeroed. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n_bytes);
void *mem_realloc(void *p, size_t n_bytes);
char *mem_str(const char *s);
/* n bytes, with a NUL behind; s may be NULL where n is 0. */
char *mem_strn(const char *s, size_t n);

/* Frees what *pp points to and sets it NULL. */
#define mem_free(pp) (free(*(pp)), *(pp) = NULL)

#endif

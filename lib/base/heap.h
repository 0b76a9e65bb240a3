/*
 * A heap apart from malloc's, for what comes in bulk and goes in bulk: what a burst of work took between blocks
 * that live on would else hold the pages they lie in.  Small blocks of one size lie together, and pages in which
 * nothing is left are given back by heap_rest.  What is over 16 KB is malloc's.  Any thread; NULL: no memory.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>

/* False where an address sanitizer is to see each block: who has the choice takes malloc then. */
#if defined(__has_feature)
#define HEAP_HAS_FEATURE(name) __has_feature(name)
#else
#define HEAP_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HEAP_HAS_FEATURE(address_sanitizer)
#define HEAP_IS_WANTED 0
#else
#define HEAP_IS_WANTED 1
#endif

void *heap_alloc(size_t n_bytes);
/* p NULL: a new one; NULL leaves the old one as it is. */
void *heap_realloc(void *p, size_t n_bytes);
void heap_free(void *p);
/* How much the block has room for, and what a block for n bytes would have. */
size_t heap_size(void *p);
size_t heap_roundup(size_t n_bytes);
/* Gives back the pages in which there is nothing, malloc's as well: not for where time matters. */
void heap_rest(void);

#endif

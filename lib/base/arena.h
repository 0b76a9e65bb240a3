/*
 * Memory that is freed whole: one arena per command, one per session.  Small allocations can't
 * fail (the process aborts); anything whose size a peer chooses is bounded by a setting first.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"

#include <stddef.h>

struct arena {
	struct arena_block *blocks;
};

/* A zeroed struct arena is an empty arena.  arena_fini frees all; the arena may be used again. */
void arena_fini(struct arena *a);

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n_bytes);
void *arena_copy(struct arena *a, const void *bytes, size_t n_bytes);
/* Copies with a NUL behind. */
char *arena_str(struct arena *a, const char *s);
char *arena_strn(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif

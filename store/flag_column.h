/*
 * Flags and keywords of a folder's messages in the order of their numbers: an octet a message, and
 * eight more once one of them has a keyword.
 */
#ifndef STORE_FLAG_COLUMN_H
#define STORE_FLAG_COLUMN_H

#include "store/message.h"

#include <stddef.h>
#include <stdint.h>

struct flag_state {
	uint64_t keywords;
	uint8_t flags; /* enum store_flag */
};

/* Zeroed: empty. */
struct flag_column {
	uint8_t *flags;
	uint64_t *keywords; /* NULL: none has any */
	uint32_t n, room;
	uint32_t seen_n; /* the first so many have \Seen */
};

void flag_column_fini(struct flag_column *column);
void flag_column_append(struct flag_column *column, struct flag_state state);
/* i: from 0, below n. */
void flag_column_set(struct flag_column *column, uint32_t i, struct flag_state state);
static inline struct flag_state flag_column_get(const struct flag_column *column, uint32_t i)
{
	return (struct flag_state){column->keywords ? column->keywords[i] : 0, column->flags[i]};
}
/* Takes places (ascending, each once) out. */
void flag_column_remove(struct flag_column *column, const uint32_t *places, uint32_t n);
/* The first message without \Seen; n where all have it.  It goes on from where it last ended. */
uint32_t flag_column_unseen(struct flag_column *column);
size_t flag_column_octets(const struct flag_column *column);

#endif

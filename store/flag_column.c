/* store/flag_column.c - flags and keywords by number. */
#include "store/flag_column.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void flag_column_fini(struct flag_column *column)
{
	free(column->flags);
	free(column->keywords);
	*column = (struct flag_column){0};
}

/* Keywords of messages that were without are 0. */
static void keywords_resize(struct flag_column *column, uint32_t known)
{
	column->keywords = mem_realloc(column->keywords, column->room * sizeof *column->keywords);
	memset(column->keywords + known, 0, (column->room - known) * sizeof *column->keywords);
}

static void put(struct flag_column *column, uint32_t i, struct flag_state state)
{
	column->flags[i] = state.flags;
	if (state.keywords && !column->keywords)
		keywords_resize(column, 0);
	if (column->keywords)
		column->keywords[i] = state.keywords;
	if (i < column->seen_n && !(state.flags & STORE_FLAG_SEEN))
		column->seen_n = i;
}

void flag_column_append(struct flag_column *column, struct flag_state state)
{
	if (column->n == column->room) {
		column->room += column->room / 4 + 16;
		column->flags = mem_realloc(column->flags, column->room);
		if (column->keywords)
			keywords_resize(column, column->n);
	}
	put(column, column->n++, state);
}

void flag_column_set(struct flag_column *column, uint32_t i, struct flag_state state)
{
	CHECK(i < column->n);
	put(column, i, state);
}

void flag_column_remove(struct flag_column *column, const uint32_t *places, uint32_t n)
{
	uint32_t seen_n = column->seen_n;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t from = places[k] + 1, to = k + 1 < n ? places[k + 1] : column->n;

		CHECK(from <= to && to <= column->n);
		memmove(&column->flags[from - 1 - k], &column->flags[from], to - from);
		if (column->keywords)
			memmove(&column->keywords[from - 1 - k], &column->keywords[from],
			    (to - from) * sizeof *column->keywords);
		seen_n -= places[k] < column->seen_n;
	}
	column->n -= n;
	column->seen_n = seen_n;
}

uint32_t flag_column_unseen(struct flag_column *column)
{
	const uint64_t all_seen = 0x0101010101010101u * STORE_FLAG_SEEN;
	uint32_t i = column->seen_n;
	uint64_t eight;

	for (; i + 8 <= column->n; i += 8) {
		memcpy(&eight, &column->flags[i], 8);
		if ((eight & all_seen) != all_seen)
			break;
	}
	while (i < column->n && (column->flags[i] & STORE_FLAG_SEEN))
		i++;
	column->seen_n = i;
	return i;
}

size_t flag_column_octets(const struct flag_column *column)
{
	return column->room * (sizeof *column->flags + (column->keywords ? sizeof *column->keywords : 0));
}

/* imapd/sort.c - a message is reduced to the values its program asks for, side by side in one array;
 * texts are compared by their octets, which is what the comparator's form is for. */
#include "imapd/sort.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct sort_text {
	size_t n;
	char octets[];
};

union sort_value {
	int64_t number;
	const struct sort_text *text;
};

struct sort_item {
	uint32_t seq;
	union sort_value values[]; /* program->n */
};

static const struct {
	const char *name;
	bool is_text;
	enum keys_what what;
} bys[] = {
	[SORT_ARRIVAL] = {"ARRIVAL", false, KEYS_ROW},
	[SORT_CC] = {"CC", true, KEYS_SORT},
	[SORT_DATE] = {"DATE", false, KEYS_SORT},
	[SORT_DISPLAYFROM] = {"DISPLAYFROM", true, KEYS_SORT},
	[SORT_DISPLAYTO] = {"DISPLAYTO", true, KEYS_SORT},
	[SORT_FROM] = {"FROM", true, KEYS_SORT},
	[SORT_SIZE] = {"SIZE", false, KEYS_ROW},
	[SORT_SUBJECT] = {"SUBJECT", true, KEYS_SORT},
	[SORT_TO] = {"TO", true, KEYS_SORT},
};

/* --- the program ----------------------------------------------------------------------------- */

static bool take_by(struct parse *p, struct sort_program *program)
{
	bool reverse = parse_try_word(p, "REVERSE");
	bool known = false;
	size_t by;

	if (reverse && !parse_space(p))
		return false;
	for (by = 0; by < SORT_BYS_N; by++)
		if (parse_try_word(p, bys[by].name))
			break;
	if (by == SORT_BYS_N)
		return parse_bad(p, "There is no such sort key");
	for (size_t i = 0; i < program->n; i++)
		known |= program->keys[i].by == by;
	if (!known) {
		program->keys[program->n].by = (enum sort_by)by;
		program->keys[program->n++].reverse = reverse;
	}
	return true;
}

bool sort_parse(struct parse *p, struct sort_program *program)
{
	uint32_t n = 0;

	if (!parse_char(p, '('))
		return false;
	do {
		if (++n > p->limits->list_max)
			return parse_bad(p, "The list is too long");
		if (!take_by(p, program))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

enum keys_what sort_what(const struct sort_program *program)
{
	for (size_t i = 0; i < program->n; i++)
		if (bys[program->keys[i].by].what == KEYS_SORT)
			return KEYS_SORT;
	return KEYS_ROW;
}

size_t sort_item_octets(const struct sort_program *program)
{
	return sizeof(struct sort_item) + program->n * sizeof(union sort_value);
}

/* --- messages -------------------------------------------------------------------------------- */

static int64_t number_of(const struct message_keys *keys, enum sort_by by)
{
	return by == SORT_ARRIVAL ? keys->arrival_ms : by == SORT_DATE ? keys->sent_ms :
	        (int64_t)keys->size;
}

static struct str_view text_of(const struct message_keys *keys, enum sort_by by)
{
	switch (by) {
	case SORT_CC:
		return keys->cc;
	case SORT_DISPLAYFROM:
		return keys->display_from;
	case SORT_DISPLAYTO:
		return keys->display_to;
	case SORT_FROM:
		return keys->from;
	case SORT_TO:
		return keys->to;
	default:
		return keys->subject;
	}
}

static const struct sort_text *keep(struct sort *sort, struct str_view text)
{
	struct sort_text *kept = arena_alloc(&sort->texts, sizeof *kept + text.n);

	kept->n = text.n;
	if (text.n)
		memcpy(kept->octets, text.p, text.n);
	return kept;
}

void sort_add(struct sort *sort, const struct message_keys *keys, uint32_t seq)
{
	size_t octets = sort_item_octets(sort->program);
	struct sort_item *item;

	if (sort->n == sort->room) {
		sort->room = sort->room ? sort->room * 2 : 64;
		sort->items = mem_realloc(sort->items, sort->room * octets);
	}
	item = (struct sort_item *)(void *)(sort->items + sort->n++ * octets);
	item->seq = seq;
	for (size_t i = 0; i < sort->program->n; i++) {
		enum sort_by by = sort->program->keys[i].by;

		if (bys[by].is_text)
			item->values[i].text = keep(sort, text_of(keys, by));
		else
			item->values[i].number = number_of(keys, by);
	}
}

static int compare_texts(struct str_view a, struct str_view b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int diff = n ? memcmp(a.p, b.p, n) : 0;

	return diff ? diff : (a.n > b.n) - (a.n < b.n);
}

int sort_compare(const struct sort_program *program, const struct message_keys *a,
    const struct message_keys *b)
{
	for (size_t i = 0; i < program->n; i++) {
		enum sort_by by = program->keys[i].by;
		int64_t v = number_of(a, by), w = number_of(b, by);
		int diff = bys[by].is_text ? compare_texts(text_of(a, by), text_of(b, by)) :
		        (v > w) - (v < w);

		if (diff)
			return program->keys[i].reverse ? -diff : diff;
	}
	return (a->uid.n > b->uid.n) - (a->uid.n < b->uid.n);
}

static struct str_view kept_text(union sort_value value)
{
	return str_view(value.text->octets, value.text->n);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct sort_item *x = a, *y = b;
	const struct sort_program *program = arg;

	for (size_t i = 0; i < program->n; i++) {
		union sort_value v = x->values[i], w = y->values[i];
		int diff = bys[program->keys[i].by].is_text ? compare_texts(kept_text(v), kept_text(w)) :
		        (v.number > w.number) - (v.number < w.number);

		if (diff)
			return program->keys[i].reverse ? -diff : diff;
	}
	/* RFC 5256 3: equal in all keys, in the order of their numbers, REVERSE or not. */
	return (x->seq > y->seq) - (x->seq < y->seq);
}

void sort_run(struct sort *sort, uint32_t *order)
{
	size_t octets = sort_item_octets(sort->program);

	if (!sort->n)
		return;
	qsort_r(sort->items, sort->n, octets, compare, (void *)(uintptr_t)sort->program);
	for (size_t i = 0; i < sort->n; i++)
		order[i] = ((struct sort_item *)(void *)(sort->items + i * octets))->seq;
}

void sort_fini(struct sort *sort)
{
	arena_fini(&sort->texts);
	free(sort->items);
	*sort = (struct sort){0};
}

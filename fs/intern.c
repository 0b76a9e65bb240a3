/* fs/intern.c - names by number. */
#include "fs/intern.h"

#include "fs/tree.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct name_entry {
	struct name_entry *next;
	uint32_t number;
	char name[];
};

static size_t hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32);
}

static void grow(struct tree *t)
{
	size_t size = t->interned_size ? t->interned_size * 2 : 64;
	struct name_entry **table = mem_alloc(size * sizeof(struct name_entry *)), *next;

	for (size_t i = 0; i < t->interned_size; i++)
		for (struct name_entry *n = t->interned[i]; n; n = next) {
			struct name_entry **at = &table[hash(n->name) & (size - 1)];

			next = n->next;
			n->next = *at;
			*at = n;
		}
	free(t->interned);
	t->interned = table;
	t->interned_size = size;
}

uint32_t intern(struct tree *t, const char *name)
{
	struct name_entry *n = NULL;
	uint32_t number = 0;

	pthread_mutex_lock(&t->lock);
	if (t->interned_n >= t->interned_size)
		grow(t);
	for (n = t->interned[hash(name) & (t->interned_size - 1)]; n; n = n->next)
		if (strcmp(n->name, name) == 0)
			break;
	if (!n) {
		struct name_entry **at = &t->interned[hash(name) & (t->interned_size - 1)];

		n = mem_alloc(sizeof *n + strlen(name) + 1);
		memcpy(n->name, name, strlen(name) + 1);
		if ((n->number = slots_add(&t->names, n)) == 0) {
			mem_free(&n);
		} else {
			n->next = *at;
			*at = n;
			t->interned_n++;
		}
	}
	if (n)
		number = n->number;
	pthread_mutex_unlock(&t->lock);
	return number;
}

const char *intern_name(struct tree *t, uint32_t number)
{
	struct name_entry *n = slots_get(&t->names, number);

	return n ? n->name : NULL;
}

void intern_fini(struct tree *t)
{
	struct name_entry *next;

	for (size_t i = 0; i < t->interned_size; i++)
		for (struct name_entry *n = t->interned[i]; n; n = next) {
			next = n->next;
			free(n);
		}
	free(t->interned);
}

/*
 * store/directory_cache.c - users that this process looked up, of one generation of the directory
 * (generation.h).  So a cache is never behind a commit that returned.
 *
 * Names of nobody are remembered as well, in a table of their own, where each pushes out one other: so whoever asks for
 * many pushes out no user, and who asks for one again and again learns nothing from how long it takes.  Of those the
 * hash alone is kept, since nobody can aim for its collisions (hash.h), and none comes by chance.
 */
#include "store/directory_priv.h"

#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_MAX 4096 /* entries; then all go, and come back as they are asked for */

struct cached {
	struct cached *next;
	struct arena arena; /* of key and user */
	const char *key;
	struct directory_user user;
};

void directory_cache_clear(struct directory *d)
{
	for (size_t i = 0; i < DIRECTORY_BUCKETS; i++) {
		struct cached *next;

		for (struct cached *c = d->buckets[i]; c; c = next) {
			next = c->next;
			arena_fini(&c->arena);
			free(c);
		}
		d->buckets[i] = NULL;
	}
	d->cached_n = 0;
	memset(d->nobodies, 0, sizeof d->nobodies);
}

/* Never 0. */
static uint64_t nobody_hash(const char *key)
{
	return hash_bytes(key, strlen(key)) | 1;
}

/* The hash's last bit says nothing. */
static size_t nobody_slot(uint64_t hash)
{
	return (hash >> 1) % DIRECTORY_NOBODIES;
}

bool directory_cache_is_nobody(const struct directory *d, const char *key)
{
	uint64_t hash = nobody_hash(key);

	return d->nobodies[nobody_slot(hash)] == hash;
}

void directory_cache_put_nobody(struct directory *d, const char *key)
{
	uint64_t hash = nobody_hash(key);

	d->nobodies[nobody_slot(hash)] = hash;
}

static size_t bucket_of(const char *key)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return h % DIRECTORY_BUCKETS;
}

void directory_user_copy(struct arena *arena, const struct directory_user *from,
    struct directory_user *to)
{
	*to = *from;
	to->name = arena_str(arena, from->name);
	to->policy = from->policy ? arena_str(arena, from->policy) : NULL;
	to->unix_account = from->unix_account ? arena_str(arena, from->unix_account) : NULL;
}

const struct directory_user *directory_cache_find(struct directory *d, const char *key)
{
	for (struct cached *c = d->buckets[bucket_of(key)]; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return &c->user;
	return NULL;
}

void directory_cache_put(struct directory *d, const char *key, const struct directory_user *user)
{
	struct cached *c, **bucket;

	if (d->cached_n >= CACHE_MAX)
		directory_cache_clear(d);
	c = mem_alloc(sizeof *c);
	c->key = arena_str(&c->arena, key);
	directory_user_copy(&c->arena, user, &c->user);
	bucket = &d->buckets[bucket_of(key)];
	c->next = *bucket;
	*bucket = c;
	d->cached_n++;
}

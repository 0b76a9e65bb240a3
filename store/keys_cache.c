/*
 * store/keys_cache.c - two generations: what is used goes into the young one; when that holds half of
 * what may be held, the old one is thrown away whole and the young one is old.  So what is asked for
 * stays, what is not goes, and no list is kept of who was asked when.
 */
#include "store/keys_cache.h"

#include "base/hash.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct keys_name name;
	const char *p; /* NULL: free */
	size_t n;
};

struct generation {
	struct entry *table; /* open addressing, at most half full */
	size_t n, room;      /* room: a power of two */
	struct arena arena;
	size_t octets;
};

struct keys_cache {
	pthread_mutex_t lock;
	struct generation young, old;
};

struct keys_cache *keys_cache_new(void)
{
	struct keys_cache *cache = mem_alloc(sizeof *cache);

	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

static void generation_fini(struct generation *g)
{
	free(g->table);
	arena_fini(&g->arena);
	*g = (struct generation){0};
}

void keys_cache_free(struct keys_cache **cache)
{
	if (!*cache)
		return;
	generation_fini(&(*cache)->young);
	generation_fini(&(*cache)->old);
	pthread_mutex_destroy(&(*cache)->lock);
	mem_free(cache);
}

static bool same(const struct keys_name *a, const struct keys_name *b)
{
	return a->content == b->content && a->user == b->user && a->what == b->what;
}

/* Where the name stands, or would; NULL where there is no table. */
static struct entry *find(const struct generation *g, const struct keys_name *name)
{
	const uint64_t words[] = {name->user, name->content, name->what};
	size_t at;

	if (!g->room)
		return NULL;
	at = hash_bytes(words, sizeof words) & (g->room - 1);
	while (g->table[at].p && !same(&g->table[at].name, name))
		at = (at + 1) & (g->room - 1);
	return &g->table[at];
}

static void grow(struct generation *g)
{
	struct generation wider = *g;

	wider.room = g->room ? g->room * 2 : 1024;
	wider.table = mem_alloc(wider.room * sizeof *wider.table);
	for (size_t i = 0; i < g->room; i++)
		if (g->table[i].p)
			*find(&wider, &g->table[i].name) = g->table[i];
	wider.octets += (wider.room - g->room) * sizeof *wider.table;
	free(g->table);
	*g = wider;
}

static const struct entry *keep(struct generation *g, const struct keys_name *name,
    struct str_view record)
{
	struct entry *at;

	if ((g->n + 1) * 2 > g->room)
		grow(g);
	at = find(g, name);
	if (at->p)
		return at;
	*at = (struct entry){*name, arena_strn(&g->arena, record.p, record.n), record.n};
	g->n++;
	g->octets += record.n + 1;
	return at;
}

bool keys_cache_get(struct keys_cache *cache, const struct keys_name *name, struct arena *arena,
    struct str_view *record_r)
{
	const struct entry *at;

	pthread_mutex_lock(&cache->lock);
	at = find(&cache->young, name);
	if (!at || !at->p) {
		at = find(&cache->old, name);
		if (at && at->p)
			at = keep(&cache->young, name, str_view(at->p, at->n));
	}
	if (at && at->p)
		*record_r = str_view(arena_copy(arena, at->p, at->n), at->n);
	pthread_mutex_unlock(&cache->lock);
	return at && at->p;
}

void keys_cache_put(struct keys_cache *cache, const struct keys_name *name, struct str_view record,
    size_t octets_max)
{
	pthread_mutex_lock(&cache->lock);
	if (cache->young.octets + record.n > octets_max / 2) {
		generation_fini(&cache->old);
		cache->old = cache->young;
		cache->young = (struct generation){0};
	}
	if (record.n <= octets_max / 2)
		keep(&cache->young, name, record);
	pthread_mutex_unlock(&cache->lock);
}

/*
 * store/content_cache.c - records of contents, in blocks that go with the whole of a mailbox's.
 *
 * Numbers of contents are given one after the other, so a table finds a run of them in neighbouring places,
 * and the blocks hold their records one behind the other.
 */
#include "store/content_cache_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_LEAST 1024u
#define BLOCK_MOST 262144u
#define TABLE_LEAST 16u
/* So many contents in a row lie in a row. */
#define RUN_BITS 9

struct record {
	size_t n;
	char octets[];
};

struct block {
	struct block *older;
	size_t size, used;
	_Alignas(void *) char octets[];
};

struct table {
	struct entry {
		uint64_t content;
		const struct record *record; /* NULL: free */
	} *p;
	size_t n, room; /* room: a power of two, at most half of it in use */
	uint64_t first; /* the lowest content */
};

struct content_cache {
	struct store_site *site;
	/* under site->lock: */
	unsigned borrowed;
	int64_t used_ms;
	size_t bytes;

	pthread_mutex_t lock; /* what follows; taken before site->lock */
	struct table tables[CONTENT_KINDS];
	struct block *blocks;
};

/* ---- a mailbox's ---- */

void content_cache_free(struct mailbox *mb)
{
	struct content_cache *cache = mb->contents;
	struct block *older;

	if (!cache)
		return;
	mb->contents = NULL;
	cache->site->content_bytes -= cache->bytes;
	for (size_t i = 0; i < CONTENT_KINDS; i++)
		free(cache->tables[i].p);
	for (struct block *b = cache->blocks; b; b = older) {
		older = b->older;
		free(b);
	}
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

void content_caches_trim(struct store_site *ss, int64_t used_before_ms)
{
	for (size_t i = 0; i < MAILBOX_BUCKETS && ss->content_bytes; i++)
		for (struct mailbox *mb = ss->buckets[i]; mb; mb = mb->next)
			if (mb->contents && !mb->contents->borrowed &&
			    mb->contents->used_ms < used_before_ms)
				content_cache_free(mb);
}

static struct content_cache *borrow(struct mailbox *mb, bool make)
{
	struct store_site *ss = mb->site;
	struct content_cache *cache;

	pthread_mutex_lock(&ss->lock);
	cache = mb->contents;
	if (!cache && make) {
		cache = mb->contents = mem_alloc(sizeof *cache);
		cache->site = ss;
		cache->bytes = sizeof *cache;
		ss->content_bytes += cache->bytes;
		pthread_mutex_init(&cache->lock, NULL);
	}
	if (cache)
		cache->borrowed++;
	pthread_mutex_unlock(&ss->lock);
	return cache;
}

struct content_cache *content_cache_borrow(struct mailbox *mb)
{
	return borrow(mb, true);
}

struct content_cache *content_cache_borrow_made(struct mailbox *mb)
{
	return borrow(mb, false);
}

void content_cache_return(struct mailbox *mb, struct content_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_lock(&mb->site->lock);
	cache->borrowed--;
	cache->used_ms = clock_mono_ms();
	pthread_mutex_unlock(&mb->site->lock);
}

/* ---- room ---- */

/* Under site->lock: forgets what was not used for longest; false: all are in use. */
static bool forget_oldest(struct store_site *ss)
{
	struct mailbox *oldest = NULL;

	for (size_t i = 0; i < MAILBOX_BUCKETS; i++)
		for (struct mailbox *mb = ss->buckets[i]; mb; mb = mb->next)
			if (mb->contents && !mb->contents->borrowed &&
			    (!oldest || mb->contents->used_ms < oldest->contents->used_ms))
				oldest = mb;
	if (oldest)
		content_cache_free(oldest);
	return oldest != NULL;
}

static bool take_bytes(struct content_cache *cache, size_t bytes)
{
	struct store_site *ss = cache->site;
	size_t most = setting_get(ss->site, SETTING_CONTENT_CACHE_MAX);
	bool room = true;

	pthread_mutex_lock(&ss->lock);
	while (room && ss->content_bytes + bytes > most)
		room = forget_oldest(ss);
	if (room) {
		ss->content_bytes += bytes;
		cache->bytes += bytes;
	}
	pthread_mutex_unlock(&ss->lock);
	return room;
}

/* Blocks grow, so that a small mailbox takes little and a large one few. */
static struct record *room_for(struct content_cache *cache, size_t n)
{
	size_t octets = (sizeof(struct record) + n + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
	struct block *b = cache->blocks;

	if (!b || b->size - b->used < octets) {
		size_t size = b && b->size * 2 < BLOCK_MOST ? b->size * 2 : b ? BLOCK_MOST : BLOCK_LEAST;

		if (size < octets)
			size = octets;
		if (!take_bytes(cache, sizeof *b + size))
			return NULL;
		b = mem_realloc(NULL, sizeof *b + size);
		*b = (struct block){.older = cache->blocks, .size = size};
		cache->blocks = b;
	}
	b->used += octets;
	return (struct record *)(void *)(b->octets + b->used - octets);
}

/* ---- tables ---- */

/* Where the content stands, or would; the table has free places. */
static struct entry *place_of(const struct table *t, uint64_t content)
{
	size_t at = content + (content >> RUN_BITS) * 0x9e3779b97f4a7c15u;

	while (t->p[at & (t->room - 1)].record && t->p[at & (t->room - 1)].content != content)
		at++;
	return &t->p[at & (t->room - 1)];
}

static bool grow(struct content_cache *cache, struct table *t)
{
	struct table wider = {.n = t->n, .room = t->room ? t->room * 2 : TABLE_LEAST, .first = t->first};

	if (!take_bytes(cache, (wider.room - t->room) * sizeof *t->p))
		return false;
	wider.p = mem_alloc(wider.room * sizeof *wider.p);
	for (size_t i = 0; i < t->room; i++)
		if (t->p[i].record)
			*place_of(&wider, t->p[i].content) = t->p[i];
	free(t->p);
	*t = wider;
	return true;
}

bool content_cache_find(struct content_cache *cache, enum content_kind kind, uint64_t content,
    struct str_view *record_r)
{
	const struct table *t = &cache->tables[kind];
	const struct record *record = NULL;

	pthread_mutex_lock(&cache->lock);
	if (t->n)
		record = place_of(t, content)->record;
	pthread_mutex_unlock(&cache->lock);
	if (record)
		*record_r = str_view(record->octets, record->n);
	return record != NULL;
}

void content_cache_keep(struct content_cache *cache, enum content_kind kind, uint64_t content,
    struct str_view record)
{
	struct table *t = &cache->tables[kind];
	struct entry *place;
	struct record *room;

	pthread_mutex_lock(&cache->lock);
	if ((t->n * 2 < t->room || grow(cache, t)) && !(place = place_of(t, content))->record &&
	    (room = room_for(cache, record.n))) {
		room->n = record.n;
		memcpy(room->octets, record.p, record.n);
		*place = (struct entry){content, room};
		if (!t->n++ || content < t->first)
			t->first = content;
	}
	pthread_mutex_unlock(&cache->lock);
}

uint64_t content_cache_first(struct content_cache *cache, enum content_kind kind)
{
	const struct table *t = &cache->tables[kind];
	uint64_t first;

	pthread_mutex_lock(&cache->lock);
	first = t->n ? t->first : UINT64_MAX;
	pthread_mutex_unlock(&cache->lock);
	return first;
}

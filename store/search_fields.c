/*
 * store/search_fields.c - the header fields that people search, decoded and mapped, kept in memory.
 *
 * Without it a search for a subject reads and decodes a header for each message, microseconds; with it,
 * it looks through octets that lie one behind the other.  Numbers of contents are given one after the
 * other in a mailbox, so pages of pointers are the index.
 */
#include "store/search_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "mime/decode.h"

#include <stdlib.h>
#include <string.h>

static const struct str_view names[SEARCH_FIELDS_N] = {{"subject", 7}, {"from", 4}, {"to", 2},
    {"cc", 2}, {"bcc", 3}, {"message-id", 10}};

#define VALUE_END '\xff'

size_t search_field_of(struct str_view name)
{
	size_t field = 0;

	while (field < SEARCH_FIELDS_N && !str_equal_nocase(names[field], name))
		field++;
	return field;
}

void search_fields_make(struct str_view header, struct str_buf *out)
{
	struct str_buf values[SEARCH_FIELDS_N] = {0}, text = {0};
	struct search_fields fields;
	struct str_view name, value;
	uint32_t at = 0;

	while (mime_header_next(&header, &name, &value)) {
		size_t field = search_field_of(name);

		if (field == SEARCH_FIELDS_N)
			continue;
		str_buf_clear(&text);
		mime_header_value(value, &text);
		mime_casemap(str_buf_view(&text), &values[field]);
		str_buf_putc(&values[field], VALUE_END);
	}
	for (size_t i = 0; i < SEARCH_FIELDS_N; i++)
		fields.end[i] = at += (uint32_t)values[i].n;
	str_buf_clear(out);
	str_buf_put(out, &fields, sizeof fields);
	for (size_t i = 0; i < SEARCH_FIELDS_N; i++) {
		str_buf_put(out, values[i].p, values[i].n);
		str_buf_fini(&values[i]);
	}
	str_buf_fini(&text);
}

/* ---- the cache ---- */

#define PAGE 512u
/* A number beyond is that of a damaged mailbox, or of one that took half a billion messages. */
#define PAGES_MAX (1u << 20)
#define BLOCK_LEAST 4096u
#define BLOCK_MOST 262144u

struct block {
	struct block *older;
	size_t size, used;
	_Alignas(uint32_t) char octets[];
};

struct search_cache {
	struct store_site *site;
	/* under site->lock: */
	unsigned borrowed;
	int64_t used_ms;
	size_t bytes;

	pthread_mutex_t lock; /* what follows; taken before site->lock */
	const struct search_fields ***pages;
	size_t pages_n;
	struct block *blocks;
};

void search_cache_free(struct mailbox *mb)
{
	struct search_cache *cache = mb->search;
	struct block *older;

	if (!cache)
		return;
	mb->search = NULL;
	cache->site->search_bytes -= cache->bytes;
	for (size_t i = 0; i < cache->pages_n; i++)
		free(cache->pages[i]);
	free(cache->pages);
	for (struct block *b = cache->blocks; b; b = older) {
		older = b->older;
		free(b);
	}
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

void search_caches_trim(struct store_site *ss, int64_t used_before_ms)
{
	for (size_t i = 0; i < MAILBOX_BUCKETS && ss->search_bytes; i++)
		for (struct mailbox *mb = ss->buckets[i]; mb; mb = mb->next)
			if (mb->search && !mb->search->borrowed && mb->search->used_ms < used_before_ms)
				search_cache_free(mb);
}

struct search_cache *search_cache_borrow(struct mailbox *mb)
{
	struct store_site *ss = mb->site;
	struct search_cache *cache;

	pthread_mutex_lock(&ss->lock);
	cache = mb->search;
	if (!cache) {
		cache = mb->search = mem_alloc(sizeof *cache);
		cache->site = ss;
		cache->bytes = sizeof *cache;
		ss->search_bytes += cache->bytes;
		pthread_mutex_init(&cache->lock, NULL);
	}
	cache->borrowed++;
	pthread_mutex_unlock(&ss->lock);
	return cache;
}

void search_cache_return(struct mailbox *mb)
{
	pthread_mutex_lock(&mb->site->lock);
	mb->search->borrowed--;
	mb->search->used_ms = clock_mono_ms();
	pthread_mutex_unlock(&mb->site->lock);
}

/* Under site->lock: forgets what was not used for longest; false: all are in use. */
static bool forget_oldest(struct store_site *ss)
{
	struct mailbox *oldest = NULL;

	for (size_t i = 0; i < MAILBOX_BUCKETS; i++)
		for (struct mailbox *mb = ss->buckets[i]; mb; mb = mb->next)
			if (mb->search && !mb->search->borrowed &&
			    (!oldest || mb->search->used_ms < oldest->search->used_ms))
				oldest = mb;
	if (oldest)
		search_cache_free(oldest);
	return oldest != NULL;
}

static bool take_bytes(struct search_cache *cache, size_t bytes)
{
	struct store_site *ss = cache->site;
	size_t most = setting_get(ss->site, SETTING_SEARCH_CACHE_MAX);
	bool room = true;

	pthread_mutex_lock(&ss->lock);
	while (room && ss->search_bytes + bytes > most)
		room = forget_oldest(ss);
	if (room) {
		ss->search_bytes += bytes;
		cache->bytes += bytes;
	}
	pthread_mutex_unlock(&ss->lock);
	return room;
}

/* Where the pointer to a content's fields stands; NULL: there is no room for it. */
static const struct search_fields **place_of(struct search_cache *cache, uint64_t content)
{
	uint64_t page = content / PAGE;

	if (page >= PAGES_MAX)
		return NULL;
	if (page >= cache->pages_n) {
		size_t n = (size_t)page + 1 + cache->pages_n / 2;

		if (!take_bytes(cache, (n - cache->pages_n) * sizeof *cache->pages))
			return NULL;
		cache->pages = mem_realloc(cache->pages, n * sizeof *cache->pages);
		memset(cache->pages + cache->pages_n, 0, (n - cache->pages_n) * sizeof *cache->pages);
		cache->pages_n = n;
	}
	if (!cache->pages[page]) {
		if (!take_bytes(cache, PAGE * sizeof **cache->pages))
			return NULL;
		cache->pages[page] = mem_alloc(PAGE * sizeof **cache->pages);
	}
	return &cache->pages[page][content % PAGE];
}

/* Blocks grow, so that a small mailbox takes little and a large one few. */
static char *room_for(struct search_cache *cache, size_t n)
{
	struct block *b = cache->blocks;

	n = (n + sizeof(uint32_t) - 1) & ~(sizeof(uint32_t) - 1);
	if (!b || b->size - b->used < n) {
		size_t size = b && b->size * 2 < BLOCK_MOST ? b->size * 2 : b ? BLOCK_MOST : BLOCK_LEAST;

		if (size < n)
			size = n;
		if (!take_bytes(cache, sizeof *b + size))
			return NULL;
		b = mem_alloc(sizeof *b + size);
		*b = (struct block){.older = cache->blocks, .size = size};
		cache->blocks = b;
	}
	b->used += n;
	return b->octets + b->used - n;
}

const struct search_fields *search_cache_find(struct search_cache *cache, uint64_t content)
{
	const struct search_fields *found = NULL;
	uint64_t page = content / PAGE;

	pthread_mutex_lock(&cache->lock);
	if (page < cache->pages_n && cache->pages[page])
		found = cache->pages[page][content % PAGE];
	pthread_mutex_unlock(&cache->lock);
	return found;
}

void search_cache_keep(struct search_cache *cache, uint64_t content, struct str_view fields)
{
	const struct search_fields **place;
	char *room;

	pthread_mutex_lock(&cache->lock);
	place = place_of(cache, content);
	if (place && !*place && (room = room_for(cache, fields.n))) {
		memcpy(room, fields.p, fields.n);
		*place = (const struct search_fields *)(const void *)room;
	}
	pthread_mutex_unlock(&cache->lock);
}

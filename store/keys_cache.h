/* Keys of contents, of all mailboxes of the process, within a bound.  Any thread. */
#ifndef STORE_KEYS_CACHE_H
#define STORE_KEYS_CACHE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct keys_cache;
struct keys_cache *keys_cache_new(void);
void keys_cache_free(struct keys_cache **cache);

struct keys_name {
	uint64_t user, content;
	uint32_t what;
};
/* A copy in the arena; false: it is not there. */
bool keys_cache_get(struct keys_cache *cache, const struct keys_name *name, struct arena *arena,
    struct str_view *record_r);
/* Keeps a copy; of all that is kept, at most octets_max. */
void keys_cache_put(struct keys_cache *cache, const struct keys_name *name, struct str_view record,
    size_t octets_max);

#endif

/* store/credential_cache.c - one place for each hash of a user's id: who comes later takes it. */
#include "store/credential_cache.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_N 1024u /* ids are random: their low bits are a hash */

struct known {
	bool is_known;
	struct user_id user;
	char *verifier;
	struct credential_scram scram;
};
struct credential_cache {
	uint64_t generation;
	struct known places[PLACES_N];
};

static void forget(struct known *k)
{
	if (k->verifier)
		explicit_bzero(k->verifier, strlen(k->verifier));
	free(k->verifier);
	explicit_bzero(k, sizeof *k);
}

static void be_of(struct credential_cache *cache, uint64_t generation)
{
	if (cache->generation == generation)
		return;
	for (size_t i = 0; i < PLACES_N; i++)
		if (cache->places[i].is_known)
			forget(&cache->places[i]);
	cache->generation = generation;
}

struct credential_cache *credential_cache_new(void)
{
	return mem_alloc(sizeof(struct credential_cache));
}

void credential_cache_free(struct credential_cache **cache)
{
	if (!*cache)
		return;
	be_of(*cache, (*cache)->generation + 1);
	mem_free(cache);
}

bool credential_cache_find(struct credential_cache *cache, uint64_t generation, struct user_id user,
    struct arena *arena, struct credential *credential_r)
{
	const struct known *k = &cache->places[user.n % PLACES_N];

	be_of(cache, generation);
	if (!k->is_known || k->user.n != user.n)
		return false;
	*credential_r = (struct credential){
	    .verifier = k->verifier ? arena_str(arena, k->verifier) : NULL, .scram = k->scram};
	return true;
}

void credential_cache_put(struct credential_cache *cache, uint64_t generation, struct user_id user,
    const struct credential *credential)
{
	struct known *k = &cache->places[user.n % PLACES_N];

	be_of(cache, generation);
	forget(k);
	if (credential->apps_n > 0)
		return;
	*k = (struct known){.is_known = true, .user = user,
	    .verifier = credential->verifier ? mem_str(credential->verifier) : NULL, .scram = credential->scram};
}

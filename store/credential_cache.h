/*
 * What users prove themselves with, as this process read it last: a login asks auth.db only where something moved.
 * Of one generation (credential_sql.c); wiped when it is another.  Whoever has application passwords is not kept,
 * for their use is noted.  Guarded by the caller.
 */
#ifndef STORE_CREDENTIAL_CACHE_H
#define STORE_CREDENTIAL_CACHE_H

#include "store/credential.h"

struct credential_cache;
struct credential_cache *credential_cache_new(void);
void credential_cache_free(struct credential_cache **cache);
/* Copied into the arena; false: not known, or not of this generation. */
bool credential_cache_find(struct credential_cache *cache, uint64_t generation, struct user_id user,
    struct arena *arena, struct credential *credential_r);
void credential_cache_put(struct credential_cache *cache, uint64_t generation, struct user_id user,
    const struct credential *credential);

#endif

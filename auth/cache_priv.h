/*
 * Passwords that were right a moment ago: a client that logs in every minute does not cost a
 * deliberately slow hash each time.  What is kept is a digest of user, verifier and password
 * (auth/recall.h): void once the verifier changes.
 */
#ifndef AUTH_CACHE_PRIV_H
#define AUTH_CACHE_PRIV_H

#include "limits/session.h"

#include <stdbool.h>
#include <stdint.h>

/* Entries live for VerifierCacheTime seconds. */
bool auth_cache_has(struct user_id user, const char *verifier, const char *password);
void auth_cache_put(struct user_id user, const char *verifier, const char *password, int64_t live_ms);

#endif

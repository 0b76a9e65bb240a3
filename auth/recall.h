/*
 * A bounded memory of what was found right a moment ago.  Kept is a keyed digest (the key is this process's, random) of
 * whatever made it right, and a short text beside it: useless outside the process, void after its time.  A table of
 * fixed size: a new entry takes the place of what is there.
 *
 * authd remembers passwords that it hashed (auth/cache_priv.h), and a door what authd said of a name and a password.
 * What was wrong is never kept.
 */
#ifndef AUTH_RECALL_H
#define AUTH_RECALL_H

#include "base/str.h"
#include "net/digest.h"

#include <stdbool.h>
#include <stdint.h>

struct recall_key {
	unsigned char digest[NET_DIGEST_OCTETS];
};

struct recall_key recall_key_of(const struct str_view *parts, size_t n);
bool recall_has(const struct recall_key *key);
/* The text, to be freed; NULL: it is not known. */
char *recall_find(const struct recall_key *key);
/* live_ms <= 0: not at all. */
void recall_put(const struct recall_key *key, const char *text, int64_t live_ms);

#endif

/*
 * What a door remembers of authd's answers: passwords that were right a moment ago, so that a client that comes again
 * every minute, or storms against its limit, costs no question.  Kept is a keyed digest (the key is this process's,
 * random) of what was asked, the place it was asked from, and the generation of accounts: any change to an account, or
 * the next VerifierCacheTime seconds, makes it void.  Wrong passwords are never kept: each is authd's to count.
 */
#ifndef AUTH_RECALL_H
#define AUTH_RECALL_H

#include "auth/sasl.h"
#include "limits/site.h"
#include "net/digest.h"

#include <stdbool.h>

struct recall_key {
	bool is_set; /* false: this question is not one to be remembered */
	unsigned char digest[NET_DIGEST_OCTETS];
};

/* address: the peer's, with its port. */
struct recall_key recall_key_of(struct site *site, const struct sasl_peer *peer, const char *address, const char *user,
    const char *password);
/* His own name, to be freed; NULL: ask. */
char *recall_find(const struct recall_key *key);
void recall_put(struct site *site, const struct recall_key *key, const char *user);

#endif

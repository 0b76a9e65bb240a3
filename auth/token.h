/*
 * Bearer tokens of a site (RFC 6750): [token] of store.conf says who signs them, whom they are for, and which file holds
 * the keys.  The file is read again when it changes; one that can't be used is logged, and changes nothing.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "auth/account.h"
#include "base/arena.h"

/* Whether tokens are taken at this time. */
bool token_is_able(struct site *site);
/* Whose a good token is; he may not be a user here.  AUTH, UNSUPPORTED. */
WARN_UNUSED int token_verify(struct site *site, unsigned door, const char *token, char name_r[ACCOUNT_NAME_SIZE],
    struct err *e);
/* Whom it says it is about, unchecked.  False: nobody. */
bool token_says(struct site *site, const char *token, char name_r[ACCOUNT_NAME_SIZE]);
/* A key of [token]; NULL: absent or empty. */
const char *token_conf(const struct site *site, const char *key);
/* The scope that a token needs for a door, words; "": none. */
const char *token_scope(const struct site *site, unsigned door);
/* Where clients find the provider's endpoints (RFC 8414); NULL: nobody said. */
const char *token_discovery(const struct site *site);
/* The file of keys, for whoever may read listed files only; NULL: there is none. */
const char *token_keys_path(const struct site *site, struct arena *arena);

#endif

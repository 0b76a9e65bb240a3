/*
 * JSON Web Tokens (RFC 7519) as somebody's proof of who he is, checked here: the signature by libcjose, what the token
 * claims by us.  Nothing is fetched from anywhere; keys are the site's.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "auth/account.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define JWT_KEYS_MAX 64

/* Public keys of RS256 and ES256 (RFC 7518 3.3, 3.4).  Any thread may use them, once made. */
struct jwt_keys;

/* Of a JWK set (RFC 7517 5), of one JWK, or of PEM: public keys and certificates.  What can't sign RS256 or ES256 is
 * passed over; INVALID: nothing is left, or there is a private key. */
WARN_UNUSED int jwt_keys_parse(struct str_view text, struct jwt_keys **keys_r, struct err *e);
size_t jwt_keys_n(const struct jwt_keys *keys);
struct jwt_keys *jwt_keys_ref(struct jwt_keys *keys);
void jwt_keys_free(struct jwt_keys **keys); /* gives a reference back */

struct jwt_rules {
	const char *issuer;     /* iss is that */
	const char *audience;   /* words: aud has one of them */
	const char *scope;      /* words: scope or scp has all of them; "": nothing is asked */
	const char *user_claim; /* which claim holds the user's name */
	uint32_t skew_s;        /* how far clocks may be apart */
	uint32_t octets_max;
};

/* Whom a good token is about.  AUTH, with why for the log: without a word of the token's own. */
WARN_UNUSED int jwt_verify(const struct jwt_keys *keys, const struct jwt_rules *rules, const char *token, int64_t now_s,
    char name_r[ACCOUNT_NAME_SIZE], struct err *e);
/* What it says of whom it is about, unchecked: for who counts failures.  False: it says nothing. */
bool jwt_says(const struct jwt_rules *rules, const char *token, char name_r[ACCOUNT_NAME_SIZE]);

#endif

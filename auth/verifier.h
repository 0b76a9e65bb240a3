/*
 * Verifiers: what a password is kept as.  New ones are of yescrypt (libxcrypt) or argon2id (libargon2); those of
 * other servers are taken in their own spelling.
 */
#ifndef AUTH_VERIFIER_H
#define AUTH_VERIFIER_H

#include "base/err.h"
#include "limits/site.h"

#include <stdbool.h>
#include <stdint.h>

#define AUTH_VERIFIER_SIZE 384

/* How new ones are made: the settings PasswordHash, YescryptCost, Argon2Memory, Argon2Passes. */
enum verifier_method { VERIFIER_YESCRYPT, VERIFIER_ARGON2ID };
struct verifier_policy {
	enum verifier_method method;
	uint32_t yescrypt_cost, argon2_kilobytes, argon2_passes;
};
struct verifier_policy verifier_policy(struct site *site);

WARN_UNUSED int auth_verifier_make(const struct verifier_policy *policy, const char *password,
    char out[AUTH_VERIFIER_SIZE], struct err *e);
bool auth_verifier_matches(const char *verifier, const char *password);
/* One that was made elsewhere, as it is kept: what crypt(3) or argon2 made, with {CRYPT} or the method's name in
 * front or without; or {PLAIN} and the password itself.  INVALID, UNSUPPORTED. */
WARN_UNUSED int auth_verifier_take(const char *text, char out[AUTH_VERIFIER_SIZE], struct err *e);
/* The {PLAIN} one of a password.  INVALID: it is empty, or too long. */
WARN_UNUSED int auth_verifier_from_plain(const char *password, char out[AUTH_VERIFIER_SIZE], struct err *e);
/* The password in a {PLAIN} one; NULL: it is another. */
const char *auth_verifier_plain(const char *verifier);
/* Whether it is made as the policy would make it now, or is {PLAIN}, which is somebody's explicit wish. */
bool auth_verifier_is_current(const struct verifier_policy *policy, const char *verifier);

#endif

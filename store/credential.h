/*
 * What a site's users prove themselves with (STORE/auth/auth.db): verifiers, SCRAM keys, application passwords.  The
 * folder belongs to whoever checks passwords (store/credential_place.h), and no door opens it.  What was read is
 * remembered until somebody writes, so that a login whose password was right a moment ago asks no database.
 */
#ifndef STORE_CREDENTIAL_H
#define STORE_CREDENTIAL_H

#include "base/arena.h"
#include "base/err.h"
#include "limits/session.h"
#include "limits/site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CREDENTIAL_SALT_MAX 64
#define CREDENTIAL_KEY_OCTETS 32

/* What SCRAM-SHA-256 checks with (RFC 5802 3, RFC 7677). */
struct credential_scram {
	unsigned char salt[CREDENTIAL_SALT_MAX];
	size_t salt_n;
	uint32_t iterations; /* 0: there are no keys */
	unsigned char stored_key[CREDENTIAL_KEY_OCTETS], server_key[CREDENTIAL_KEY_OCTETS];
};

/* An application password: one of many that a user has, for some doors (bits of enum account_door). */
struct credential_app {
	const char *name;
	unsigned doors;
	unsigned char digest[CREDENTIAL_KEY_OCTETS];
	int64_t added_ms, used_ms; /* used_ms 0: never yet */
};

struct credential {
	const char *verifier; /* NULL: no password */
	struct credential_scram scram;
	struct credential_app *apps; /* by name */
	size_t apps_n;
};

/* Said once by a program that checks passwords or changes them; to all others, all below but credential_generation is
 * UNAVAILABLE. */
void credential_permit(void);
/* Makes the folder if it has to be, gives it to its owner, and brings in what an older store has elsewhere: for who gives
 * up root, or all files but those he has, and has to have it before.  The caller closes the descriptor. */
WARN_UNUSED int credential_folder(struct site *site, int *folder_fd_r, struct err *e);

/* In the arena; of somebody who has nothing, nothing.  Errors: UNAVAILABLE (may not be read by this process,
 * say), BUSY, CORRUPT, IO; the same below. */
WARN_UNUSED int credential_get(struct site *site, struct user_id user, struct arena *arena,
    struct credential *credential_r, struct err *e);
/* verifier NULL: no password; scram NULL: no keys. */
WARN_UNUSED int credential_set(struct site *site, struct user_id user, const char *verifier,
    const struct credential_scram *scram, struct err *e);
/* Many at once, none with keys. */
struct credential_verifier {
	struct user_id user;
	const char *verifier;
};
WARN_UNUSED int credential_import(struct site *site, const struct credential_verifier *list, size_t n, struct err *e);
/* The same password in another form: nothing happens if the verifier is no longer `was`. */
WARN_UNUSED int credential_renew(struct site *site, struct user_id user, const char *was, const char *verifier,
    const struct credential_scram *scram, struct err *e);
/* All of it. */
WARN_UNUSED int credential_forget(struct site *site, struct user_id user, struct err *e);

/* EXISTS: he has one of that name. */
WARN_UNUSED int credential_app_add(struct site *site, struct user_id user, const struct credential_app *app,
    struct err *e);
/* NOTFOUND. */
WARN_UNUSED int credential_app_remove(struct site *site, struct user_id user, const char *name, struct err *e);
WARN_UNUSED int credential_app_used(struct site *site, struct user_id user, const char *name, int64_t now_ms,
    struct err *e);

/* Random octets of this store's own, which never change. */
WARN_UNUSED int credential_secret(struct site *site, unsigned char out[CREDENTIAL_KEY_OCTETS], struct err *e);
/* Another one once that, below, may be otherwise; 0: it moves just now.  Asks no database, and needs no right to
 * enter auth/. */
uint64_t credential_generation(struct site *site);
/* What the SCRAM keys of enabled users are like.  Asked again and again, it costs nothing until somebody writes. */
#define CREDENTIAL_COUNTS_MAX 8
struct credential_scram_state {
	bool is_complete; /* whoever has a password has keys of it */
	/* How many keys have how many iterations, by iterations; the last stands for all that there is no more room for. */
	struct credential_scram_count {
		uint32_t iterations;
		uint64_t keys_n;
	} counts[CREDENTIAL_COUNTS_MAX];
	size_t counts_n;
};
WARN_UNUSED int credential_scram_state(struct site *site, struct credential_scram_state *state_r, struct err *e);

#endif

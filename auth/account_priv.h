/* Accounts between their files. */
#ifndef AUTH_ACCOUNT_PRIV_H
#define AUTH_ACCOUNT_PRIV_H

#include "auth/account.h"

/* SCRAM-SHA-256's keys of a password, with a new salt. */
WARN_UNUSED int scram_make(const char *password, uint32_t iterations, struct credential_scram *scram_r, struct err *e);
/* The same with the salt and the iterations that are in scram already. */
WARN_UNUSED int scram_fill(const char *password, struct credential_scram *scram, struct err *e);
/* Keys of nobody: the same for a name each time (of this store), and nothing matches them.  As many iterations as
 * somebody's: a name of nobody's goes over to those of new keys (current) when so large a part of the users has. */
void scram_pretend(const unsigned char secret[CREDENTIAL_KEY_OCTETS], const char *name,
    const struct credential_scram_state *state, uint32_t current, struct credential_scram *scram_r);

/* Which of a user's application passwords this is; NULL: none of them. */
const struct credential_app *app_find(const unsigned char secret[CREDENTIAL_KEY_OCTETS], struct user_id user,
    const struct credential *credential, const char *password);

#endif

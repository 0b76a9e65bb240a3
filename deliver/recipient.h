/* Whose mailbox an address is: users, aliases, and the folder that a subaddress asks for (RFC 5233). */
#ifndef DELIVER_RECIPIENT_H
#define DELIVER_RECIPIENT_H

#include "base/arena.h"
#include "base/err.h"
#include "deliver/address.h"
#include "limits/session.h"
#include "limits/site.h"

struct recipient {
	struct user_id user;
	const char *user_name;
	const char *address; /* as it was given */
	const char *detail;  /* of user+detail; NULL: none */
};

/*
 * The whole local part first, so that a user may have a separator in his name; then what is before the first
 * one.  Texts are in the arena.  Errors: NOTFOUND (no such user, or not our domain), PERM (the account is
 * disabled), and the directory's.
 */
WARN_UNUSED int recipient_find(struct site *site, const struct mail_path *path, struct arena *arena,
    struct recipient *to_r, struct err *e);
/* Whether an address that leads to nobody is in a domain of ours, or in none.  True where that can't be told. */
bool recipient_domain_is_ours(struct site *site, const struct mail_path *path);
/*
 * The mailbox of one path, and the address as it was written to: for Delivered-To, and its subaddress.  Whose that
 * address is does not matter, it may be an alias of another server's; without an @ it is a subaddress alone.
 */
WARN_UNUSED int recipient_find_for(struct site *site, const struct mail_path *path, const char *address,
    struct arena *arena, struct recipient *to_r, struct err *e);

#endif

/*
 * Accounts: who somebody is, by what he proves it with.  Passwords, SCRAM keys and application passwords are
 * read behind this header and nowhere else, by whichever process may (doc/DESIGN.md).
 *
 * A check may take as long as a slow hash: none is made on a thread that must not wait.  Whoever is no user,
 * is disabled or has the wrong password costs the same time and gets the same error, AUTH.
 */
#ifndef AUTH_ACCOUNT_H
#define AUTH_ACCOUNT_H

#include "base/err.h"
#include "base/str.h"
#include "limits/session.h"
#include "limits/site.h"
#include "store/credential.h"

#include <stdbool.h>
#include <stdint.h>

/* What somebody wants in through; bits.  An application password is good for some of them. */
enum account_door {
	ACCOUNT_DOOR_IMAP = 1,
	ACCOUNT_DOOR_POP3 = 2,
	ACCOUNT_DOOR_SMTP = 4,
	ACCOUNT_DOORS_ALL = 7,
};
/* "imap", "pop3", "smtp"; 0: there is no such door. */
unsigned account_door_parse(struct str_view name);
const char *account_door_name(unsigned door);

#define ACCOUNT_NAME_SIZE 1028 /* of 256 characters */
/* Who somebody is. */
struct account {
	struct user_id id;
	char name[ACCOUNT_NAME_SIZE]; /* the user's own, whichever of his names was given */
	char app[ACCOUNT_NAME_SIZE];  /* of the application password that it was; "": it was none */
};

/*
 * Where a door's login or SASL (auth/sasl.h) asks.  account_source is a site's own; whoever wants to be asked
 * first (to delay who guesses, say) puts another in front.  Errors: AUTH, and what the store says
 * (UNAVAILABLE, BUSY, IO).
 */
struct account_source {
	struct site *site;
	void *arg; /* for whoever stands in front */
	const char *address; /* where who logs in comes from; NULL: not known */
	/* enum account_able: what can be used at this time. */
	unsigned (*able)(const struct account_source *source);
	int (*password)(const struct account_source *source, unsigned door, const char *name, const char *password,
	    struct account *who_r, struct err *e);
	/* The same where it is known without hashing; false: ask password.  NULL: it never is. */
	bool (*password_is_known)(const struct account_source *source, const char *name, const char *password,
	    struct account *who_r);
	/* Whether password waits for others instead of computing (PAM); NULL: it never does. */
	bool (*password_waits)(const struct account_source *source, const char *name);
	/* Of whoever has no keys, is disabled or no user: some that look like it, and that nothing matches. */
	int (*scram)(const struct account_source *source, const char *name, struct credential_scram *keys_r, struct err *e);
	/* A token's user (RFC 6750); name is what the client said it is, "" where it said nothing: of another, AUTH. */
	int (*token)(const struct account_source *source, unsigned door, const char *name, const char *token,
	    struct account *who_r, struct err *e);
	/* Who proved otherwise that he is name: whether he may come in. */
	int (*proven)(const struct account_source *source, const char *name, struct account *who_r, struct err *e);
};
enum account_able {
	ACCOUNT_ABLE_PASSWORD = 1,
	ACCOUNT_ABLE_SCRAM = 2, /* every enabled account has its keys, and PAM answers for none */
	ACCOUNT_ABLE_TOKEN = 4, /* store.conf says who signs them */
};
struct account_source account_source(struct site *site);

/* Whether it can be a password (RFC 8265 4.2).  INVALID, in words for who chose it. */
WARN_UNUSED int account_password_check(const char *password, struct err *e);
/* What is kept of a user's password from now on; application passwords stay.  NOTFOUND, INVALID. */
WARN_UNUSED int account_set_password(struct site *site, const char *name, const char *password, struct err *e);
/* The same with a verifier (auth/verifier.h) that somebody else made. */
WARN_UNUSED int account_set_verifier(struct site *site, const char *name, const char *verifier, struct err *e);

#endif

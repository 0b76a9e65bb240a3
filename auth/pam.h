/*
 * PAM in place of verifiers: where store.conf says so, for all users or those of a domain, a password is right when the
 * system's modules say so and the user is in the directory.
 *
 *     [auth]                      [auth example.net]
 *     passwords = pam             passwords = store
 *     pam_service = postern
 *
 * A section is for whoever has an address in its domain, whether his name says so or it is the default one.
 *
 * Modules may do whatever they like: block, fork, start programs, crash.  So they run in processes of a helper's
 * (authd/pam_helper.c), one for each check, which is started before the daemon gives up that it may start any.
 */
#ifndef AUTH_PAM_H
#define AUTH_PAM_H

#include "base/err.h"
#include "limits/site.h"

#include <stdbool.h>
#include <stdint.h>

/* What the helper is started with, as argv[1]; its end of the socket is descriptor 3. */
#define PAM_HELPER "--pam-helper"
#define PAM_HELPER_FD 3

/* A check, beside which goes the descriptor that its answer is to be written to.  Texts end with NUL. */
struct pam_question {
	uint32_t timeout_ms, checks_max; /* how many there may be at once */
	char service[64], folder[256]; /* folder "": where the system has them */
	char name[1028], password[1024], address[64];
};
enum pam_verdict { PAM_VERDICT_RIGHT, PAM_VERDICT_WRONG, PAM_VERDICT_UNKNOWN };
struct pam_answer {
	enum pam_verdict verdict;
	char why[128];
};

/*
 * The section of store.conf with the rules of a domain, in any of its forms, or of any name of the default domain where it is
 * one, as where domain is NULL; NULL: there is none.  Borrowed from the site.
 */
const char *pam_section(struct site *site, const char *domain);

/* Whether PAM answers for somebody, by his own name, or nobody's that was given. */
bool pam_is_asked(struct site *site, const char *name);
/* Whether it answers for anybody at all. */
bool pam_is_anywhere(const struct site *site);

/* Logs sections of domains that are none of the store's: they are for nobody. */
void pam_sections_log(struct site *site);
/* Starts the helper where it is needed; before there are threads, and before the process is confined.  INVALID. */
WARN_UNUSED int pam_helper_begin(struct site *site, struct err *e);
/* Ends it, and each check under way, which is UNAVAILABLE then. */
void pam_helper_end(void);
/*
 * Blocks for PamTimeout at most, on any thread.  whose: whose rules hold (pam_is_asked); name: who it is to PAM, NULL:
 * nobody, who is asked about under a name that no account can have, so that modules do their work and no account of the
 * machine's is locked by it.  address may be NULL.  AUTH; UNAVAILABLE: it was not found out.
 */
WARN_UNUSED int pam_check(struct site *site, const char *whose, const char *name, const char *password, const char *address,
    struct err *e);

#endif

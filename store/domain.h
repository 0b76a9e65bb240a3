/*
 * The domains of a site, in its directory: users of each have "local@domain" for a name, but for those of the default
 * domain, whose names are the local part alone.  So a store that never heard of domains has all its users in the
 * default one.  That is called as `postern domain default` says, until then by the host's name; the host's name,
 * store.conf's [server] domains and localhost are further names of it, unless they are domains of their own.
 *
 * Names are given and taken in any form; they are kept, and come back, as A-labels (mime/idn.h).
 */
#ifndef STORE_DOMAIN_H
#define STORE_DOMAIN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "limits/site.h"

struct directory_domain {
	const char *name;
	bool is_default;
	uint64_t users_n, aliases_n; /* whose names say the domain, or none in the default one */
};

/* INVALID, EXISTS (also where it is a further name of the default domain). */
WARN_UNUSED int domain_add(struct site *site, const char *name, struct err *e);
/* NOTFOUND; EXISTS: it has users or aliases, or is the default. */
WARN_UNUSED int domain_remove(struct site *site, const char *name, struct err *e);
/*
 * Makes it the default, and a domain if it is none.  Addresses stay what they are: users of the one that was the
 * default have its name in theirs now, and users of this one no more.  Where none was ever named, all users without a
 * domain are this one's.  INVALID; EXISTS: two users or aliases would have one name.
 */
WARN_UNUSED int domain_set_default(struct site *site, const char *name, struct err *e);
/*
 * Another name for a domain; its users and aliases go with it, and all that is theirs, since that is by their ids.  The default
 * one has to have been named.  NOTFOUND; INVALID (also where a user's whole name gets too long); EXISTS: the new name is a
 * domain's already, or somebody's from before.
 */
WARN_UNUSED int domain_rename(struct site *site, const char *from, const char *to, struct err *e);
/* By name; the default one stands in it even if it was never named. */
WARN_UNUSED int domain_list(struct site *site, struct arena *arena, struct directory_domain **list_r, size_t *n_r, struct err *e);

/* What a domain is to the site; no domain's name is a foreign one. */
enum domain_kind { DOMAIN_FOREIGN, DOMAIN_OURS, DOMAIN_DEFAULT };
WARN_UNUSED int domain_kind(struct site *site, struct str_view domain, enum domain_kind *kind_r, struct err *e);
/*
 * A user's whole address: his name, with the default domain where it says none; with the one that was asked for (may be
 * NULL) if that is a name of the default one.  In ASCII where the local part is.
 */
WARN_UNUSED int domain_address(struct site *site, const char *user, const char *asked, struct arena *arena, const char **address_r, struct err *e);

#endif

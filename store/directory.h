/*
 * The directory of a site (STORE/directory.db): users, aliases, permissions, policy assignments.  What they
 * prove themselves with is elsewhere (store/credential.h).  A user's id never changes and is never reused; names are compared as store/name.h says.
 * Lookups are cached per process and re-read when the directory's generation moved, so that a login
 * touches no SQLite while nothing changed.
 */
#ifndef STORE_DIRECTORY_H
#define STORE_DIRECTORY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "limits/session.h"
#include "limits/site.h"
#include "store/name.h"

enum directory_permission {
	PERMISSION_VIEW_INFORMATION_STORE_STATUS = 1,
	PERMISSION_ADMINISTRATOR = 2,
};

struct directory_user {
	struct user_id id;
	const char *name;     /* as it was added; local@domain, without the default domain */
	const char *policy;   /* NULL: "default" */
	const char *unix_account; /* or NULL */
	uint32_t permissions;
	bool disabled;
};

/* Whose sessions go by the administrators' limits. */
static inline bool directory_user_is_privileged(const struct directory_user *user)
{
	return user->permissions & (PERMISSION_ADMINISTRATOR | PERMISSION_VIEW_INFORMATION_STORE_STATUS);
}

/* Makes the user and the mailbox; name: "local@domain", or "local" in the default domain.  EXISTS, INVALID (no such name,
 * or no domain of ours). unix_account may be NULL. */
WARN_UNUSED int directory_user_add(struct site *site, const char *name, const char *unix_account,
    struct user_id *id_r, struct err *e);
/* Opens it now, for a program that wants to hear at its start what is wrong with it, and whose first user is not to wait. */
WARN_UNUSED int directory_open(struct site *site, struct err *e);
/* By name or alias, in any spelling; with a domain or, in the default one, without.  NOTFOUND. */
WARN_UNUSED int directory_user_find(struct site *site, const char *name, struct arena *arena,
    struct directory_user *user_r, struct err *e);
/* What is counted, or made, for who says that he is name: the same for all spellings and aliases of a user, and for those of
 * nobody; appended. */
void directory_account_key(struct site *site, const char *name, struct str_buf *out);
WARN_UNUSED int directory_user_by_id(struct site *site, struct user_id id, struct arena *arena,
    struct directory_user *user_r, struct err *e);
WARN_UNUSED int directory_user_by_account(struct site *site, const char *unix_account,
    struct arena *arena, struct directory_user *user_r, struct err *e);
WARN_UNUSED int directory_users(struct site *site, struct arena *arena,
    struct directory_user **list_r, size_t *n_r, struct err *e);
/* The ids of those who are not disabled, in no order. */
WARN_UNUSED int directory_enabled(struct site *site, struct arena *arena, uint64_t **ids_r, size_t *n_r,
    struct err *e);
/* Removes the user with all he proves himself with; with_mail: the mailbox too, else it stays under its id. */
WARN_UNUSED int directory_user_delete(struct site *site, const char *name, bool with_mail,
    struct err *e);
WARN_UNUSED int directory_set_disabled(struct site *site, const char *name, bool on, struct err *e);
WARN_UNUSED int directory_set_policy(struct site *site, const char *name, const char *policy,
    struct err *e);
WARN_UNUSED int directory_set_permission(struct site *site, const char *name,
    enum directory_permission permission, bool on, struct err *e);
WARN_UNUSED int directory_set_account(struct site *site, const char *name,
    const char *unix_account, struct err *e);
/* Another name of a user, or an address with a domain; of the same letters as a user's name.  One in a further name of
 * the default domain is good for that alone.  EXISTS (a user or an alias has it), NOTFOUND (no such user), INVALID. */
WARN_UNUSED int directory_alias_add(struct site *site, const char *alias, const char *user,
    struct err *e);
/* NOTFOUND. */
WARN_UNUSED int directory_alias_delete(struct site *site, const char *alias, struct err *e);
struct directory_alias {
	const char *name, *user;
};
/* By name. */
WARN_UNUSED int directory_aliases(struct site *site, struct arena *arena,
    struct directory_alias **list_r, size_t *n_r, struct err *e);
/* Appends a line for each finding: names against their keys and their domains, and the database itself. */
WARN_UNUSED int directory_check(struct site *site, struct str_buf *report_out, size_t *findings_r, struct err *e);
/* Moves with every change. */
uint64_t directory_generation(struct site *site);

#endif

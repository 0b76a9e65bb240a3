/*
 * What a daemon gives up once it has what it needs: root's account, capabilities, the right to gain any
 * (no_new_privs), files outside a list (Landlock), and system calls that it never makes (seccomp).
 *
 * All of it binds the calling thread and those that it makes: call it after sockets are bound and before
 * there are threads.
 */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include "base/err.h"

#include <stdbool.h>

enum confine_role {
	CONFINE_DOOR,  /* serves peers: no capability, the files listed and no others, the system calls listed */
	CONFINE_KEEPER, /* the same, but may read whatever is listed, whoever's it is */
	CONFINE_MOUNT, /* keeps what a mount needs; Landlock would forbid it to unmount */
};

struct confine {
	enum confine_role role;
	/* Folders, with all in them, and files; what isn't there is passed over.  Each ends with NULL.  What every
	 * program reads of the system (libraries, gconv modules, zoneinfo, trust store) is added. */
	const char *const *read, *const *write;
};

struct confine_got {
	int landlock_abi; /* 0: the kernel has none; -1: it would not */
	bool seccomp, no_new_privs, no_capabilities;
};

/*
 * As root: becomes the account (NULL: the owner of the folder), with the folder's group, the account's own
 * among the others.  Who isn't root stays who he is.  NOTFOUND: no such account; PERM.
 */
WARN_UNUSED int confine_account(const char *account, int folder_fd, struct err *e);

/* Takes what the kernel gives, and logs in one line what that was. */
struct confine_got confine(const struct confine *c);
/* Whether that is all there is to get. */
bool confine_is_whole(const struct confine *c, const struct confine_got *got);

#endif

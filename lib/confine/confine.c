/* confine/confine.c - all of it in order, and what became of it. */
#include "confine/confine.h"
#include "base/log.h"
#include "confine/confine_priv.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BIT(capability) (1ULL << (capability))

/* The mount reads and writes whoever's store it is, asks /proc who opens a file (and in which call he is),
 * gives users' mounts their places, and unmounts at the end. */
static const uint64_t kept[] = {
    [CONFINE_DOOR] = 0,
    [CONFINE_KEEPER] = BIT(CAP_DAC_READ_SEARCH),
    [CONFINE_MOUNT] = BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | BIT(CAP_CHOWN) |
		      BIT(CAP_FSETID) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_PTRACE) | BIT(CAP_KILL) | BIT(CAP_SETUID) | BIT(CAP_SETGID),
};

static void account_name(char *out, size_t size)
{
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (getpwuid_r(geteuid(), &pw, buf, sizeof buf, &found) == 0 && found)
		snprintf(out, size, "%s", pw.pw_name);
	else
		snprintf(out, size, "%u", (unsigned)geteuid());
}

static void landlock_name(enum confine_role role, int abi, char *out, size_t size)
{
	if (abi > 0)
		snprintf(out, size, "abi%d", abi);
	else
		snprintf(out, size, "%s", role == CONFINE_MOUNT ? "no(mount)" : abi < 0 ? "no(refused)" : "no(kernel)");
}

struct confine_got confine(const struct confine *c)
{
	char account[64], landlock[16];
	struct confine_got got = {0};
	int refused = 0;

	/* First what needs the account data base, last what forbids the rest. */
	account_name(account, sizeof account);
	got.no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	if (c->role != CONFINE_MOUNT && (got.landlock_abi = confine_landlock(c)) < 0)
		refused = errno;
	if (!CONFINE_SANITIZED) {
		got.no_capabilities = confine_capabilities(kept[c->role]) == 0 && !kept[c->role];
		got.seccomp = confine_seccomp(c->role) == 0;
	}
	landlock_name(c->role, got.landlock_abi, landlock, sizeof landlock);
	log_info(c->role == CONFINE_KEEPER ? "keeper-confined" : "confined", "landlock=%s seccomp=%s caps=%s no_new_privs=%s account=%s%s%s", landlock,
	    got.seccomp ? "yes" : CONFINE_SANITIZED ? "no(sanitizer)" : "no",
	    got.no_capabilities ? "none" : CONFINE_SANITIZED ? "all(sanitizer)" : "some",
	    got.no_new_privs ? "yes" : "no", LOG_Q(account), refused ? " why=" : "",
	    refused ? LOG_Q(strerror(refused)) : "");
	return got;
}

bool confine_is_whole(const struct confine *c, const struct confine_got *got)
{
	return got->no_new_privs && got->seccomp &&
	       (c->role == CONFINE_MOUNT || (got->landlock_abi > 0 && got->no_capabilities));
}

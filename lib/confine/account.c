/* confine/account.c - an account other than root's, and no more capabilities than somebody needs. */
#include "confine/confine_priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITY_BITS 64

static int find(const char *account, uid_t owner, struct passwd *pw_r, char *buf, size_t size, struct err *e)
{
	struct passwd *found = NULL;
	int sys = account ? getpwnam_r(account, pw_r, buf, size, &found) : getpwuid_r(owner, pw_r, buf, size, &found);

	if (found)
		return 0;
	if (sys)
		return err_sys(e, ERR_UNAVAILABLE, sys, "accounts of the system");
	if (account)
		return err_set(e, ERR_NOTFOUND, "store.conf: [security] there is no account %s", account);
	return err_set(e, ERR_NOTFOUND, "the store's owner, %u, is no account; name one in store.conf, [security]",
	    (unsigned)owner);
}

/* What nothing that is started can gain; EPERM: there is no capability left to drop it with. */
static void drop_from_bounds(uint64_t keep)
{
	for (unsigned long bit = 0; bit < CAPABILITY_BITS; bit++)
		if (!(keep & 1ULL << bit))
			prctl(PR_CAPBSET_DROP, bit, 0, 0, 0);
}

int confine_account(const char *account, int folder_fd, struct err *e)
{
	struct passwd pw;
	struct stat st;
	char buf[4096];

	if (geteuid() != 0)
		return 0;
	if (fstat(folder_fd, &st) < 0)
		return err_sys(e, ERR_IO, errno, "stat the store");
	if (find(account, st.st_uid, &pw, buf, sizeof buf, e) < 0)
		return -1;
	if (pw.pw_uid == 0)
		return 0;
	drop_from_bounds(0); /* root's capabilities go with root; these would not */
	/* The store's group first, so that what is made has it; initgroups reads the account's own. */
	if (initgroups(pw.pw_name, st.st_gid) < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
	    setresuid(pw.pw_uid, pw.pw_uid, pw.pw_uid) < 0)
		return err_sys(e, ERR_PERM, errno, "become the account %s", pw.pw_name);
	/* The kernel sets it as fs.suid_dumpable says when the account changes. */
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

int confine_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	drop_from_bounds(keep);
	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &header, data);
}

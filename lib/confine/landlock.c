/*
 * confine/landlock.c - files by their place (Landlock): those listed, and no others.
 *
 * The kernel's headers may be older than the kernel: what came after ABI 2 is named here.  A kernel with
 * ABI 1 can't let a file be renamed from one folder into another, which the store does: it counts as none.
 */
#include "confine/confine_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ABI_IOCTL 5
#define ABI_SCOPE 6
#define ACCESS_TRUNCATE (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_SIGNAL (1ULL << 1)

/* struct landlock_ruleset_attr as it is since ABI 6; a kernel with less is told a shorter size. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE                                                                                     \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                   \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                        \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER | \
	    ACCESS_TRUNCATE)
/* Everything the kernel knows of: what is not granted is denied. */
#define HANDLED                                                                               \
	(WRITE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                  \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                    \
	    LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_IOCTL_DEV)
#define FOR_FILES                                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)

/* What libraries read when somebody calls them: iconv its modules, libc who is who and what time it is,
 * GnuTLS whom to trust; malloc and libc ask about processors, the roster about processes. */
static const char *const system_read[] = {
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/i18n", "/usr/share/locale",
    "/usr/share/zoneinfo", "/usr/share/ca-certificates", "/etc/ssl/certs", "/etc/gnutls", "/etc/localtime",
    "/etc/locale.alias", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/hosts",
    "/etc/host.conf", "/etc/resolv.conf", "/etc/services", "/dev/null", "/dev/urandom", "/proc",
    "/sys/devices/system/cpu", NULL};

static uint64_t known(int abi)
{
	uint64_t access = HANDLED;

	if (abi < ABI_TRUNCATE)
		access &= ~ACCESS_TRUNCATE;
	if (abi < ABI_IOCTL)
		access &= ~ACCESS_IOCTL_DEV;
	return access;
}

static int allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = access};
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC), result = 0, sys;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		beneath.allowed_access &= FOR_FILES;
	beneath.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		result = -1;
	sys = errno;
	close(fd);
	errno = sys;
	return result;
}

static int allow_all(int rules, const char *const *paths, uint64_t access)
{
	for (; paths && *paths; paths++)
		if (allow(rules, *paths, access) < 0)
			return -1;
	return 0;
}

static int make_rules(const struct confine *c, int abi)
{
	const struct ruleset handled = {known(abi), abi >= ABI_NET ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
	    abi >= ABI_SCOPE ? SCOPE_SIGNAL : 0};
	size_t size = abi >= ABI_SCOPE ? sizeof handled : abi >= ABI_NET ? 16 : 8;
	int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0), sys;

	if (rules < 0)
		return -1;
	if (allow_all(rules, system_read, READ) == 0 && allow_all(rules, c->read, READ) == 0 &&
	    allow_all(rules, c->write, WRITE & known(abi)) == 0)
		return rules;
	sys = errno;
	close(rules);
	errno = sys;
	return -1;
}

int confine_landlock(const struct confine *c)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int rules, result, sys;

	if (abi < ABI_REFER)
		return 0;
	rules = make_rules(c, abi);
	if (rules < 0)
		return -1;
	result = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	sys = errno;
	close(rules);
	errno = sys;
	return result < 0 ? -1 : abi;
}

/* ctl/ctl_umount.c - postern umount DIR */
#include "ctl/program.h"
#include "ctl/verb.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FUSE_SUPER_MAGIC 0x65735546

static bool lazy;

/* Nothing but a FUSE mount, or one whose daemon is dead, is ours to unmount. */
static bool is_ours(const char *dir)
{
	struct statfs s;

	if (statfs(dir, &s) < 0)
		return errno == ENOTCONN;
	return s.f_type == FUSE_SUPER_MAGIC;
}

static int umount_run(struct ctl *ctl, char **operands, int n)
{
	const char *argv[] = {"fusermount3", "-u", lazy ? "-z" : operands[0],
	    lazy ? operands[0] : NULL, NULL};
	char path[PATH_MAX];
	struct err e;

	(void)ctl, (void)n;
	if (!is_ours(operands[0]))
		return ctl_fail("%s is no mount of postern's", operands[0]);
	if (umount2(operands[0], lazy ? MNT_DETACH : 0) == 0)
		return CTL_OK;
	if (errno == EBUSY)
		return ctl_fail("%s is in use: `postern sessions list` says by whom; --lazy unmounts all"
				" the same", operands[0]);
	if (errno != EPERM)
		return ctl_fail("%s: %s", operands[0], strerror(errno));
	if (program_find("fusermount3", path, &e) < 0)
		return ctl_fail_err(&e);
	return program_become(path, (char *const *)argv, &e) < 0 ? ctl_fail_err(&e) : CTL_OK;
}

static const struct verb_option options[] = {
    {'z', "lazy", NULL, &lazy, "also while it is in use; it goes when the last user is gone"},
    {0},
};

const struct verb ctl_verb_umount = {
    .name = "umount",
    .summary = "take a mount away",
    .actions =
	(const struct verb_action[]){
	    {NULL, "DIR", 1, 1, options, umount_run, NULL},
	    {0},
	},
};

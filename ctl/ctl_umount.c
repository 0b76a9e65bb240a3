/* ctl/ctl_umount.c - postern umount [--lazy | --force] DIR */
#include "base/mountinfo.h"
#include "ctl/program.h"
#include "ctl/verb.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool lazy, force;

static bool is_dead(const char *dir)
{
	struct statfs fs; /* stat(2) may be answered from what the kernel keeps of the top */

	return statfs(dir, &fs) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

static int umount_run(struct ctl *ctl, char **operands, int n)
{
	const char *argv[] = {"fusermount3", "-u", operands[0], NULL, NULL};
	char path[PATH_MAX], real[PATH_MAX];
	struct mountinfo mount;
	struct err e;
	int flags;

	(void)ctl, (void)n;
	if (!mountinfo_real_path(operands[0], real) || !mountinfo_find(real, NULL, &mount))
		return ctl_fail("%s is no mount of postern's", operands[0]);
	flags = force || is_dead(real) ? MNT_FORCE | MNT_DETACH : lazy ? MNT_DETACH : 0;
	if (umount2(real, flags) == 0)
		return CTL_OK;
	if (errno == EBUSY)
		return ctl_fail("%s is in use: `postern sessions list` says by whom; --lazy unmounts all"
				" the same", operands[0]);
	if (errno != EPERM)
		return ctl_fail("%s: %s", operands[0], strerror(errno));
	if (program_find("fusermount3", path, &e) < 0)
		return ctl_fail_err(&e);
	if (flags)
		argv[2] = "-z", argv[3] = operands[0];
	return program_become(path, (char *const *)argv, &e) < 0 ? ctl_fail_err(&e) : CTL_OK;
}

static const struct verb_option options[] = {
    {'z', "lazy", NULL, &lazy, "also while it is in use; it goes when the last user is gone"},
    {'f', "force", NULL, &force, "at once, also when its daemon answers nobody any more"},
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

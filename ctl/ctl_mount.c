/* ctl/ctl_mount.c - postern mount DIR [-o OPTIONS] [--foreground] [--log FILE], postern mount --user DIR */
#include "ctl/mount.h"
#include "ctl/program.h"

#include <stdio.h>
#include <unistd.h>

static const char *mount_options, *log_file, *socket_path;
static bool foreground, own;

static int stay(const char *store, const char *dir)
{
	const char *argv[] = {"postern-fs", "--store", store, dir, mount_options ? "-o" : NULL, mount_options,
	    NULL};
	char path[PATH_MAX];
	struct err e;

	if (program_find("postern-fs", path, &e) < 0 || program_become(path, (char *const *)argv, &e) < 0)
		return ctl_fail_err(&e);
	return CTL_OK;
}

static int mount_run(struct ctl *ctl, char **operands, int n)
{
	struct mount_start how = {.store = ctl_store_dir(ctl), .dir = operands[0], .options = mount_options,
	    .log = log_file};

	struct mount_user as_user = {.store = ctl_store_dir(ctl), .dir = operands[0], .options = mount_options,
	    .socket = socket_path};

	(void)n;
	if (own && (foreground || log_file))
		return ctl_usage(ctl, "--user goes with neither --foreground nor --log: another program serves the mount");
	if (socket_path && !own)
		return ctl_usage(ctl, "--socket goes with --user");
	if (own)
		return mount_user(&as_user);
	/* Opened and closed: what is wrong with the store is better said by this program. */
	if (ctl_site_open(ctl) < 0)
		return CTL_FAILED;
	ctl_site_close(ctl);
	return foreground ? stay(how.store, how.dir) : mount_start(&how);
}

static const struct verb_option options[] = {
    {'o', "options", "OPTIONS", &mount_options, "mount options, see postern-fs(8)"},
    {'f', "foreground", NULL, &foreground, "stay in the foreground; Ctrl-C unmounts"},
    {'u', "user", NULL, &own, "your own mailbox, for you alone; needs no right but yours"},
    {0, "socket", "PATH", &socket_path, "with --user: where postern-fs listens, if store.conf names another place"},
    {0, "log", "FILE", &log_file, "where its log goes (else to this terminal)"},
    {0},
};

const struct verb ctl_verb_mount = {
    .name = "mount",
    .summary = "show the mailboxes as files",
    .help = "Returns once DIR is mounted; `postern umount DIR` ends it. Every file or folder held open\n"
	    "in a mailbox is a session of its user. `postern serve --mount DIR` keeps it mounted.\n\n"
	    "With --user a person mounts the mailbox that belongs to the Unix account, without a right to the\n"
	    "store: a postern-fs that runs for it serves the mount.",
    .actions =
	(const struct verb_action[]){
	    {NULL, "DIR", 1, 1, options, mount_run, NULL},
	    {0},
	},
};

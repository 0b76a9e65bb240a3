/* ctl/ctl_revoke.c - postern revoke NAME PERMISSION */
#include "ctl/permission.h"

static int revoke_run(struct ctl *ctl, char **operands, int n)
{
	(void)n;
	return permission_change(ctl, operands, false);
}

const struct verb ctl_verb_revoke = {
    .name = "revoke",
    .summary = "take a permission back",
    .help = PERMISSION_HELP,
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "NAME PERMISSION", 2, 2, NULL, revoke_run, NULL},
	    {0},
	},
};

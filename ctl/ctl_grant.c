/* ctl/ctl_grant.c - postern grant NAME PERMISSION */
#include "ctl/permission.h"

static int grant_run(struct ctl *ctl, char **operands, int n)
{
	(void)n;
	return permission_change(ctl, operands, true);
}

const struct verb ctl_verb_grant = {
    .name = "grant",
    .summary = "give a user a permission",
    .help = PERMISSION_HELP,
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "NAME PERMISSION", 2, 2, NULL, grant_run, NULL},
	    {0},
	},
};

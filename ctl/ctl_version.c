/* ctl/ctl_version.c - postern version */
#include "ctl/verb.h"

#include <stddef.h>
#include <stdio.h>

static int version_run(struct ctl *ctl, char **operands, int n)
{
	(void)ctl, (void)operands, (void)n;
	puts("postern " POSTERN_VERSION);
	return CTL_OK;
}

const struct verb ctl_verb_version = {
    .name = "version",
    .summary = "print the version",
    .actions =
	(const struct verb_action[]){
	    {NULL, "", 0, 0, NULL, version_run, NULL},
	    {0},
	},
};

/* ctl/ctl_imap_commands.c - postern imap-commands: asks postern-imapd, whose table it is. */
#include "ctl/program.h"
#include "ctl/verb.h"

#include <stddef.h>
#include <stdio.h>

static int imap_commands_run(struct ctl *ctl, char **operands, int n)
{
	const char *argv[] = {"postern-imapd", "--commands", NULL};
	char path[PATH_MAX];
	struct err e;

	(void)ctl, (void)operands, (void)n;
	if (program_find("postern-imapd", path, &e) < 0)
		return ctl_fail_err(&e);
	fflush(stdout);
	return program_become(path, (char *const *)argv, &e) < 0 ? ctl_fail_err(&e) : CTL_OK;
}

const struct verb ctl_verb_imap_commands = {
    .name = "imap-commands",
    .summary = "list the IMAP4 commands, with RFC and capability",
    .actions =
	(const struct verb_action[]){
	    {NULL, "", 0, 0, NULL, imap_commands_run, NULL},
	    {0},
	},
};

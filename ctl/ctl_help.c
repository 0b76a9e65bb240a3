/* ctl/ctl_help.c - postern help [VERB] */
#include "ctl/verb.h"

#include <stddef.h>

static int help_run(struct ctl *ctl, char **operands, int n)
{
	const struct verb *verb;

	if (n == 0) {
		verb_list();
		return CTL_OK;
	}
	verb = verb_find(operands[0]);
	if (!verb)
		return ctl_usage(ctl, "there is no verb `%s`; `postern help` lists them", operands[0]);
	verb_help(verb);
	return CTL_OK;
}

const struct verb ctl_verb_help = {
    .name = "help",
    .summary = "list the verbs, or say how one is used",
    .actions =
	(const struct verb_action[]){
	    {NULL, "[VERB]", 0, 1, NULL, help_run, NULL},
	    {0},
	},
};

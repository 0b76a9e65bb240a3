/*
 * ctl/main.c - `postern`, the command for people.  Finds the verb; --store may stand before it or
 * behind it, so it is taken out of the arguments first.
 */
#include "base/log.h"
#include "ctl/mount.h"
#include "ctl/verb.h"
#include "store/credential.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *ctl_store_dir(const struct ctl *ctl)
{
	return site_default_dir(ctl->store_dir);
}

/* Takes `--store DIR` and `--store=DIR` out of argv, up to "--"; -1 when DIR is missing. */
static int store_take(struct ctl *ctl, int *argc, char **argv)
{
	int kept = 1, i = 1;

	for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], "--store=", 8) == 0)
			ctl->store_dir = argv[i] + 8;
		else if (strcmp(argv[i], "--store") != 0)
			argv[kept++] = argv[i];
		else if (++i < *argc)
			ctl->store_dir = argv[i];
		else
			return -1;
	}
	while (i < *argc)
		argv[kept++] = argv[i++];
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {0};
	const struct verb *verb;
	const char *name;

	log_init("postern", LOG_LEVEL_WARN);
	signal(SIGPIPE, SIG_IGN);
	umask(007);
	credential_permit(); /* the folder's mode says which people may */
	if (mount_helper_is(argv[0]))
		return mount_helper(argc, argv);
	if (store_take(&ctl, &argc, argv) < 0 || (ctl.store_dir && !*ctl.store_dir)) {
		ctl_say("--store needs a folder");
		return CTL_USAGE;
	}
	name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	if ((verb = verb_find(name)))
		return verb_run(&ctl, verb, argc - 1, argv + 1);
	if (*name)
		ctl_say("there is no verb `%s`; `postern help` lists them", name);
	else
		ctl_say("say what to do: `postern help` lists the verbs");
	return CTL_USAGE;
}

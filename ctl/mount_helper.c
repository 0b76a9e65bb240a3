/*
 * ctl/mount_helper.c - the helper that mount(8) looks for: `mount -t fuse.postern STORE DIR -o ...`, and lines of
 * fstab(5), run /sbin/mount.fuse.postern STORE DIR [-sfnv] [-o OPTIONS] [-t TYPE] [-N NAMESPACE].
 */
#include "ctl/mount.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of mount(8), "RETURN VALUES". */
enum { HELPER_OK = 0, HELPER_USAGE = 1, HELPER_FAILED = 32 };

bool mount_helper_is(const char *program)
{
	const char *slash = strrchr(program, '/');

	return strncmp(slash ? slash + 1 : program, "mount.", 6) == 0;
}

/* OPTIONS without ours, and with the store as what is mounted: so `mount -a` finds it mounted already. */
static void options_take(char *list, struct mount_start *how, struct str_buf *out)
{
	for (char *word; (word = strsep(&list, ",")) != NULL;)
		if (strncmp(word, "log=", 4) == 0)
			how->log = word + 4;
		else
			str_buf_printf(out, "%s,", word);
	if (!strchr(how->store, ','))
		str_buf_printf(out, "fsname=%s", how->store);
}

int mount_helper(int argc, char **argv)
{
	struct mount_start how = {.leaves_stderr = true};
	struct str_buf options = {0};
	char none[] = "", *list = none;
	bool fake = false;
	int c;

	/* getopt takes the operands to the end, wherever they stand. */
	while ((c = getopt(argc, argv, "sfnvo:t:N:")) != -1)
		if (c == 'o')
			list = optarg;
		else if (c == 'f')
			fake = true;
		else if (c == '?')
			return HELPER_USAGE;
	if (argc - optind != 2) {
		ctl_say("mount.fuse.postern STORE DIR [-o OPTIONS]: for mount(8)");
		return HELPER_USAGE;
	}
	how.store = argv[optind];
	how.dir = argv[optind + 1];
	options_take(list, &how, &options);
	how.options = options.p;
	c = fake || mount_start(&how) == CTL_OK ? HELPER_OK : HELPER_FAILED;
	str_buf_fini(&options);
	return c;
}

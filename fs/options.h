/* What postern-fs is told when it starts. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "fs/folder.h"

#include <limits.h>
#include <stdbool.h>

#define PROGRAM "postern-fs"

struct options {
	const char *store, *fsname;
	const char *mountpoint; /* NULL: as store.conf says; or /dev/fd/N: it is mounted already */
	char real[PATH_MAX];    /* the same without links */
	int level;              /* -1: as store.conf says */
	struct fs_show show;
	bool rm_expunges, read_only, no_bell;
	long only_uid;          /* one account's mount, made by itself; -1: everybody's */
	int keep_fd;            /* what its end of it is told by: open as long as the mount is served; -1: nothing */
};

/* Ends the program where the arguments are wrong, or ask for a text. */
void options_parse(int argc, char **argv, struct options *o);
/* Whether a user may ask for these in his own mount ("eol=exact,ro"). */
bool options_are_a_users(const char *list);

#endif

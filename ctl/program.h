/* The programs that `postern` starts: where they are, and starting them. */
#ifndef CTL_PROGRAM_H
#define CTL_PROGRAM_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* Looks in the folder `postern` is in, beside it in a build tree, in ../sbin, then in PATH.  NOTFOUND. */
WARN_UNUSED int program_find(const char *name, char path_r[PATH_MAX], struct err *e);

struct program_start {
	const char *path;
	char *const *argv;
	const char *notify_address; /* NULL: none */
	int stderr_fd;              /* -1: ours */
	bool ends_with_us;          /* SIGTERM when this process is gone */
};
/* Starts it in a process group of its own, so that Ctrl-C reaches us alone. */
WARN_UNUSED int program_start(const struct program_start *how, pid_t *pid_r, struct err *e);
/* In place of this process; returns only on error. */
WARN_UNUSED int program_become(const char *path, char *const *argv, struct err *e);
/* "exit status 1", "signal 9 (Killed)". */
const char *program_end_text(int status, char out[64]);

#endif

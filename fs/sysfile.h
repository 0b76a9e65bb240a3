/* The files under sys/, as a table: what is in each, and what may be written to it. */
#ifndef FS_SYSFILE_H
#define FS_SYSFILE_H

#include "base/str.h"
#include "limits/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree;

struct sysfile {
	const char *name;
	bool is_of_user; /* stands in users/USER, belongs to the user */
	mode_t mode;
	/* The whole text, made at the open.  user.n = 0: of everybody.  0 or an errno value. */
	int (*text)(struct tree *t, struct user_id user, struct str_buf *out);
	/* One write(2), one command. */
	int (*command)(struct tree *t, struct str_view line);
};
extern const struct sysfile sysfiles[];
extern const size_t sysfiles_n;

#endif

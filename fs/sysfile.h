/* The files under sys/, as a table: what is in each, and what may be written to it. */
#ifndef FS_SYSFILE_H
#define FS_SYSFILE_H

#include "fs/tree.h"

#include "base/str.h"
#include "limits/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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

/* Rows' read and set of a file whose text was made at the open: a slice of it; and size and times, which
 * are taken and mean nothing. */
int sysfile_text_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r);
int sysfile_text_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who);

#endif

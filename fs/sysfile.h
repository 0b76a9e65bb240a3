/*
 * The files under sys/, as a table: what is in each, and what may be written to it.  A file is of the whole
 * server, or stands in users/USER and is of that user, who may read it.
 */
#ifndef FS_SYSFILE_H
#define FS_SYSFILE_H

#include "fs/tree.h"

#include "base/str.h"
#include "limits/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Of whom a file is: name NULL, user 0: everybody. */
struct sys_whom {
	struct user_id user;
	const char *name;
};

struct sysfile {
	const char *name;
	bool is_of_user;
	mode_t mode;
	/* The whole text, made at the open.  0 or an errno value. */
	int (*text)(struct tree *t, const struct sys_whom *whom, struct str_buf *out);
	/* One write(2), one command. */
	int (*command)(struct tree *t, const struct sys_whom *whom, struct str_view line);
};
extern const struct sysfile sysfiles[];
extern const size_t sysfiles_n;

/* fs/sys_sessions.c, fs/sys_limits.c, fs/sys_events.c */
int sys_sessions_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out);
int sys_ctl_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out);
int sys_ctl_command(struct tree *t, const struct sys_whom *whom, struct str_view line);
int sys_limits_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out);
int sys_limits_text_of_user(struct tree *t, const struct sys_whom *whom, struct str_buf *out);
int sys_events_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out);
int sys_events_xml_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out);

/* Rows' read and set of a file whose text was made at the open: a slice of it; and size and times, which
 * are taken and mean nothing. */
int sysfile_text_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r);
int sysfile_text_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who);

#endif

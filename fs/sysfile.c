/* fs/sysfile.c - the table of files under sys/. */
#include "fs/sysfile.h"

#include <errno.h>
#include <string.h>

static int log_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out)
{
	(void)whom;
	journal_text(t->journal, out);
	return 0;
}

const struct sysfile sysfiles[] = {
    {"sessions", false, 0600, sys_sessions_text, NULL},
    {"limits", false, 0600, sys_limits_text, NULL},
    {"events", false, 0600, sys_events_text, NULL},
    {"events.xml", false, 0600, sys_events_xml_text, NULL},
    {"log", false, 0600, log_text, NULL},
    {"ctl", false, 0600, sys_ctl_text, sys_ctl_command},
    {"sessions", true, 0400, sys_sessions_text, NULL},
    {"limits", true, 0400, sys_limits_text_of_user, NULL},
    {"events", true, 0400, sys_events_text, NULL},
    {"ctl", true, 0600, sys_ctl_text, sys_ctl_command},
};
const size_t sysfiles_n = sizeof sysfiles / sizeof *sysfiles;

/* ---- what all files under sys/ have in common ---- */

int sysfile_text_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r)
{
	(void)t;
	*n_r = 0;
	if (at < h->text.n) {
		*n_r = h->text.n - at < n ? h->text.n - (size_t)at : n;
		memcpy(octets, h->text.p + at, *n_r);
	}
	return 0;
}

/* echo > ctl cuts the file first, which means nothing. */
int sysfile_text_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	(void)t;
	(void)n;
	(void)st;
	(void)who;
	return what & ~(unsigned)(NODE_SET_SIZE | NODE_SET_MTIME | NODE_SET_ATIME) ? EPERM : 0;
}

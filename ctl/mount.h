/* Starting postern-fs, and waiting until it serves: for `postern mount` and for mount(8). */
#ifndef CTL_MOUNT_H
#define CTL_MOUNT_H

#include "ctl/verb.h"

struct mount_start {
	const char *store, *dir;
	const char *options; /* postern-fs's; NULL: none */
	const char *log;     /* the file its log goes to; NULL: our stderr */
	bool leaves_stderr;  /* without log: only until it serves, since who waits for the end of ours must not
	                      * wait for the mount's */
};
/* CTL_OK when it is mounted; else it was said what is wrong. */
int mount_start(const struct mount_start *how);

struct mount_user {
	const char *store, *dir;
	const char *options; /* NULL: none */
	const char *socket;  /* where postern-fs listens; NULL: where it does by itself */
};
/* Mounts one's own mailbox, as oneself; an enum ctl_exit. */
int mount_user(const struct mount_user *how);

/* Whether mount(8) started us, as mount.fuse.postern. */
bool mount_helper_is(const char *program);
/* What mount(8) asks for: STORE DIR [-sfnv] [-o OPTIONS] [-t TYPE] [-N NAMESPACE].  Its exit status. */
int mount_helper(int argc, char **argv);

#endif

/*
 * The doorbell.  inotify hears what is done through a mount, and nothing of what comes into it from elsewhere:
 * mail over IMAP, say.  So we do something through the mount: mknod(2) of a file that is there already, which
 * LOOKUP denies to the ringer alone, and then its time is set.  Watchers get IN_CREATE with the right name,
 * and IN_ATTRIB, which is what mutt waits for.  Where the kernel knows the name already, IN_ATTRIB alone.
 *
 * The ringer is a process of its own: it does not hold /dev/fuse, so nothing waits for it when we are killed
 * while it waits for us.  At most one ring a second and directory; what came meanwhile rings when that is over.
 */
#ifndef FS_BELL_H
#define FS_BELL_H

#include "fs/node.h"

#include <stdbool.h>
#include <sys/types.h>

struct bell;
/* Starts the ringer: to be called before there is any thread, or anything open that a child must not hold.
 * NULL: it can't be, and there are no rings. */
struct bell *bell_new(void);
/* From now on rings go out, for a mount at this place. */
void bell_start(struct bell *bell, const char *mountpoint);
/* Stops the thread; requests are still answered meanwhile. */
void bell_stop(struct bell *bell);
void bell_free(struct bell **bell);

/* Something new stands in dir: path, from the mount's top, ends in its name.  Any lock may be held. */
void bell_ring(struct bell *bell, struct node dir, const char *path);

/* Whether the request is the ringer's. */
bool bell_is_ringer(const struct bell *bell, pid_t tid);
/* Whether the ringer is to be told that this name is not there: once a ring. */
bool bell_hides(struct bell *bell, pid_t tid, struct node dir, const char *name);

#endif

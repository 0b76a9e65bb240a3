/* What a caller is doing, where the request does not say it. */
#ifndef FS_MAKER_H
#define FS_MAKER_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether the thread waits in mkdir(2): false too where nobody tells (another pid namespace, another's process). */
bool maker_is_at_mkdir(pid_t tid);

#endif

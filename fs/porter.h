/*
 * The porter: lets people mount their own mailbox (`postern mount --user`).  Who asks has mounted, as himself, and
 * hands over the descriptor; he has no right to the store, and this program has.  Who he is says the kernel.
 *
 * Each such mount is served by a process of its own, postern-fs started anew with the descriptor: nothing
 * of one person's requests is in the memory that answers another's, the order in which places are freed and taken
 * stays that of one queue, and what goes wrong there ends there.
 */
#ifndef FS_PORTER_H
#define FS_PORTER_H

#include "limits/site.h"

struct porter;

/* NULL, and a line in the log, where nobody is to be let in: [mount] socket is `none`, or can't be made. */
struct porter *porter_start(struct site *site);
/* Ends the mounts it let in. */
void porter_stop(struct porter **porter);

#endif

/* "* OK [INPROGRESS ...]" of a command that takes long (RFC 9585): for any that runs in steps. */
#ifndef IMAPD_PROGRESS_H
#define IMAPD_PROGRESS_H

#include "imapd/cmd.h"

/* Zeroed: the command has just begun. */
struct progress {
	int64_t due_ms; /* monotonic; 0: not known yet */
};

/* At the end of a step, while no response is half sent: told once in a ProgressInterval, the first time when
 * the first has passed.  done of total; total 0: unknown. */
void progress_tell(struct imap_req *req, struct progress *progress, uint64_t done, uint64_t total);

#endif

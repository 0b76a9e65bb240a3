/*
 * A connection that we make, to a server on this machine: octets one way, lines the other, each within a time.  For
 * a command, which has nothing else to do meanwhile; a daemon never waits like this.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct dial {
	int fd;
	struct str_buf in; /* came, and was not asked for yet */
};

/* wait_ms: for whatever waits for the other side.  Errors: NOTFOUND (nobody listens there), PERM, INVALID (no path
 * of a socket), TEMP (not in time), IO. */
WARN_UNUSED int dial_unix(const char *path, int64_t wait_ms, struct dial *dial_r, struct err *e);
/* TEMP: it hung up, or not in time. */
WARN_UNUSED int dial_send(struct dial *dial, const void *octets, size_t n, struct err *e);
/* The next line without its CR LF, in place of what was in line.  TEMP: none came; TOOBIG: one without an end. */
WARN_UNUSED int dial_line(struct dial *dial, struct str_buf *line, struct err *e);
void dial_close(struct dial *dial);

#endif

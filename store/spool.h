/*
 * Octets on their way in: up to 128 KB are kept in memory, more in a file without a name in the store
 * folder, which a crash takes along.  Zeroed and with its folder set it is empty.
 */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct spool {
	int dir_fd;            /* of the store folder; the caller's */
	bool has_file;
	int fd;
	struct str_buf buffer; /* all of it, or its end once there is a file */
	uint64_t in_file;
};

static inline uint64_t spool_size(const struct spool *spool)
{
	return spool->in_file + spool->buffer.n;
}
/* NOSPACE, IO. */
WARN_UNUSED int spool_put(struct spool *spool, const void *octets, size_t n, struct err *e);
/* All is there: now it can be read. */
WARN_UNUSED int spool_end(struct spool *spool, struct err *e);
/* n octets from an offset, all of them there; borrowed from the spool, or read into room. */
WARN_UNUSED int spool_peek(struct spool *spool, uint64_t at, size_t n, struct str_buf *room,
    struct str_view *octets_r, struct err *e);
void spool_fini(struct spool *spool);

#endif

/*
 * A part's octets without their transfer encoding, at any offset.  As fs/body.h does it for line ends: of
 * what is not small marks are kept, one per stretch, from which decoding can go on; so memory stays small,
 * and no READ decodes more than a stretch that it does not want.
 */
#ifndef FS_DECODED_H
#define FS_DECODED_H

#include "fs/body.h"
#include "mime/decode.h"

/* Octets of a message as it is served, [at, at + n), in an encoding; what is not encoded is only cut out. */
struct decoded_window {
	uint64_t at, n;
	enum mime_encoding encoding;
};

struct decoded;
struct decoded *decoded_new(const struct decoded_window *window);
void decoded_free(struct decoded **decoded);
/* Fewer than n only at the end.  The body and its source are those of the same message at every call. */
WARN_UNUSED int decoded_read(struct decoded *decoded, struct body *body,
    const struct body_source *source, uint64_t at, char *octets, size_t n, size_t *n_r, struct err *e);
/* All of it, once, to know how much it is. */
WARN_UNUSED int decoded_size(struct decoded *decoded, struct body *body,
    const struct body_source *source, uint64_t *size_r, struct err *e);

#endif

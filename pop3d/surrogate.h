/*
 * A message for a client that has not said UTF8 (RFC 6856 5): itself, but for the headers in UTF-8, its own and those
 * of its parts, which are told in ASCII (mime/downgrade.h).  Only where they are is kept: they are made as they go out.
 */
#ifndef POP3D_SURROGATE_H
#define POP3D_SURROGATE_H

#include "base/arena.h"
#include "base/str.h"
#include "store/message.h"

struct pop3_piece {
	uint64_t at;        /* in the message as it is stored */
	size_t n, told_n;   /* octets there, and in the surrogate */
};
struct pop3_surrogate {
	struct pop3_piece *pieces; /* in the arena, ascending */
	size_t n;
};

/* What of this content is in UTF-8. */
WARN_UNUSED int pop3_surrogate_find(struct store *store, uint64_t content, struct arena *arena,
    struct pop3_surrogate *surrogate_r, struct err *e);
/* The size of the message as it is told, and as it is stored. */
uint64_t pop3_surrogate_size(const struct pop3_surrogate *surrogate, uint64_t stored);
uint64_t pop3_surrogate_stored(const struct pop3_surrogate *surrogate, uint64_t told);
/* Appends a piece as it is told. */
WARN_UNUSED int pop3_surrogate_put(struct store *store, uint64_t content, const struct pop3_piece *piece,
    struct str_buf *out, struct err *e);

#endif

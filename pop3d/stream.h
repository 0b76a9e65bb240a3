/*
 * A message on its way out (RETR, TOP): read in slices, dot-stuffed, as fast as the peer takes it.
 * No database handle is held between slices.
 */
#ifndef POP3D_STREAM_H
#define POP3D_STREAM_H

#include "base/str.h"
#include "pop3d/maildrop.h"
#include "pop3d/surrogate.h"

struct pop3_stream {
	uint64_t content, at, end;
	uint64_t header_n;   /* octets before the body */
	uint64_t lines_left; /* of the body (TOP); UINT64_MAX: all */
	struct pop3_surrogate surrogate; /* what is told otherwise; in the arena */
	size_t pieces_n;     /* of it, so many are out */
	struct arena arena;
	bool in_line;        /* what went out so far ends within a line */
};

/* Of a message and so many lines of its body, as the maildrop tells it; a stream that was before is over. */
WARN_UNUSED int pop3_stream_begin(struct pop3_stream *stream, struct store *store,
    const struct maildrop_message *message, uint64_t lines, struct err *e);
/* Appends the next slice, and behind the last one the line that ends it all; *more_r: there is
 * more. */
WARN_UNUSED int pop3_stream_slice(struct pop3_stream *stream, struct store *store,
    struct str_buf *out, bool *more_r, struct err *e);

void pop3_stream_fini(struct pop3_stream *stream);

/* Doubles each dot that begins a line (RFC 1939 3) in what stands from `from` on; in_line: what is
 * before that ends within a line. */
void pop3_stuff_dots(struct str_buf *out, size_t from, bool in_line);

#endif

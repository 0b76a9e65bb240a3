/* BINARY[n] and BINARY.SIZE[n] (RFC 3516, RFC 9051 6.4.5): a part without its transfer encoding. */
#ifndef IMAPD_FETCH_BINARY_H
#define IMAPD_FETCH_BINARY_H

#include "imapd/fetch.h"
#include "mime/decode.h"

enum fetch_binary_found {
	FETCH_BINARY_NONE,    /* there is no such part */
	FETCH_BINARY_UNKNOWN, /* its encoding is none that we know */
	FETCH_BINARY_PART,
};

/* Zeroed, then begun, then read to its end; begun anew for another part. */
struct fetch_binary {
	enum fetch_binary_found found;
	uint64_t size;  /* decoded, all of it */
	bool has_nul;
	uint64_t left;  /* decoded octets still to be told, within <from.n> */
	/* inside */
	enum mime_encoding encoding;
	struct fetch_span span;       /* what is still to be decoded */
	struct mime_decoder *decoder;
	struct str_buf raw, plain;    /* a slice, before and after */
	size_t plain_at;
	uint64_t skip;
	bool is_whole; /* plain is all there is */
};
/* Finds the part and decodes it once, in slices, for its size: a literal begins with that. */
WARN_UNUSED int fetch_binary_begin(struct fetch_binary *b, struct store *store,
    const struct message_info *message, const struct fetch_section *section, struct arena *arena,
    struct err *e);
/* The next octets, some of `left`. */
WARN_UNUSED int fetch_binary_put(struct fetch_binary *b, struct store *store, uint64_t content,
    struct str_buf *out, struct err *e);
void fetch_binary_fini(struct fetch_binary *b);

#endif

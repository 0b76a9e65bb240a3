/* ENVELOPE (RFC 9051 7.5.2) out of a header block, and what else its fields say. */
#ifndef MIME_ENVELOPE_PRIV_H
#define MIME_ENVELOPE_PRIV_H

#include "base/arena.h"
#include "mime/header_priv.h"

/* In the order of the ENVELOPE. */
enum envelope_slot {
	ENVELOPE_DATE,
	ENVELOPE_SUBJECT,
	ENVELOPE_FROM,
	ENVELOPE_SENDER,
	ENVELOPE_REPLY_TO,
	ENVELOPE_TO,
	ENVELOPE_CC,
	ENVELOPE_BCC,
	ENVELOPE_IN_REPLY_TO,
	ENVELOPE_MESSAGE_ID,
	ENVELOPE_SLOTS,
	ENVELOPE_NO_SLOT = ENVELOPE_SLOTS,
};

/* A field that stands in the envelope; values borrow from the header block. */
struct envelope_field {
	struct envelope_field *next;
	struct str_view value;
};
struct envelope_fields {
	struct envelope_field *first[ENVELOPE_SLOTS], **end[ENVELOPE_SLOTS];
};

/* Zeroed before the first.  Takes the field if it is one of the envelope's. */
void envelope_collect(
    struct envelope_fields *fields, const struct header_field *field, struct arena *arena);
/* The text.  Addresses past the bound (of the whole of out) are left out: true if there were
 * any. */
bool envelope_put(struct str_buf *out, const struct envelope_fields *fields, size_t bound);

#endif

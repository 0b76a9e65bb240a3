/* What an ENVELOPE text (mime/scan.h makes it) says, read back. */
#ifndef MIME_ENVELOPE_READ_H
#define MIME_ENVELOPE_READ_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

/* The first address of a field; what is NIL has p NULL.  Of a group: mailbox is its name, host NIL. */
struct envelope_address {
	struct str_view name, mailbox, host;
};

/* Values as they stand in the header: encoded words are not decoded. */
struct envelope_read {
	struct str_view subject, in_reply_to, message_id;
	struct envelope_address from, to, cc;
};

/* Views borrow from the text, or lie in the arena where an escape had to be resolved.  False: that is
 * no ENVELOPE. */
bool mime_envelope_read(struct str_view text, struct arena *arena, struct envelope_read *envelope_r);

#endif

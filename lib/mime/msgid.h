/* Message ids in Message-ID, References and In-Reply-To (RFC 5322 3.6.4). */
#ifndef MIME_MSGID_H
#define MIME_MSGID_H

#include "base/str.h"

#include <stdbool.h>

/*
 * Cuts everything up to and with the next id off the front of *rest; *id (cleared first) is what stands
 * between < and >, without blanks, and without quotes that its local part does not need to be told from
 * others (RFC 5256 2.2, "normalized").  False: there is none any more.  Linear over a field.
 */
bool mime_msgid_next(struct str_view *rest, struct str_buf *id);

#endif

/*
 * Internationalised mail for who does not know it (RFC 6857): a header in UTF-8 (RFC 6532) told in ASCII.  What can
 * be said in encoded words, parameters and domains is; what can't is kept for people's eyes in a field
 * whose name begins with "Downgraded-".
 */
#ifndef MIME_DOWNGRADE_H
#define MIME_DOWNGRADE_H

#include "base/str.h"

/* Whether a header block is in UTF-8 beyond ASCII.  8-bit that is no UTF-8 is a mistake of long ago. */
bool mime_header_is_utf8(struct str_view header);
/* Appends the block as it was but for the fields that are in UTF-8.  It is the same each time. */
void mime_header_downgrade(struct str_view header, struct str_buf *out);

#endif

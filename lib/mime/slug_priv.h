/* Text for people and for file names out of a header's fields. */
#ifndef MIME_SLUG_PRIV_H
#define MIME_SLUG_PRIV_H

#include "base/arena.h"
#include "base/str.h"

/* A name of at most SLUG_MAX bytes from the first mailbox of From: and the Subject:, either of
 * which may be absent (p NULL).  Never empty. */
enum {
	SLUG_MAX = 120,
	SLUG_FROM_MAX = 40
};
const char *slug_make(struct str_view from, struct str_view subject, struct arena *arena);

/* UTF-8 as a C string on one line: no NULs, control characters as blanks, cut at a character.
 */
const char *slug_line(struct str_buf *text, size_t max_bytes, struct arena *arena);

/* A field's value decoded, on one line, without control characters, at most max_bytes. */
const char *slug_text(struct str_view value, size_t max_bytes, struct arena *arena);

#endif

/* What people want of a message's header: a field decoded, on one line. */
#ifndef FS_FIELD_H
#define FS_FIELD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the nth field of the name, from 0: in UTF-8, without controls; of Message-ID what stands between < and >.
 * false: there is none. */
bool field_text(struct str_view header, const char *name, size_t nth, struct str_buf *out);
/* Appends the Message-ID that the conversation began with, as far as this header tells: the first of References,
 * else of In-Reply-To, else its own; nothing where it says none. */
void field_thread(struct str_view header, struct str_buf *out);

#endif

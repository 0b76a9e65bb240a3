/* PREVIEW (RFC 8970): the first words of a message, for people. */
#ifndef IMAPD_PREVIEW_H
#define IMAPD_PREVIEW_H

#include "imapd/fetch.h"

/* Puts up to 200 characters of the first text part's beginning, as UTF-8 on one line; nothing where there
 * is no text.  The work is bounded: 32 KB of the message are looked at. */
WARN_UNUSED int preview_make(struct store *store, const struct message_info *message,
    struct arena *arena, struct str_buf *out, struct err *e);

/* The same from decoded text; is_html: tags, scripts and styles are left out, entities are read. */
void preview_text(struct str_view utf8, bool is_html, struct str_buf *out);

#endif

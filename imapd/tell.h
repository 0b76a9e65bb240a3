/*
 * How the messages of the selected folder are spoken of, as the client wants it: FETCH or UIDFETCH,
 * EXPUNGE or VANISHED, with the MODSEQ or without (client->enabled).
 */
#ifndef IMAPD_TELL_H
#define IMAPD_TELL_H

#include "imapd/client.h"
#include "store/message.h"

/* "* 3 FETCH (", or with UIDONLY "* 77 UIDFETCH (" (RFC 9586 3.3). */
void tell_begin(struct client *client, uint32_t seq, uint32_t uid);

enum tell_item { TELL_FLAGS = 1, TELL_UID = 2 };
/* A whole response for a message that changed; once CONDSTORE is enabled the UID and the MODSEQ come
 * with it (RFC 7162 3.2.4), with IMAP4rev2 the UID (RFC 9051, appendix E). */
void tell_message(struct client *client, uint32_t seq, const struct message_info *m,
    unsigned items);
/* "(...)": flags of a message, with \Recent where there is such a thing. */
void tell_put_flags(struct client *client, const struct message_info *m);
void tell_put_modseq(struct str_buf *out, struct store_modseq modseq); /* "MODSEQ (n)" */

/* "* VANISHED 1:3,7"; earlier: they were gone before the client opened the folder. */
void tell_vanished(struct client *client, bool earlier, const struct uid_range *ranges, size_t n);
/* Messages of the view that went, as ranges (view_missing); the view still has them. */
void tell_gone(struct client *client, const struct uid_range *ranges, size_t n);

/* "* OK [HIGHESTMODSEQ n]": up to where the client was told everything. */
void tell_highestmodseq(struct client *client);

#endif

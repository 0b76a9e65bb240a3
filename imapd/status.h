/* The items of STATUS, for STATUS itself and for LIST's RETURN (STATUS ...) (RFC 5819). */
#ifndef IMAPD_STATUS_H
#define IMAPD_STATUS_H

#include "imapd/cmd.h"
#include "store/folder.h"

/* "(MESSAGES UNSEEN)": bits, opaque to the caller. */
bool status_parse(struct imap_req *req, unsigned *items_r);
/* What the store has to count for them: enum folder_count. */
unsigned status_counts(unsigned items);
/* Before the first answer: asking for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 3.1). */
void status_enable(struct client *client, unsigned items);
/* A whole untagged STATUS. */
void status_put(struct client *client, const struct folder_info *folder, unsigned items);

#endif

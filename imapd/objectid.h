/* Ids of messages as clients see them (RFC 8474).  An EMAILID names a content: copies share it, and it is
 * never given again.  Folders' ids begin with another letter (RFC 8474 7: no two kinds may share an id). */
#ifndef IMAPD_OBJECTID_H
#define IMAPD_OBJECTID_H

#include "imapd/parse.h"

void objectid_put_email(struct str_buf *out, uint64_t content);
/* objectid of RFC 8474 7. */
bool parse_objectid(struct parse *p, struct str_view *id_r);
/* The content an EMAILID names; 0: none of ours. */
uint64_t objectid_email(struct str_view id);

#endif

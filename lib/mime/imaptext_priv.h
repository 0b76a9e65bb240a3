/* What IMAP text is made of (RFC 9051 4.3): written once, here. */
#ifndef MIME_IMAPTEXT_PRIV_H
#define MIME_IMAPTEXT_PRIV_H

#include "base/str.h"

/* A string: quoted where it is 7-bit and on one line, else a literal.  NULs are left out: IMAP
 * has no way to say them (RFC 3501 9, CHAR8). */
void imaptext_string(struct str_buf *out, struct str_view s);
/* The same, NIL where s.p is NULL. */
void imaptext_nstring(struct str_buf *out, struct str_view s);

#endif

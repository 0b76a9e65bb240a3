/* Maildir's flags, as letters behind ":2,": DFPRST, in the order of the alphabet. */
#ifndef STORE_MAILDIR_LETTERS_H
#define STORE_MAILDIR_LETTERS_H

#include "store/message.h"

/* What P stands for: a keyword, since IMAP has no flag for it. */
#define MAILDIR_FORWARDED "$Forwarded"

void maildir_letters_put(uint32_t flags, bool forwarded, struct str_buf *out);
/* Adds to flags; other letters mean nothing.  Whether P is among them. */
bool maildir_letters_get(struct str_view letters, uint32_t *flags);

#endif

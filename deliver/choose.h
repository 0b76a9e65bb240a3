/*
 * Into which folder a message goes.  The one call between acceptance and the mailbox: what sorts mail
 * (RFC 5228) has its place here.
 */
#ifndef DELIVER_CHOOSE_H
#define DELIVER_CHOOSE_H

#include "deliver/recipient.h"
#include "store/store.h"

/* The folder's name, which stays the caller's arena's; where it goes before the commit, INBOX takes the message. */
WARN_UNUSED int deliver_choose(struct store *store, const struct recipient *to, struct arena *arena,
    const char **folder_r, struct err *e);

#endif

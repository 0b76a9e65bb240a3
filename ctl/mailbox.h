/* A user's mailbox, opened for administration: an `admin` session, which no limit counts. */
#ifndef CTL_MAILBOX_H
#define CTL_MAILBOX_H

#include "ctl/verb.h"
#include "store/folder.h"
#include "store/store.h"

struct mailbox {
	struct session *session;
	struct store *store;
};

/* Says what is wrong on stderr: -1. */
WARN_UNUSED int ctl_mailbox_open(struct ctl *ctl, const char *user, struct mailbox *m);
/* Without words, for callers who have their own. */
WARN_UNUSED int ctl_mailbox_open_quietly(struct ctl *ctl, const char *user, struct mailbox *m,
    struct err *e);
void ctl_mailbox_close(struct mailbox *m);

#endif

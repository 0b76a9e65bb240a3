/*
 * A maildrop: INBOX as it was at the login (RFC 1939 4).  Messages that come later are not in it;
 * messages that others expunge stay in it, and readable for the store's KeepDeleted time.  Several
 * maildrops of one mailbox may be open at once; what is deleted in one goes at its QUIT.
 */
#ifndef POP3D_MAILDROP_H
#define POP3D_MAILDROP_H

#include "store/message.h"
#include "store/store.h"

struct maildrop_message {
	uint64_t content, size, header_n; /* as in struct message_info; size: as it is told */
	uint32_t uid;
	bool deleted, retrieved;
	bool is_utf8; /* it has headers in UTF-8, which the client has not asked for */
};

/* What is told of a message with headers in UTF-8: the setting Utf8Headers. */
enum maildrop_utf8 { MAILDROP_UTF8_AS_IS, MAILDROP_UTF8_REFUSED, MAILDROP_UTF8_DOWNGRADED };

struct maildrop {
	struct folder_id folder;
	struct user_id mailbox;
	enum maildrop_utf8 utf8;
	struct maildrop_message *messages; /* message number n is [n - 1] */
	size_t n;
	size_t left_n; /* those not deleted, and their octets */
	uint64_t left_octets;
};

/* At most max_n messages, the oldest. */
WARN_UNUSED int maildrop_open(struct store *store, size_t max_n, enum maildrop_utf8 utf8,
    struct maildrop *drop_r, struct err *e);
void maildrop_fini(struct maildrop *drop);
/* Expunges what came into INBOX more than so many days ago (RFC 2449 6.7); before maildrop_open. */
WARN_UNUSED int maildrop_expire(struct store *store, uint32_t days, size_t *gone_n_r, struct err *e);

void maildrop_delete(struct maildrop *drop, struct maildrop_message *message);
/* Marks what was retrieved, where nothing may be left on the server (EXPIRE 0, RFC 2449 6.7). */
void maildrop_delete_retrieved(struct maildrop *drop);
void maildrop_undelete_all(struct maildrop *drop);
/* Expunges what is marked, as one change; gone_n_r: how many were still there. */
WARN_UNUSED int maildrop_commit(struct store *store, const struct maildrop *drop, size_t *gone_n_r,
    struct err *e);

#endif

/*
 * Delivery: an append that is made once, however often it is tried, and that shares its commit with others.
 *
 * A queue that heard no answer tries again with the same octets, so each delivery leaves keys behind, in
 * its own transaction, for the time of the setting KeepDelivered: one that finds a key of its own there adds
 * nothing, and is as good as delivered.
 */
#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H

#include "store/message.h"

#define DELIVERY_KEY_OCTETS 32
#define DELIVERY_KEYS_MAX 2

struct delivery_key {
	unsigned char octets[DELIVERY_KEY_OCTETS]; /* a digest of what makes it the same delivery */
};
struct delivery_done {
	struct append_done append; /* zeroed where was_there */
	bool was_there;            /* nothing was added: it was delivered before */
};

/*
 * Commits one append; it is freed and set NULL, also on error.  Deliveries to one mailbox that meet share
 * a commit.  how->folder is 0; where no folder is called how->folder_name any more, INBOX takes it.  Errors:
 * QUOTA, LIMIT, NOSPACE, BUSY, IO, TOOBIG.
 */
WARN_UNUSED int append_deliver(struct append **append, const struct append_how *how,
    const struct delivery_key *keys, size_t keys_n, struct delivery_done *done_r, struct err *e);

#endif

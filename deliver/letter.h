/*
 * A letter: a message that was taken whole, on its way into mailboxes.  Its octets are received once, and
 * nothing of the store is open meanwhile; then each recipient's mailbox takes it, with its own trace fields on
 * top, in a commit that is on the disk when letter_deliver returns.
 *
 * A delivery takes a session of the class `transport`, which is counted for no user: mail comes in while a
 * user is at his limits.
 */
#ifndef DELIVER_LETTER_H
#define DELIVER_LETTER_H

#include "deliver/recipient.h"
#include "deliver/trace.h"
#include "net/digest.h"
#include "store/spool.h"

struct letter {
	struct site *site;
	struct spool spool;
	struct net_sha256 hash;
	uint64_t size_max;
	unsigned char digest[NET_DIGEST_OCTETS]; /* of all octets; after letter_end */
	struct str_buf message_id; /* where SuppressSameMessageId wants it; "" if there is none */
};

void letter_begin(struct letter *letter, struct site *site);
/* TOOBIG (over MessageSizeMax), INVALID (a NUL, which no mailbox can hold), NOSPACE, IO; the letter is only to be
 * ended then. */
WARN_UNUSED int letter_put(struct letter *letter, const void *octets, size_t n, struct err *e);
WARN_UNUSED int letter_end(struct letter *letter, struct err *e);
static inline uint64_t letter_size(const struct letter *letter)
{
	return spool_size(&letter->spool);
}
/* was_there_r: it had been delivered before, and nothing was added.  Errors: QUOTA, TOOBIG, NOTFOUND (the user is
 * gone meanwhile), LIMIT, BUSY, NOSPACE, UNAVAILABLE, IO, ... */
WARN_UNUSED int letter_deliver(struct letter *letter, const struct letter_from *from,
    const struct recipient *to, bool *was_there_r, struct err *e);
void letter_fini(struct letter *letter);

#endif

/*
 * store/written.c - who of this process committed what.
 *
 * A client that is told of changes should not hear of its own (RFC 5465 5).  A transaction has one
 * modseq of the mailbox and the next has the next, so a run of modseqs tells what one store did while
 * nobody else wrote.  A few runs are kept: who asks does so soon.
 */
#include "store/change.h"
#include "store/mailbox_priv.h"

void written_note(struct mailbox *mb, uint64_t store, uint64_t modseq)
{
	struct written *last;

	pthread_mutex_lock(&mb->lock);
	last = &mb->written[(mb->written_n + WRITTEN_RUNS - 1) % WRITTEN_RUNS];
	if (last->store == store && last->to + 1 == modseq)
		last->to = modseq;
	else
		mb->written[mb->written_n++ % WRITTEN_RUNS] = (struct written){modseq, modseq, store};
	pthread_mutex_unlock(&mb->lock);
}

bool change_is_own(struct store *store, struct store_modseq since, struct store_modseq until)
{
	struct mailbox *mb = store->mailbox;
	bool found = false;

	pthread_mutex_lock(&mb->lock);
	for (size_t i = 0; i < WRITTEN_RUNS && !found; i++) {
		const struct written *run = &mb->written[i];

		found = run->store == store->number && run->from <= since.n + 1 && until.n <= run->to;
	}
	pthread_mutex_unlock(&mb->lock);
	return found;
}

/*
 * store/delivery_sql.c - deliveries: keys in the append's own transaction, and a commit for all that wait.
 *
 * Who comes first leads: it waits for the writer lock, and meanwhile others queue up; then it takes what is
 * there into one transaction, and wakes them with their results.  What one of them did wrong (no room for it) is
 * found before anything is written for it, and concerns it alone.  Where the transaction fails nevertheless (one
 * whose octets can't be read, a disk that has room for a few), each gets one of its own.
 */
#include "store/delivery.h"

#include "base/check.h"
#include "store/append_batch_priv.h"

#define BATCH_MAX 100

struct delivery {
	struct delivery *next;
	struct append *append;
	struct append_how how;
	const struct delivery_key *keys;
	size_t keys_n;
	bool is_done;
	int result;
	struct delivery_done done;
	struct err err;
};

static int64_t keep_days(const struct mailbox *mb)
{
	return setting_get(mb->site->site, SETTING_DELIVERED_KEEP);
}

/* 1: one of its keys is known. */
static int was_delivered(struct txn *t, const struct delivery *d, struct err *e)
{
	int64_t days = keep_days(t->mailbox);
	struct query q;
	int r = 0;

	if (query_begin(&q, t->db, "SELECT 1 FROM delivered WHERE key = ?1 AND at_ms >= ?2", e) < 0)
		return -1;
	query_int(&q, 2, t->now_ms - days * 86400000);
	for (size_t i = 0; r == 0 && i < d->keys_n; i++) {
		query_blob(&q, 1, str_view((const char *)d->keys[i].octets, DELIVERY_KEY_OCTETS));
		r = query_step(&q, e);
		query_again(&q);
	}
	query_end(&q);
	return r;
}

static int keys_put(struct txn *t, const struct delivery *d, struct err *e)
{
	struct query q;
	int r = 0;

	if (query_begin(&q, t->db, "INSERT OR REPLACE INTO delivered(key, at_ms) VALUES (?1, ?2)", e) < 0)
		return -1;
	query_int(&q, 2, t->now_ms);
	for (size_t i = 0; r == 0 && i < d->keys_n; i++) {
		query_blob(&q, 1, str_view((const char *)d->keys[i].octets, DELIVERY_KEY_OCTETS));
		r = query_step(&q, e);
		query_again(&q);
	}
	query_end(&q);
	return r;
}

/* What concerns this one alone: d->result is -1 with d->err.  The return value is the transaction's. */
static int deliver_one(struct append_batch *b, struct delivery *d, struct err *e)
{
	int known = was_delivered(&b->txn, d, e);

	d->result = 0; /* it may be the second time */
	if (known != 0) {
		d->done.was_there = known > 0;
		return known < 0 ? -1 : 0;
	}
	if (append_batch_count(b, e) < 0) /* so that the quota is judged by what came before it */
		return -1;
	d->result = append_batch_enter(b, &d->how, &d->err);
	if (d->result < 0 && d->err.code == ERR_NOTFOUND) {
		d->how.folder_name = "INBOX";
		d->result = append_batch_enter(b, &d->how, &d->err);
	}
	if (d->result == 0 && b->next.uid > UINT32_MAX)
		d->result = err_set(&d->err, ERR_LIMIT, "the folder has given all its UIDs");
	if (d->result == 0)
		d->result = quota_check(&b->txn, 1, d->append->eol.at, &d->err);
	if (d->result < 0)
		return 0;
	if (append_batch_one(b, d->append, &d->how, &d->done.append, e) < 0)
		return -1;
	return keys_put(&b->txn, d, e);
}

/* A bounded number of those who wait, taken off the queue. */
static struct delivery *take_waiting(struct mailbox *mb)
{
	struct delivery_queue *queue = &mb->deliveries;
	struct delivery *first, **at = &queue->first;

	pthread_mutex_lock(&mb->lock);
	first = queue->first;
	for (size_t n = 0; *at && n < BATCH_MAX; n++)
		at = &(*at)->next;
	queue->first = *at;
	*at = NULL;
	if (!queue->first)
		queue->end = &queue->first;
	pthread_mutex_unlock(&mb->lock);
	return first;
}

static void all_done(struct mailbox *mb, struct delivery *first, int result, const struct err *e)
{
	struct delivery *next;

	pthread_mutex_lock(&mb->lock);
	for (struct delivery *d = first; d; d = next) {
		next = d->next; /* who waits for it may be gone once it is done */
		if (result < 0) {
			d->result = -1;
			d->err = *e;
		}
		d->is_done = true;
	}
	pthread_cond_broadcast(&mb->deliveries.moved);
	pthread_mutex_unlock(&mb->lock);
}

/* The transaction is begun, and ended in either case. */
static int commit_all(struct append_batch *b, struct delivery *first, struct err *e)
{
	int r = 0;

	for (struct delivery *d = first; d && r == 0; d = d->next)
		r = deliver_one(b, d, e);
	if (r == 0)
		r = append_batch_count(b, e);
	if (r == 0)
		r = txn_commit(&b->txn, e);
	txn_abort(&b->txn);
	str_buf_fini(&b->room);
	return r;
}

/* Once the writer can't be had, it isn't waited for again and again. */
static void one_by_one(struct store *store, struct delivery *first)
{
	bool goes_on = true;

	while (first && goes_on) {
		struct delivery *next = first->next;
		struct append_batch b = {0};
		struct err e;
		int r = txn_write(store, HANDLE_DURABLE, &b.txn, &e);

		goes_on = r == 0;
		if (goes_on) {
			first->next = NULL;
			r = commit_all(&b, first, &e);
		}
		all_done(store->mailbox, first, r, &e);
		first = next;
	}
}

static void lead(struct store *store)
{
	struct append_batch b = {0};
	struct delivery *first;
	struct err e;
	int r = txn_write(store, HANDLE_DURABLE, &b.txn, &e);
	bool is_begun = r == 0;

	first = take_waiting(store->mailbox);
	if (is_begun)
		r = commit_all(&b, first, &e);
	if (is_begun && r < 0 && first->next)
		one_by_one(store, first);
	else
		all_done(store->mailbox, first, r, &e);
}

/* Until its own is done, by itself or by another. */
static void wait_or_lead(struct store *store, struct delivery *own)
{
	struct mailbox *mb = store->mailbox;
	struct delivery_queue *queue = &mb->deliveries;

	pthread_mutex_lock(&mb->lock);
	*queue->end = own;
	queue->end = &own->next;
	while (!own->is_done) {
		if (queue->is_led) {
			pthread_cond_wait(&queue->moved, &mb->lock);
			continue;
		}
		queue->is_led = true;
		pthread_mutex_unlock(&mb->lock);
		lead(store);
		pthread_mutex_lock(&mb->lock);
		queue->is_led = false;
		pthread_cond_broadcast(&queue->moved);
	}
	pthread_mutex_unlock(&mb->lock);
}

int append_deliver(struct append **append, const struct append_how *how,
    const struct delivery_key *keys, size_t keys_n, struct delivery_done *done_r, struct err *e)
{
	struct delivery own = {.append = *append, .how = *how, .keys = keys, .keys_n = keys_n};

	CHECK(keys_n <= DELIVERY_KEYS_MAX);
	if (keep_days((*append)->store->mailbox) == 0)
		own.keys_n = 0;
	own.result = append_how_check(how, &own.err);
	if (own.result == 0)
		own.result = append_finish(own.append, &own.err);
	if (own.result == 0)
		wait_or_lead((*append)->store, &own);
	append_abort(append);
	if (own.result < 0)
		*e = own.err;
	else
		*done_r = own.done;
	return own.result;
}

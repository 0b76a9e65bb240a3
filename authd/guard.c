/* authd/guard.c - see guard.h.  Two tables of buckets; an entry is found by its hash within its bucket. */
#include "authd/guard.h"

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WAYS 8
/* A right password is not held back for so few failures before it: people mistype. */
#define FORGIVEN 3
#define FAILURES_MAX 1000u /* more make no difference, and are forgiven in time */

struct entry {
	uint64_t key; /* 0: free */
	int64_t at_ms; /* since when the next failure is on its way to being forgiven */
	uint64_t wrong; /* hash of the last wrong password */
	uint32_t failures;
	uint32_t held; /* attempts under way: such an entry does not give way */
};

struct guard {
	pthread_mutex_t lock;
	unsigned char secret[NET_DIGEST_OCTETS];
	struct entry *failed, *known;
	size_t failed_buckets, known_buckets;
};

enum kind { ACCOUNT = 'a', ADDRESS = 'i', PAIR = 'p', SECRET = 's' };

/* Never 0. */
static uint64_t hash(const struct guard *guard, enum kind kind, const void *octets, size_t n, uint64_t more)
{
	const char which = (char)kind;
	const struct str_view parts[] = {
	    {&which, 1}, {octets, n}, {(const char *)&more, sizeof more}};
	unsigned char digest[NET_DIGEST_OCTETS];
	uint64_t key;

	net_digest(guard->secret, parts, 3, digest);
	memcpy(&key, digest, sizeof key);
	return key | 1;
}

struct guard *guard_new(size_t entries_n)
{
	struct guard *guard = mem_alloc(sizeof *guard);

	pthread_mutex_init(&guard->lock, NULL);
	io_random(guard->secret, sizeof guard->secret);
	guard->failed_buckets = entries_n / WAYS + 1;
	guard->known_buckets = entries_n / WAYS / 2 + 1;
	guard->failed = mem_alloc(guard->failed_buckets * WAYS * sizeof *guard->failed);
	guard->known = mem_alloc(guard->known_buckets * WAYS * sizeof *guard->known);
	return guard;
}

void guard_free(struct guard **guard)
{
	if (!*guard)
		return;
	pthread_mutex_destroy(&(*guard)->lock);
	free((*guard)->failed);
	free((*guard)->known);
	explicit_bzero((*guard)->secret, sizeof (*guard)->secret);
	mem_free(guard);
}

/* --- entries ------------------------------------------------------------------------------- */

/* The low bit of a key is always set, and tells no bucket from another. */
static struct entry *bucket_of(struct entry *table, size_t buckets, uint64_t by)
{
	return &table[(by >> 1) % buckets * WAYS];
}

static struct entry *find(struct entry *bucket, uint64_t key)
{
	for (size_t i = 0; i < WAYS; i++)
		if (key && bucket[i].key == key)
			return &bucket[i];
	return NULL;
}

/* Of two, the one that is missed less. */
static bool gives_way(const struct entry *a, const struct entry *b)
{
	if (!a->key || !b->key)
		return !a->key;
	return a->failures != b->failures ? a->failures < b->failures : a->at_ms < b->at_ms;
}

/* The entry of a failure or of an attempt under way; NULL: all in its bucket are of attempts under way. */
static struct entry *need(struct guard *guard, uint64_t key, int64_t now_ms)
{
	struct entry *bucket = bucket_of(guard->failed, guard->failed_buckets, key);
	struct entry *entry = find(bucket, key), *least = NULL;

	if (entry)
		return entry;
	for (size_t i = 0; i < WAYS; i++)
		if (!bucket[i].held && (!least || gives_way(&bucket[i], least)))
			least = &bucket[i];
	if (least)
		*least = (struct entry){.key = key, .at_ms = now_ms};
	return least;
}

/* An account's known addresses share a bucket: who has more than WAYS of them forgets the one that was not
 * used for longest. */
static struct entry *known_bucket(struct guard *guard, const struct guard_pass *pass)
{
	return bucket_of(guard->known, guard->known_buckets, pass->account);
}

static void make_known(struct guard *guard, const struct guard_pass *pass, int64_t now_ms)
{
	struct entry *bucket = known_bucket(guard, pass), *entry = find(bucket, pass->pair);

	if (!pass->pair)
		return;
	if (!entry) {
		entry = bucket;
		for (size_t i = 1; i < WAYS; i++)
			if (!bucket[i].key || (entry->key && bucket[i].at_ms < entry->at_ms))
				entry = &bucket[i];
	}
	*entry = (struct entry){.key = pass->pair, .at_ms = now_ms};
}

/* --- counting ------------------------------------------------------------------------------ */

/* Failures that are not forgiven yet. */
static uint32_t failures(struct entry *entry, const struct guard_rules *rules, int64_t now_ms)
{
	uint64_t forgiven;

	if (!entry)
		return 0;
	forgiven = now_ms > entry->at_ms ? (uint64_t)((now_ms - entry->at_ms) / rules->forget_ms) : 0;
	if (forgiven >= entry->failures) {
		entry->failures = 0;
		entry->wrong = 0;
		return 0;
	}
	entry->failures -= (uint32_t)forgiven;
	entry->at_ms += (int64_t)forgiven * rules->forget_ms;
	return entry->failures;
}

static uint32_t failed(struct guard *guard, const struct guard_rules *rules, uint64_t key,
    int64_t now_ms)
{
	return failures(find(bucket_of(guard->failed, guard->failed_buckets, key), key), rules, now_ms);
}

/* The failures with this one. */
static uint32_t count(struct entry *entry, const struct guard_rules *rules, uint64_t wrong,
    int64_t now_ms)
{
	uint32_t before = failures(entry, rules, now_ms);

	if (!entry)
		return 1;
	if (before && wrong && entry->wrong == wrong)
		return before;
	if (!before)
		entry->at_ms = now_ms;
	entry->wrong = wrong;
	if (entry->failures < FAILURES_MAX)
		entry->failures++;
	return entry->failures;
}

static int64_t delay(const struct guard_rules *rules, uint32_t n)
{
	int64_t ms = n ? rules->delay_ms : 0;

	for (uint32_t i = 1; i < n && ms < rules->delay_max_ms && ms; i++)
		ms *= 2;
	return ms < rules->delay_max_ms ? ms : rules->delay_max_ms;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* --- attempts ------------------------------------------------------------------------------ */

static void name(const struct guard *guard, const char *account, const char *address,
    struct guard_pass *pass)
{
	unsigned char prefix[NET_ADDRESS_OCTETS];

	*pass = (struct guard_pass){.account = hash(guard, ACCOUNT, account, strlen(account), 0)};
	if (!address || !net_address_prefix(address, prefix))
		return;
	pass->address = hash(guard, ADDRESS, prefix, sizeof prefix, 0);
	pass->pair = hash(guard, PAIR, prefix, sizeof prefix, pass->account);
}

/* One more of what is bounded; false: there are too many. */
static bool hold(struct guard *guard, uint64_t key, uint32_t most, int64_t now_ms)
{
	struct entry *entry = need(guard, key, now_ms);

	if (!entry || entry->held >= most)
		return false;
	entry->held++;
	return true;
}

static void let_go(struct guard *guard, uint64_t key)
{
	struct entry *entry = find(bucket_of(guard->failed, guard->failed_buckets, key), key);

	CHECK(entry && entry->held);
	entry->held--;
}

static bool enter_stranger(struct guard *guard, const struct guard_rules *rules, struct guard_pass *pass,
    int64_t now_ms)
{
	bool has_failed = pass->address ? failed(guard, rules, pass->address, now_ms) > 0
					: failed(guard, rules, pass->account, now_ms) > FORGIVEN;

	if (pass->address && !hold(guard, pass->address, rules->address_max, now_ms))
		return false;
	if (has_failed && !hold(guard, pass->account, rules->account_max, now_ms)) {
		if (pass->address)
			let_go(guard, pass->address);
		return false;
	}
	pass->is_counted_at_account = has_failed;
	pass->is_entered = true;
	return true;
}

bool guard_enter(struct guard *guard, const struct guard_rules *rules, const char *account,
    const char *address, int64_t now_ms, struct guard_pass *pass_r)
{
	struct guard_pass pass;
	bool enters = true;

	name(guard, account, address, &pass);
	pthread_mutex_lock(&guard->lock);
	if (!find(known_bucket(guard, &pass), pass.pair))
		enters = enter_stranger(guard, rules, &pass, now_ms);
	pthread_mutex_unlock(&guard->lock);
	*pass_r = enters ? pass : (struct guard_pass){0};
	return enters;
}

/* How many failures count against what comes from there, and this one counted where it is one. */
static uint32_t weigh(struct guard *guard, const struct guard_rules *rules, const struct guard_pass *pass,
    bool is_wrong, int64_t now_ms)
{
	struct entry *known = find(known_bucket(guard, pass), pass->pair);

	if (known)
		return is_wrong ? count(known, rules, pass->offered, now_ms) : failures(known, rules, now_ms);
	if (!is_wrong)
		return larger(failed(guard, rules, pass->account, now_ms),
		    pass->address ? failed(guard, rules, pass->address, now_ms) : 0);
	return larger(count(need(guard, pass->account, now_ms), rules, pass->offered, now_ms),
	    pass->address ? count(need(guard, pass->address, now_ms), rules, pass->offered, now_ms) : 0);
}

void guard_offer(struct guard *guard, struct guard_pass *pass, const char *secret)
{
	pass->offered = hash(guard, SECRET, secret, strlen(secret), pass->account ^ pass->pair);
}

int64_t guard_judge(struct guard *guard, const struct guard_rules *rules, const struct guard_pass *pass,
    enum guard_outcome outcome, int64_t now_ms)
{
	uint32_t n;

	if (outcome == GUARD_UNDECIDED)
		return 0;
	pthread_mutex_lock(&guard->lock);
	n = weigh(guard, rules, pass, outcome == GUARD_WRONG, now_ms);
	if (outcome == GUARD_RIGHT) {
		make_known(guard, pass, now_ms);
		n = n > FORGIVEN ? n - FORGIVEN : 0;
	}
	pthread_mutex_unlock(&guard->lock);
	return delay(rules, n);
}

void guard_leave(struct guard *guard, struct guard_pass *pass)
{
	if (pass->is_entered) {
		pthread_mutex_lock(&guard->lock);
		if (pass->address)
			let_go(guard, pass->address);
		if (pass->is_counted_at_account)
			let_go(guard, pass->account);
		pthread_mutex_unlock(&guard->lock);
	}
	*pass = (struct guard_pass){0};
}

bool guard_is_known(struct guard *guard, const char *account, const char *address)
{
	struct guard_pass pass;
	bool is;

	name(guard, account, address, &pass);
	pthread_mutex_lock(&guard->lock);
	is = find(known_bucket(guard, &pass), pass.pair) != NULL;
	pthread_mutex_unlock(&guard->lock);
	return is;
}

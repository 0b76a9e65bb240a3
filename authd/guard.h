/*
 * Who guesses passwords waits.  Failures are counted per account and per address (IPv6 by /64), and an answer
 * is held back the longer, the more there were: a wrong password's always, a right one's where many failed
 * before it.  What strangers do slows strangers: an address from which the user has got in answers for what
 * was done from itself alone, and nobody is ever turned away for good.
 *
 * How many attempts one address may have under way is bounded, and how many those who failed already may have
 * at one account; so a guess costs its guesser time, however many connections he has.
 *
 * Memory is of fixed size.  Keys are keyed hashes, and where a bucket is full, what counts least gives way; an
 * address that a user got in from is kept apart, where only who knows a password can push anything out.
 */
#ifndef AUTHD_GUARD_H
#define AUTHD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard;

/* What the settings say now. */
struct guard_rules {
	int64_t delay_ms;      /* after the first failure; doubled for each further one (FailureDelay) */
	int64_t delay_max_ms;  /* FailureDelayMax */
	int64_t forget_ms;     /* one failure is forgiven in so long (FailureForget) */
	uint32_t address_max;  /* attempts of an address under way (MaxAttemptsFromAddress) */
	uint32_t account_max;  /* of those who failed before, at one account (MaxAttemptsAtAccount) */
};

enum guard_outcome {
	GUARD_RIGHT,
	GUARD_WRONG,
	GUARD_UNDECIDED, /* it was not found out: nothing is counted */
};

/* One attempt under way; zeroed: none. */
struct guard_pass {
	uint64_t account, address, pair; /* hashes; address and pair 0: no address is known */
	uint64_t offered; /* of the secret; 0: not known */
	bool is_entered, is_counted_at_account;
};

/* Remembers about entries_n accounts and addresses that failed, and half as many that are known. */
struct guard *guard_new(size_t entries_n);
void guard_free(struct guard **guard);

/* account: as directory_account_key makes it.  address: "192.0.2.1" or "2001:db8::1"; NULL: not known.
 * False: too many of this address, or at this account, are under way; then nothing is to be left.  Any thread,
 * as all that follow. */
bool guard_enter(struct guard *guard, const struct guard_rules *rules, const char *account,
    const char *address, int64_t now_ms, struct guard_pass *pass_r);
/* Where the server sees the secret: a wrong one that is offered again and again from one place counts once. */
void guard_offer(struct guard *guard, struct guard_pass *pass, const char *secret);
/* How it came out, and so how long the answer is to be held back. */
int64_t guard_judge(struct guard *guard, const struct guard_rules *rules, const struct guard_pass *pass,
    enum guard_outcome outcome, int64_t now_ms);
/* The answer went out, or nobody waits for it any more. */
void guard_leave(struct guard *guard, struct guard_pass *pass);
/* Whether the user has got in from there. */
bool guard_is_known(struct guard *guard, const char *account, const char *address);

#endif

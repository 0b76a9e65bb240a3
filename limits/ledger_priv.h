/* What ledger.c (which files are open) and ledger_file.c (what is in one) share. */
#ifndef LIMITS_LEDGER_PRIV_H
#define LIMITS_LEDGER_PRIV_H

#include "limits/ledger.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

struct ledger_record {
	uint64_t check; /* of all that follows, the key and the place */
	uint32_t generation;
	uint32_t pid; /* for people: pids mean nothing across PID namespaces */
	uint32_t counts[LEDGER_COUNTS_N];
};
_Static_assert(sizeof(struct ledger_record) == 64, "a record is one cache line");

struct ledger_file {
	struct ledger *ledger;
	struct ledger_key key;
	char name[48];
	int fd; /* -1 in a forked child */

	/* ledger->lock */
	struct ledger_file *hash_next, *older_idle, *newer_idle;
	unsigned refs;

	/* queue: who of this process may wait for, and hold, the MUTEX byte */
	pthread_mutex_t queue;
	struct ledger_record *records; /* as read */
	size_t records_n, room;
	struct ledger_counts total;
	size_t sound_n;   /* records there were when that was last verified: */
	bool is_verified; /* nobody's record is missing or damaged */

	/* record: held around a change of mine and its pwrite, never while waiting for anything */
	pthread_mutex_t record;
	struct ledger_record mine;
	int region; /* -1: none claimed yet; written under queue and record */
};

struct ledger {
	int runtime_fd;
	void (*ask)(void *arg, struct ledger_key key);
	void *ask_arg;
	pthread_mutex_t lock;
	struct ledger_file **buckets;
	struct ledger_file *oldest_idle, *newest_idle;
	size_t idle_n;
};

WARN_UNUSED int ledger_file_open(struct ledger *ledger, struct ledger_key key,
    struct ledger_file **file_r, struct err *e);
void ledger_file_close(struct ledger_file **file);
void ledger_file_name(struct ledger_key key, char out[48]);

#endif

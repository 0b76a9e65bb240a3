/*
 * Refusals that are being counted now: a table in the runtime folder, shared by all processes, with
 * an entry per user, limit and minute that has a record in the event log.  Counting there is one
 * atomic addition, so a storm of refusals stays cheap; the record's own count follows once a second.
 */
#ifndef LIMITS_EVENT_TABLE_H
#define LIMITS_EVENT_TABLE_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event_key {
	uint64_t user;
	uint32_t minute; /* since the epoch; never 0 */
	uint32_t limit;  /* the setting's name and value, hashed */
};

struct event_entry {
	_Atomic uint64_t user;
	_Atomic uint64_t what; /* minute and limit; 0: free.  Written last, under the log's lock */
	_Atomic uint64_t state; /* how often it was given to a key, and the count: who counts for another key is told apart */
	_Atomic uint64_t written_count;
	_Atomic int64_t written_ms;
	/* Where the record is, under the log's lock. */
	uint64_t record_id, file_inode;
	int64_t count_at;
};

/* 10,000 users who are refused, this minute and the last, have room. */
#define EVENT_BUCKETS_N 8192
#define EVENT_BUCKET_SIZE 8

struct event_table {
	_Atomic uint64_t last_id;
	unsigned char spare[56];
	_Atomic uint32_t overflowed[EVENT_BUCKETS_N]; /* the last minute a young entry had to make way in */
	struct event_entry entries[EVENT_BUCKETS_N][EVENT_BUCKET_SIZE];
};

WARN_UNUSED int event_table_open(int runtime_fd, struct event_table **table_r, struct err *e);
void event_table_close(struct event_table *table);

/* The value belongs to the key: the record names it, and a limit that was changed is another one. */
struct event_key event_key_make(uint64_t user, const char *setting, uint32_t limit,
    int64_t time_ms);
/* The entry of a key, or NULL. */
struct event_entry *event_table_find(struct event_table *table, struct event_key key);
uint64_t event_entry_count(const struct event_entry *entry);
/* Counts one for a key whose entry was found, by anybody at any time.  False: it is another's meanwhile. */
bool event_table_count(struct event_entry *entry, struct event_key key);

/* Under the log's lock, one after the other: an entry to be used for key, its old contents still in it (what == 0: none);
 * its last count, after which nobody counts there; and the key's. */
struct event_entry *event_table_place(struct event_table *table, struct event_key key);
uint64_t event_table_take(struct event_entry *entry);
void event_table_put(struct event_entry *entry, struct event_key key, const struct event_entry *filled);
/* Whether an entry of this key may have been pushed out: the log has to be asked. */
bool event_table_may_have_lost(struct event_table *table, struct event_key key);

#endif

/*
 * What ledger.c (which files are open), ledger_file.c (locking, reading, repair), ledger_count.c (counting) and
 * ledger_record.c (what a record is) share.
 */
#ifndef LIMITS_LEDGER_PRIV_H
#define LIMITS_LEDGER_PRIV_H

#include "limits/born.h"
#include "limits/lane.h"
#include "limits/ledger.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

struct ledger_record {
	uint64_t check; /* of all that follows, the key and the place */
	uint32_t pid;   /* for people: pids mean nothing across PID namespaces */
	/* With a lane: one of the counts says what is set aside, and the lane what is held of it. */
	struct lane_ref lane;
	uint32_t lane_which;
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
	struct ledger_record *records; /* as read; of a lane that was shut: as it is held */
	size_t records_n, room;
	struct ledger_counts total;
	size_t sound_n;   /* records there were when that was last verified: */
	bool is_verified; /* nobody's record is missing or damaged */

	/* record: held around a change of mine and its pwrite, never while waiting for anything */
	pthread_mutex_t record;
	struct ledger_record mine;       /* as it stands in the file */
	uint32_t held[LEDGER_COUNTS_N];  /* what is held, which a lane's count in mine may exceed */
	int region; /* -1: none claimed yet; written under queue and record */
	struct lane lane;
	bool lane_is_open;
	uint64_t lane_terms;
	int64_t lane_until_ms;
	int64_t added_ms; /* when ledger_add counted last */
	size_t lane_size; /* of the file, when it was last read */
};

struct ledger {
	int runtime_fd, hold_fd;
	struct born *born;
	struct lanes *lanes;
	void (*ask)(void *arg, struct ledger_key key);
	void *ask_arg;
	pthread_mutex_t lock;
	struct ledger_file **buckets;
	struct ledger_file *oldest_idle, *newest_idle;
	size_t idle_n;
};

/* ---- ledger_record.c ---- */

#define LEDGER_RECORDS_MAX 65536
#define LEDGER_MUTEX_AT ((off_t)1 << 40)
#define LEDGER_LIVE_AT (LEDGER_MUTEX_AT + 4096)

/* As it was read. */
bool ledger_record_fits(const struct ledger_file *file, size_t region,
    const struct ledger_record *record);
bool ledger_record_is_valid(const struct ledger_file *file, size_t region);
bool ledger_record_is_blank(const struct ledger_record *record);
bool ledger_record_has_counts(const struct ledger_record *record);
bool ledger_record_is_live(const struct ledger_file *file, size_t region);
/* With file->record.  -1: errno. */
WARN_UNUSED int ledger_record_write_mine(struct ledger_file *file);
/* With the MUTEX byte: another's. */
void ledger_record_clear(struct ledger_file *file, size_t region);
/* All records of a file of this size. */
WARN_UNUSED int ledger_record_read_all(struct ledger_file *file, size_t size, struct err *e);
/* One record again until it is whole; false if it stays damaged. */
bool ledger_record_reread(struct ledger_file *file, size_t region);
void ledger_record_add(struct ledger_counts *to, const struct ledger_record *record);

/* ---- ledger_file.c ---- */

WARN_UNUSED int ledger_file_open(struct ledger *ledger, struct ledger_key key,
    struct ledger_file **file_r, struct err *e);
void ledger_file_close(struct ledger_file **file);
void ledger_file_name(struct ledger_key key, char out[48]);
/* An open one is a file as we make them; says what is wrong, where it lies, and what to do. */
WARN_UNUSED int ledger_file_check(const struct ledger *ledger, const char *name, int fd, struct err *e);
/* It could not be opened: why, where it lies, and what to do. */
WARN_UNUSED int ledger_file_unopened(const struct ledger *ledger, const char *name, int sys, struct err *e);
/* With the MUTEX byte: everything about the file, and its repair. */
WARN_UNUSED int ledger_file_verify(struct ledger_file *file, struct err *e);

/* ---- ledger_count.c ---- */

/* With file->record: what is held stands in mine, and no lane does. */
void ledger_lane_give_up(struct ledger_file *file);
/* With the queue: nobody of this process counts without the MUTEX byte. */
void ledger_lane_shut(struct ledger_file *file);
/* With the queue: total, of the records as read and of what is held here. */
void ledger_sum_up(struct ledger_file *file);

#endif

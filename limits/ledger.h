/*
 * The ledger: who holds how much now, over all processes.  One small file per user and one per
 * service, in the runtime folder.  Knows counts and keys; what the counts mean, and what the limits
 * are, is session.c's.
 *
 * A file is an array of 64-byte records, one per process that counts in it: a count per service.
 * Locks (OFD, far beyond the end of the file):
 *
 *   MUTEX    one byte; held for the microsecond of a grant
 *   LIVE+r   one byte per record r; held by its process for as long as it may count there
 *
 * Only its owner raises a record; he lowers it without the mutex.  So what a record says may be too high (its
 * owner was killed: the LIVE byte is free then) but never too low, and the sum can be trusted while it
 * is below the limit.  At the limit, and only there, the LIVE bytes are tested and the records of
 * the dead are cleared.  The kernel gives back what SIGKILL leaves behind; there is no lease and no timer.
 *
 * What one process counts again and again it need not write each time: a grant may set more aside for it, and it
 * counts these in a word of shared memory, its lane (limits/lane.h), without the mutex.  Its record then says how
 * many it may hold, which is too high as well; at the limit the lanes of the others are shut, which takes back what
 * they don't hold, and they count with the mutex again.  Nobody has to answer for that, so a process that was stopped
 * keeps nothing from others.
 *
 * A record carries a checksum of itself, its place and its file.  It tells a read that came in the middle
 * of a write (read again), and damage: then every process is asked to write its record anew from
 * memory, and nothing is granted until the file adds up.
 *
 * Callers of this header: limits/ and its tests.
 */
#ifndef LIMITS_LEDGER_H
#define LIMITS_LEDGER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Room in a record; rows of service.tbl.h use the first of them. */
#define LEDGER_COUNTS_N 10

struct ledger_counts {
	uint64_t n[LEDGER_COUNTS_N];
};

enum ledger_kind { LEDGER_USER, LEDGER_SERVICE };
struct ledger_key {
	enum ledger_kind kind;
	uint64_t n; /* user id, or number of the service */
};

struct ledger;
struct ledger_file;

/* hold_fd: as of runtime_open, and who else has such a lock may count here; -1: nobody else is known of. */
struct ledger *ledger_new(int runtime_fd, int hold_fd);
void ledger_free(struct ledger **ledger);
/* How to ask all other processes to call ledger_rewrite for a key; waits for their answers. */
void ledger_set_ask(struct ledger *ledger, void (*ask)(void *arg, struct ledger_key key), void *arg);

/* The file of a key, opened if it was not: each get needs a put.  Files that nobody uses stay open
 * for a while, up to a number. */
WARN_UNUSED int ledger_get(struct ledger *ledger, struct ledger_key key, struct ledger_file **file_r,
    struct err *e);
void ledger_put(struct ledger_file *file);

/*
 * The file's mutex, first among this process's threads, then among processes.  wait_ms 0: tries
 * once.  On success the file has been read: ledger_total.  Files are locked users first, then services.
 * Errors: BUSY (not in time), UNAVAILABLE (the file was removed under us), CORRUPT, NOSPACE, IO.
 */
WARN_UNUSED int ledger_lock(struct ledger_file *file, int64_t wait_ms, struct err *e);
void ledger_unlock(struct ledger_file *file);
/* Without the mutex: what this process counts in the file. */
void ledger_own(struct ledger_file *file, struct ledger_counts *counts_r);
/* Without the mutex: what is counted or set aside in the file, the counts of the dead among it; records are not
 * read at one instant.  False: it takes the mutex to tell. */
bool ledger_glance(struct ledger_file *file, struct ledger_counts *counts_r);
/* Between lock and unlock: the sum over all records: what others hold or have had set aside, and what is held here. */
const struct ledger_counts *ledger_total(const struct ledger_file *file);
/* Between lock and unlock: clears the records of dead processes, and takes back what was set aside for those who
 * live; the total is exact then.  CORRUPT: somebody who lives can't be asked how many he holds. */
WARN_UNUSED int ledger_settle(struct ledger_file *file, struct err *e);
/* Between lock and unlock: counts one more.  On the file first, then granted.  With spare, so many more are set
 * aside for this process, where that can be done: ledger_take counts them under the same terms. */
struct ledger_spare {
	uint32_t n;
	uint64_t terms;
};
WARN_UNUSED int ledger_add(struct ledger_file *file, unsigned which,
    const struct ledger_spare *spare, struct err *e);
/* At any time, without the mutex: counts one more of what was set aside.  False: nothing is, and it takes
 * ledger_lock to tell.  ledger_could_take says beforehand what it probably will do. */
bool ledger_take(struct ledger_file *file, unsigned which, uint64_t terms);
bool ledger_could_take(struct ledger_file *file, unsigned which, uint64_t terms);
/* At any time, without the mutex: counts one less. */
void ledger_sub(struct ledger_file *file, unsigned which);

/* The exact counts now, without the mutex and without making a file: for lists. */
WARN_UNUSED int ledger_peek(struct ledger *ledger, struct ledger_key key,
    struct ledger_counts *counts_r, struct err *e);

/* Writes this process's record of a key again from memory, if it has one. */
void ledger_rewrite(struct ledger *ledger, struct ledger_key key);

/* Around fork: no file is half-opened in the child, which closes all and counts no more. */
void ledger_before_fork(struct ledger *ledger);
void ledger_after_fork(struct ledger *ledger, bool in_child);

#endif

/*
 * What has happened, counted over all processes since the host is up: sessions granted, and how long that took;
 * refused, by limit; taken from who was gone.  For who watches (postern-metrics), never for a decision.
 *
 * The counters lie in a file of the runtime folder that every process maps: counting is an addition or two in memory.
 * Threads add in different stripes of it, so that they don't wait for each other's cache line; who reads sums up.
 */
#ifndef LIMITS_TALLY_H
#define LIMITS_TALLY_H

#include "limits/session.h"

#include <stdint.h>

struct tally;

/* Why sessions were taken from who held them. */
enum tally_reaped {
	TALLY_KILLED, /* the process was killed */
	TALLY_SILENT, /* the peer answered no probe */
	TALLY_REAPED_N
};
const char *tally_reaped_name(enum tally_reaped why);

/* Limits that can refuse, in the order of the file: rows are appended, never moved. */
struct tally_limit {
	const char *layer, *limit;
};
#define TALLY_LIMITS_MAX 32
extern const struct tally_limit tally_limits[];
extern const size_t tally_limits_n;

/* A histogram's buckets: the first holds what took up to TALLY_LEAST_NS, each next one twice as much, the last one the rest. */
#define TALLY_BUCKETS_N 24
#define TALLY_LEAST_NS 500u

#define TALLY_SERVICES_MAX 16
struct tally_sums {
	uint64_t granted[TALLY_SERVICES_MAX];
	uint64_t refused[TALLY_SERVICES_MAX][TALLY_LIMITS_MAX];
	uint64_t reaped[TALLY_REAPED_N];
	uint64_t took[TALLY_BUCKETS_N]; /* grants, each in one bucket */
	uint64_t took_ns;
	uint64_t recorded; /* in the event log */
};

/* NULL where the file can't be had: nothing is counted then, and a line in the log says so. */
struct tally *tally_open(int runtime_fd);
void tally_close(struct tally **tally);

/* All take NULL. */
void tally_granted(struct tally *tally, enum session_service service, int64_t took_ns);
void tally_refused(struct tally *tally, enum session_service service, const char *limit);
void tally_reaped(struct tally *tally, enum tally_reaped why, uint64_t n);
void tally_recorded(struct tally *tally);
int64_t tally_clock_ns(void);

struct tally_sums tally_read(const struct tally *tally);
/* The same as tally_refused, for who refuses before there is a session: a door, as it accepts. */
void tally_refused_of(struct site *site, enum session_service service, const char *limit);
/* The same as tally_read of a site, for who watches it. */
struct tally_sums tally_of(struct site *site);
/* What came between two readings. */
struct tally_sums tally_between(const struct tally_sums *before, const struct tally_sums *now);
/* How long that percentage of the grants took at most, by the bucket it falls in; INT64_MAX: longer than all buckets but the
 * last; 0: there were no grants. */
int64_t tally_took_ns(const struct tally_sums *sums, unsigned percent);

#endif

/* limits/tally.c - see tally.h. */
#include "limits/tally.h"
#include "limits/runtime_priv.h"
#include "limits/site_priv.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define STRIPES_N 8u

_Static_assert(SESSION_SERVICES_N <= TALLY_SERVICES_MAX, "there is room for each service");

/* In the file as in memory: all numbers are uint64_t, in the order of struct tally_sums. */
#define NUMBERS_N (sizeof(struct tally_sums) / sizeof(uint64_t))
struct stripe {
	_Alignas(64) _Atomic uint64_t numbers[NUMBERS_N];
};

/* As it is mapped. */
struct tally {
	struct stripe stripes[STRIPES_N];
};

const struct tally_limit tally_limits[] = {
    {"store", "Maximum Allowed Sessions Per User"},
    {"store", "Maximum Allowed Service Sessions Per User"},
    {"store", "Maximum Allowed Sessions Per Administrator"},
    {"store", "Maximum Allowed Exchange Sessions Per Service"},
    {"protocol", "MaxConnectionsPerUser"},
    {"policy", "POPMaxConcurrency"},
    {"policy", "IMAPMaxConcurrency"},
    {"policy", "OWAMaxConcurrency"},
    {"policy", "EWSMaxConcurrency"},
    {"policy", "EASMaxConcurrency"},
    {"policy", "RCAMaxConcurrency"},
    {"session", "objtMessage"},
    {"session", "objtFolder"},
    {"session", "objtAttachment"},
    {"session", "objtStream"},
    {"session", "objtNotify"},
    {"ledger", "none"}, /* sessions can't be counted now */
    {"other", "other"},
    {"accept", "MaxConnections"},
    {"accept", "MaxConnectionFromSingleIP"},
};
const size_t tally_limits_n = sizeof tally_limits / sizeof *tally_limits;
_Static_assert(sizeof tally_limits / sizeof *tally_limits <= TALLY_LIMITS_MAX, "there is room for each limit");

const char *tally_reaped_name(enum tally_reaped why)
{
	static const char *const names[TALLY_REAPED_N] = {[TALLY_KILLED] = "killed", [TALLY_SILENT] = "silent"};

	return names[why];
}

/* Whole on the disk before it is mapped: a full tmpfs is no SIGBUS later. */
struct tally *tally_open(int runtime_fd)
{
	int fd = openat(runtime_fd, "tally", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RUNTIME_FILE_MODE);
	void *at = MAP_FAILED;
	int r = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)sizeof(struct tally));

	if (r == 0) {
		at = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		r = errno;
	}
	if (fd >= 0)
		close(fd);
	if (at == MAP_FAILED)
		log_warn("not-tallied", "errno=%d", r);
	return at == MAP_FAILED ? NULL : at;
}

void tally_close(struct tally **tally)
{
	if (*tally)
		munmap(*tally, sizeof **tally);
	*tally = NULL;
}

/* A thread keeps its stripe; processes begin at different ones. */
static unsigned stripe_of_thread(void)
{
	static _Atomic unsigned next;
	static __thread unsigned mine;

	if (mine == 0)
		mine = 1 + ((unsigned)getpid() + atomic_fetch_add_explicit(&next, 1, memory_order_relaxed)) % STRIPES_N;
	return mine - 1;
}

static void count(struct tally *tally, size_t offset, uint64_t n)
{
	_Atomic uint64_t *number = &tally->stripes[stripe_of_thread()].numbers[offset / sizeof(uint64_t)];

	atomic_fetch_add_explicit(number, n, memory_order_relaxed);
}

#define COUNT(tally, member, n) count(tally, offsetof(struct tally_sums, member), n)

static size_t bucket_of(uint64_t ns)
{
	size_t i = 0;

	for (uint64_t most = TALLY_LEAST_NS; ns > most && i < TALLY_BUCKETS_N - 1; most *= 2)
		i++;
	return i;
}

int64_t tally_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

void tally_granted(struct tally *tally, enum session_service service, int64_t took_ns)
{
	uint64_t ns = took_ns > 0 ? (uint64_t)took_ns : 0;

	if (!tally)
		return;
	COUNT(tally, granted[service], 1);
	COUNT(tally, took[bucket_of(ns)], 1);
	COUNT(tally, took_ns, ns);
}

static size_t row_of(const char *limit)
{
	size_t other = 0;

	for (size_t i = 0; i < tally_limits_n; i++) {
		if (strcmp(tally_limits[i].limit, limit) == 0)
			return i;
		if (strcmp(tally_limits[i].layer, "other") == 0)
			other = i;
	}
	return other;
}

void tally_refused(struct tally *tally, enum session_service service, const char *limit)
{
	if (tally)
		COUNT(tally, refused[service][row_of(limit)], 1);
}

void tally_refused_of(struct site *site, enum session_service service, const char *limit)
{
	tally_refused(site_tally(site), service, limit);
}

void tally_reaped(struct tally *tally, enum tally_reaped why, uint64_t n)
{
	if (tally && n > 0)
		COUNT(tally, reaped[why], n);
}

void tally_recorded(struct tally *tally)
{
	if (tally)
		COUNT(tally, recorded, 1);
}

struct tally_sums tally_read(const struct tally *tally)
{
	uint64_t numbers[NUMBERS_N] = {0};
	struct tally_sums sums;

	for (size_t s = 0; tally && s < STRIPES_N; s++)
		for (size_t i = 0; i < NUMBERS_N; i++)
			numbers[i] += atomic_load_explicit(&tally->stripes[s].numbers[i], memory_order_relaxed);
	memcpy(&sums, numbers, sizeof sums);
	return sums;
}

struct tally_sums tally_of(struct site *site)
{
	return tally_read(site_tally(site));
}

struct tally_sums tally_between(const struct tally_sums *before, const struct tally_sums *now)
{
	uint64_t a[NUMBERS_N], b[NUMBERS_N];
	struct tally_sums sums;

	memcpy(a, before, sizeof a);
	memcpy(b, now, sizeof b);
	for (size_t i = 0; i < NUMBERS_N; i++)
		b[i] -= a[i];
	memcpy(&sums, b, sizeof sums);
	return sums;
}

int64_t tally_took_ns(const struct tally_sums *sums, unsigned percent)
{
	uint64_t n = 0, seen = 0;
	int64_t most_ns = TALLY_LEAST_NS;

	for (int i = 0; i < TALLY_BUCKETS_N; i++)
		n += sums->took[i];
	if (n == 0)
		return 0;
	for (int i = 0; i < TALLY_BUCKETS_N - 1; i++, most_ns *= 2) {
		seen += sums->took[i];
		if (seen * 100 >= n * percent)
			return most_ns;
	}
	return INT64_MAX;
}

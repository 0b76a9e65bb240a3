/*
 * limits/ledger_file.c - one ledger file: its records, its locks, and its repair (ledger.h has the idea).
 *
 * The order that exactness hangs on: a LIVE byte is claimed, and the records of the dead are cleared, only
 * under the MUTEX byte; a claimed record is written as zeros before anything is counted in it, since the
 * one who had it before may have been killed with counts in it.
 */
#include "limits/ledger_priv.h"
#include "limits/runtime_priv.h"
#include "limits/session.h"
#include "base/check.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RECORDS_MAX 65536
#define MUTEX_AT ((off_t)1 << 40)
#define LIVE_AT (MUTEX_AT + 4096)
/* A read that met a write is whole at the next try or the one after: a copy of 64 bytes.  Only a
 * writer that lost the processor in the middle of it takes longer. */
#define REREADS_MAX 200
/* A look without the mutex reads no more: there are that many processes at few sites. */
#define GLANCE_RECORDS 32

_Static_assert(SESSION_SERVICES_N <= LEDGER_COUNTS_N, "a record has room for every service");

/* ---- records ---- */

static uint64_t checksum(const struct ledger_file *file, size_t region,
    const struct ledger_record *record)
{
	uint64_t words[sizeof *record / 8];
	uint64_t h = file->key.n + ((uint64_t)file->key.kind << 32) + (region << 40);

	memcpy(words, record, sizeof words);
	for (size_t i = 1; i < sizeof words / sizeof *words; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h;
}

static bool is_valid(const struct ledger_file *file, size_t region)
{
	return file->records[region].check == checksum(file, region, &file->records[region]);
}

/* Never written: a hole, or the file was cut off and grew again. */
static bool is_blank(const struct ledger_record *record)
{
	static const struct ledger_record blank;

	return memcmp(record, &blank, sizeof blank) == 0;
}

static bool has_counts(const struct ledger_record *record)
{
	for (int i = 0; i < LEDGER_COUNTS_N; i++)
		if (record->counts[i])
			return true;
	return false;
}

static int write_record(const struct ledger_file *file, size_t region,
    const struct ledger_record *record)
{
	return io_pwrite_all(file->fd, record, sizeof *record, (off_t)(region * sizeof *record));
}

static int write_mine(struct ledger_file *file)
{
	file->mine.check = checksum(file, (size_t)file->region, &file->mine);
	return write_record(file, (size_t)file->region, &file->mine);
}

static void write_zeros(struct ledger_file *file, size_t region)
{
	struct ledger_record zeros = {.generation = file->records[region].generation + 1};

	zeros.check = checksum(file, region, &zeros);
	if (write_record(file, region, &zeros) < 0)
		log_warn("ledger-write-failed", "file=%s errno=%d", file->name, errno);
	file->records[region] = zeros;
}

/* ---- reading ---- */

static int fill(struct ledger_file *file, size_t size, struct err *e)
{
	size_t n = (size + sizeof *file->records - 1) / sizeof *file->records;
	ssize_t got;

	if (n > RECORDS_MAX)
		n = RECORDS_MAX;
	if (n > file->room) {
		file->room = n + n / 4 + 8;
		file->records = mem_realloc(file->records, file->room * sizeof *file->records);
	}
	got = n ? io_pread_all(file->fd, file->records, n * sizeof *file->records, 0) : 0;
	if (got < 0)
		return err_sys(e, ERR_IO, errno, "read ledger file %s", file->name);
	memset((char *)file->records + got, 0, n * sizeof *file->records - (size_t)got);
	file->records_n = n;
	return 0;
}

/* Reads one record again until it is whole; false if it stays damaged. */
static bool reread(struct ledger_file *file, size_t region)
{
	struct ledger_record *record = &file->records[region];

	for (int i = 0; i < REREADS_MAX; i++) {
		ssize_t n = io_pread_all(file->fd, record, sizeof *record,
		    (off_t)(region * sizeof *record));

		if (n == (ssize_t)sizeof *record && is_valid(file, region))
			return true;
		sched_yield();
	}
	return false;
}

static void add_counts(struct ledger_counts *to, const struct ledger_record *record)
{
	for (int i = 0; i < LEDGER_COUNTS_N; i++)
		to->n[i] += record->counts[i];
}

static void sum_up(struct ledger_file *file)
{
	file->total = (struct ledger_counts){{0}};
	for (size_t r = 0; r < file->records_n; r++)
		add_counts(&file->total, &file->records[r]);
}

/* Whether our own record is in the file as it is in memory.  A release on another thread may
 * have come between the reading and this, so it is read again before it is called wrong. */
static bool is_mine_there(struct ledger_file *file)
{
	struct ledger_record *read_one = file->records + file->region;
	bool there;

	if ((size_t)file->region >= file->records_n)
		return false;
	pthread_mutex_lock(&file->record);
	there = memcmp(read_one, &file->mine, sizeof file->mine) == 0 ||
	    (reread(file, (size_t)file->region) &&
	        memcmp(read_one, &file->mine, sizeof file->mine) == 0);
	pthread_mutex_unlock(&file->record);
	return there;
}

/* What every grant looks at; a claim and a repair look at more (is_sound).  A file does not shrink, and
 * no record of it is blank: even the dead leave zeros with a checksum. */
static bool looks_sound(struct ledger_file *file)
{
	if (file->records_n < file->sound_n)
		return false;
	for (size_t r = 0; r < file->records_n; r++)
		if (!is_valid(file, r) && !reread(file, r))
			return false;
	return is_mine_there(file);
}

static bool is_live(const struct ledger_file *file, size_t region)
{
	return io_is_locked(file->fd, LIVE_AT + (off_t)region, 1) != 0;
}

/* Under the MUTEX byte: nobody who lives has a record that is blank, damaged or cut off. */
static bool is_sound(struct ledger_file *file)
{
	for (size_t r = 0; r < file->records_n; r++) {
		if (r == (size_t)file->region || is_valid(file, r) ||
		    (!is_blank(&file->records[r]) && reread(file, r)))
			continue;
		if (is_live(file, r))
			return false;
		write_zeros(file, r);
	}
	return io_is_locked(file->fd, LIVE_AT + (off_t)file->records_n, RECORDS_MAX) == 0 &&
	    is_mine_there(file);
}

/*
 * Everything about the file, and its repair: the counts are in the memories of those who hold
 * them, so each is asked to write its record again.  Who does not answer (stopped, say) leaves the
 * file damaged, and nothing is granted: better refused than over the limit.
 */
static int verify(struct ledger_file *file, struct err *e)
{
	struct stat st;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (fstat(file->fd, &st) < 0)
			return err_sys(e, ERR_IO, errno, "stat ledger file %s", file->name);
		if (fill(file, (size_t)st.st_size, e) < 0)
			return -1;
		file->is_verified = is_sound(file);
		file->sound_n = file->records_n;
		if (file->is_verified)
			return 0;
		if (attempt > 0)
			break;
		log_warn("ledger-repair", "file=%s", file->name);
		ledger_rewrite(file->ledger, file->key);
		if (file->ledger->ask)
			file->ledger->ask(file->ledger->ask_arg, file->key);
	}
	return err_set(e, ERR_CORRUPT, "ledger file %s is damaged, and a process that counts in it "
	    "does not answer", file->name);
}

static int read_all(struct ledger_file *file, size_t size, struct err *e)
{
	if (fill(file, size, e) < 0)
		return -1;
	return looks_sound(file) ? 0 : verify(file, e);
}

/* ---- claiming a record ---- */

static int claim(struct ledger_file *file, struct err *e)
{
	int region = 0;

	while (io_try_lock(file->fd, LIVE_AT + region, 1) < 0) {
		if (errno != EAGAIN)
			return err_sys(e, ERR_IO, errno, "lock ledger file %s", file->name);
		if (++region == RECORDS_MAX)
			return err_set(e, ERR_UNAVAILABLE, "ledger file %s: too many processes",
			    file->name);
	}
	pthread_mutex_lock(&file->record);
	file->mine = (struct ledger_record){.pid = (uint32_t)getpid()};
	file->region = region;
	if (write_mine(file) < 0) {
		err_sys(e, ERR_IO, errno, "write ledger file %s", file->name);
		file->region = -1;
		io_unlock(file->fd, LIVE_AT + region, 1);
	}
	pthread_mutex_unlock(&file->record);
	file->is_verified = false;
	return file->region < 0 ? -1 : 0;
}

/* ---- opening ---- */

void ledger_file_name(struct ledger_key key, char out[48])
{
	if (key.kind == LEDGER_USER)
		snprintf(out, 48, RUNTIME_USERS "/%016llx", (unsigned long long)key.n);
	else
		snprintf(out, 48, RUNTIME_SERVICES "/%u", (unsigned)key.n);
}

/* A file that was removed between open and now would be a lock domain of its own. */
static int open_fd(const struct ledger_file *file, int *fd_r, struct err *e)
{
	struct stat opened, named;
	int fd = openat(file->ledger->runtime_fd, file->name,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RUNTIME_FILE_MODE);

	if (fd < 0)
		return err_sys(e, errno == EACCES ? ERR_PERM : ERR_UNAVAILABLE, errno,
		    "open ledger file %s", file->name);
	if (fstat(fd, &opened) < 0 || fstatat(file->ledger->runtime_fd, file->name, &named, 0) < 0 ||
	    opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) {
		close(fd);
		return err_set(e, ERR_UNAVAILABLE, "ledger file %s was replaced while it was opened; "
		    "nothing in the runtime folder may be removed", file->name);
	}
	*fd_r = fd;
	return 0;
}

int ledger_file_open(struct ledger *ledger, struct ledger_key key, struct ledger_file **file_r,
    struct err *e)
{
	struct ledger_file *file = mem_alloc(sizeof *file);

	file->ledger = ledger;
	file->key = key;
	file->region = -1;
	ledger_file_name(key, file->name);
	if (open_fd(file, &file->fd, e) < 0) {
		free(file);
		return -1;
	}
	pthread_mutex_init(&file->queue, NULL);
	pthread_mutex_init(&file->record, NULL);
	*file_r = file;
	return 0;
}

void ledger_file_close(struct ledger_file **file)
{
	if ((*file)->fd >= 0)
		close((*file)->fd);
	pthread_mutex_destroy(&(*file)->queue);
	pthread_mutex_destroy(&(*file)->record);
	free((*file)->records);
	mem_free(file);
}

/*
 * The file has no name any more: somebody emptied the runtime folder.  While this process counts in it
 * there is no way to agree with those who make a new one, so it says so and refuses.
 */
static int reopen(struct ledger_file *file, struct err *e)
{
	int fd, r = -1;

	pthread_mutex_lock(&file->ledger->lock);
	pthread_mutex_lock(&file->record);
	if (has_counts(&file->mine)) {
		err_set(e, ERR_UNAVAILABLE, "ledger file %s was removed while sessions are counted in it; "
		    "end them, or restart the programs of this store", file->name);
	} else if (open_fd(file, &fd, e) == 0) {
		close(file->fd);
		file->fd = fd;
		file->region = -1;
		r = 0;
	}
	pthread_mutex_unlock(&file->record);
	pthread_mutex_unlock(&file->ledger->lock);
	return r;
}

/* ---- the mutex ---- */

/* ThreadSanitizer of gcc 12 does not know pthread_mutex_clocklock, and would see races everywhere. */
#ifdef __SANITIZE_THREAD__
#define QUEUE_CLOCK CLOCK_REALTIME
#define lock_until(mutex, until) pthread_mutex_timedlock(mutex, until)
#else
#define QUEUE_CLOCK CLOCK_MONOTONIC
#define lock_until(mutex, until) pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, until)
#endif

static int lock_queue(struct ledger_file *file, int64_t wait_ms)
{
	struct timespec until;

	if (pthread_mutex_trylock(&file->queue) == 0)
		return 0;
	if (wait_ms == 0)
		return EBUSY;
	clock_gettime(QUEUE_CLOCK, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return lock_until(&file->queue, &until);
}

static int lock_byte(struct ledger_file *file, int64_t wait_ms, struct err *e)
{
	if (io_lock_until(file->fd, MUTEX_AT, 1, wait_ms) == 0)
		return 0;
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_BUSY, "ledger file %s is held by another process", file->name);
	return err_sys(e, ERR_UNAVAILABLE, errno, "lock ledger file %s", file->name);
}

/* The MUTEX byte of the file that has the name. */
static int lock_named(struct ledger_file *file, int64_t wait_ms, size_t *size_r, struct err *e)
{
	struct stat st;

	for (int attempt = 0; attempt < 3; attempt++) {
		if (lock_byte(file, wait_ms, e) < 0)
			return -1;
		if (fstat(file->fd, &st) == 0 && st.st_nlink > 0) {
			*size_r = (size_t)st.st_size;
			return 0;
		}
		io_unlock(file->fd, MUTEX_AT, 1);
		if (reopen(file, e) < 0)
			return -1;
	}
	return err_set(e, ERR_UNAVAILABLE, "ledger file %s is removed again and again", file->name);
}

static int lock_and_read(struct ledger_file *file, int64_t wait_ms, struct err *e)
{
	size_t size = 0;
	int r;

	if (file->fd < 0)
		return err_set(e, ERR_UNAVAILABLE, "a forked child has no sessions");
	if (lock_named(file, wait_ms, &size, e) < 0)
		return -1;
	r = file->region < 0 ? claim(file, e) : 0;
	if (r == 0 && !file->is_verified)
		r = verify(file, e);
	else if (r == 0)
		r = read_all(file, size, e);
	if (r < 0)
		io_unlock(file->fd, MUTEX_AT, 1);
	else
		sum_up(file);
	return r;
}

int ledger_lock(struct ledger_file *file, int64_t wait_ms, struct err *e)
{
	if (lock_queue(file, wait_ms) != 0)
		return err_set(e, ERR_BUSY, "ledger file %s is held by another thread", file->name);
	if (lock_and_read(file, wait_ms, e) < 0) {
		pthread_mutex_unlock(&file->queue);
		return -1;
	}
	return 0;
}

void ledger_unlock(struct ledger_file *file)
{
	if (io_unlock(file->fd, MUTEX_AT, 1) < 0)
		log_error("ledger-unlock-failed", "file=%s errno=%d", file->name, errno);
	pthread_mutex_unlock(&file->queue);
}

/* ---- counting ---- */

const struct ledger_counts *ledger_total(const struct ledger_file *file)
{
	return &file->total;
}

void ledger_strike_dead(struct ledger_file *file)
{
	for (size_t r = 0; r < file->records_n; r++)
		if (r != (size_t)file->region && has_counts(&file->records[r]) && !is_live(file, r))
			write_zeros(file, r);
	sum_up(file);
}

int ledger_add(struct ledger_file *file, unsigned which, struct err *e)
{
	int r = 0;

	CHECK(which < LEDGER_COUNTS_N);
	pthread_mutex_lock(&file->record);
	file->mine.counts[which]++;
	file->mine.generation++;
	if (write_mine(file) < 0) {
		r = err_sys(e, ERR_IO, errno, "write ledger file %s", file->name);
		file->mine.counts[which]--;
	}
	pthread_mutex_unlock(&file->record);
	if (r == 0)
		file->total.n[which]++;
	return r;
}

void ledger_sub(struct ledger_file *file, unsigned which)
{
	pthread_mutex_lock(&file->record);
	if (file->fd >= 0) {
		CHECK(file->mine.counts[which] > 0);
		file->mine.counts[which]--;
		file->mine.generation++;
		if (write_mine(file) < 0)
			log_warn("ledger-write-failed", "file=%s errno=%d", file->name, errno);
	}
	pthread_mutex_unlock(&file->record);
}

void ledger_rewrite(struct ledger *ledger, struct ledger_key key)
{
	struct ledger_file *file;
	struct err e;

	if (ledger_get(ledger, key, &file, &e) < 0)
		return;
	pthread_mutex_lock(&file->record);
	if (file->fd >= 0 && file->region >= 0 && write_mine(file) < 0)
		log_warn("ledger-write-failed", "file=%s errno=%d", file->name, errno);
	pthread_mutex_unlock(&file->record);
	ledger_put(file);
}

/* ---- looking without counting ---- */

void ledger_own(struct ledger_file *file, struct ledger_counts *counts_r)
{
	*counts_r = (struct ledger_counts){{0}};
	pthread_mutex_lock(&file->record);
	add_counts(counts_r, &file->mine);
	pthread_mutex_unlock(&file->record);
}

bool ledger_glance(struct ledger_file *file, struct ledger_counts *counts_r)
{
	struct ledger_record records[GLANCE_RECORDS];
	struct ledger_counts counts = {{0}};
	ssize_t got;

	pthread_mutex_lock(&file->record); /* nobody puts another file in its place meanwhile */
	got = pread(file->fd, records, sizeof records, 0);
	pthread_mutex_unlock(&file->record);
	if (got < 0 || got == sizeof records || got % (ssize_t)sizeof *records)
		return false;
	for (size_t r = 0; r < (size_t)got / sizeof *records; r++) {
		if (records[r].check != checksum(file, r, &records[r]))
			return false;
		add_counts(&counts, &records[r]);
	}
	*counts_r = counts;
	return true;
}

static int peek_records(struct ledger_file *file, struct ledger_counts *counts, struct err *e)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return err_sys(e, ERR_IO, errno, "stat ledger file %s", file->name);
	if (fill(file, (size_t)st.st_size, e) < 0)
		return -1;
	for (size_t r = 0; r < file->records_n; r++) {
		const struct ledger_record *record = &file->records[r];

		if (!is_valid(file, r) && (is_blank(record) || !reread(file, r)) && is_live(file, r))
			return err_set(e, ERR_TEMP, "ledger file %s is damaged; the next session to open "
			    "mends it", file->name);
		if (!has_counts(record) || !is_live(file, r))
			continue;
		add_counts(counts, record);
	}
	return 0;
}

int ledger_peek(struct ledger *ledger, struct ledger_key key, struct ledger_counts *counts_r,
    struct err *e)
{
	struct ledger_file file = {.ledger = ledger, .key = key, .region = -1};
	struct ledger_counts counts = {{0}};
	int r = 0;

	ledger_file_name(key, file.name);
	file.fd = openat(ledger->runtime_fd, file.name, O_RDONLY | O_CLOEXEC);
	if (file.fd < 0 && errno != ENOENT)
		return err_sys(e, ERR_UNAVAILABLE, errno, "open ledger file %s", file.name);
	if (file.fd >= 0) {
		r = peek_records(&file, &counts, e);
		close(file.fd);
	}
	free(file.records);
	if (r == 0)
		*counts_r = counts;
	return r;
}

/*
 * limits/ledger_count.c - counting in a ledger file, and looking without counting.
 *
 * With a lane, what this process holds stands in it, and in memory; its record says what it may hold.  Who shuts the
 * lanes of others looks at them twice: once all are shut, nobody counts more without the mutex, so what is counted
 * from then on was held at one instant, the one between the two looks.  A single look could add up what was never
 * held together, and refuse somebody wrongly.
 */
#include "limits/ledger_priv.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A look without the mutex reads no more: there are that many processes at few sites. */
#define GLANCE_RECORDS 32
/* For so long a file is not read again where a lane is open: damage to its records is mended then, or by whoever
 * comes to a limit before. */
#define LANE_MS 1000
#define PEEKS_MAX 20
#define SETTLES_MAX 10

/* ---- lanes ---- */

static bool has_lane(const struct ledger_file *file, unsigned which)
{
	return file->lane.word && file->mine.lane_which == which;
}

static void forget_lane(struct ledger_file *file)
{
	memcpy(file->mine.counts, file->held, sizeof file->held);
	file->mine.lane = (struct lane_ref){0};
	file->lane_is_open = false;
}

void ledger_lane_give_up(struct ledger_file *file)
{
	if (!file->lane.word)
		return;
	forget_lane(file);
	if (file->region >= 0 && ledger_record_write_mine(file) < 0)
		log_warn("ledger-write-failed", "file=%s errno=%d", file->name, errno);
	lane_drop(file->ledger->lanes, &file->lane);
}

static void spoilt(struct ledger_file *file)
{
	log_warn("ledger-lane-spoilt", "file=%s", file->name);
	ledger_lane_give_up(file);
}

void ledger_lane_shut(struct ledger_file *file)
{
	uint32_t n;

	pthread_mutex_lock(&file->record);
	n = file->held[file->mine.lane_which];
	if (file->lane.word && !lane_set(&file->lane, n, n, false))
		spoilt(file);
	file->lane_is_open = false;
	pthread_mutex_unlock(&file->record);
}

/* What the lane of a record says is held, in place of what was set aside; false: there is no such lane. */
static bool look_in_lane(const struct ledger_file *file, struct ledger_record *record)
{
	bool is_open;
	uint32_t n;

	if (record->lane.place == 0)
		return true;
	if (record->lane_which >= LEDGER_COUNTS_N ||
	    !lanes_look(file->ledger->lanes, record->lane, &n, &is_open))
		return false;
	record->counts[record->lane_which] = n;
	return true;
}

static bool is_others(const struct ledger_file *file, size_t region)
{
	return region != (size_t)file->region && ledger_record_has_counts(&file->records[region]);
}

static bool shut_lanes(struct ledger_file *file)
{
	bool ok = true;

	for (size_t r = 0; r < file->records_n; r++)
		if (is_others(file, r) && file->records[r].lane.place != 0 &&
		    !lanes_shut(file->ledger->lanes, file->records[r].lane))
			ok = false;
	for (size_t r = 0; ok && r < file->records_n; r++)
		ok = !is_others(file, r) || look_in_lane(file, &file->records[r]);
	return ok;
}

static void strike_dead(struct ledger_file *file)
{
	for (size_t r = 0; r < file->records_n; r++)
		if (is_others(file, r) && !ledger_record_is_live(file, r))
			ledger_record_clear(file, r);
}

int ledger_settle(struct ledger_file *file, struct err *e)
{
	strike_dead(file);
	/* One that is not there was spoilt, or went with its owner a moment ago. */
	for (int i = 0; !shut_lanes(file); i++) {
		if (i == SETTLES_MAX)
			return err_set(e, ERR_CORRUPT, "ledger file %s: lanes are missing again and again",
			    file->name);
		if (ledger_file_verify(file, e) < 0)
			return -1;
		strike_dead(file);
	}
	ledger_sum_up(file);
	return 0;
}

/* ---- counting ---- */

void ledger_sum_up(struct ledger_file *file)
{
	struct ledger_counts total;

	ledger_own(file, &total);
	for (size_t r = 0; r < file->records_n; r++)
		if (r != (size_t)file->region)
			ledger_record_add(&total, &file->records[r]);
	file->total = total;
}

const struct ledger_counts *ledger_total(const struct ledger_file *file)
{
	return &file->total;
}

/* Who comes once a while is not worth a lane. */
static bool is_hot(struct ledger_file *file)
{
	int64_t before_ms = file->added_ms;

	file->added_ms = clock_mono_ms();
	return before_ms != 0 && file->added_ms - before_ms < LANE_MS;
}

/* With the lane shut: what the record is to say, and in which lane the rest is counted. */
static void plan(struct ledger_file *file, unsigned which, const struct ledger_spare *spare)
{
	memcpy(file->mine.counts, file->held, sizeof file->held);
	if (!spare || spare->n == 0 || (!is_hot(file) && !file->lane.word))
		return;
	if (!file->lane.word && lane_claim(file->ledger->lanes, file->held[which] - 1, &file->lane)) {
		file->mine.lane = file->lane.ref;
		file->mine.lane_which = which;
	}
	if (has_lane(file, which))
		file->mine.counts[which] += spare->n;
}

/* The record is written: the lane may follow. */
static void open_lane(struct ledger_file *file, unsigned which, const struct ledger_spare *spare)
{
	uint32_t n = file->held[which];
	bool has_spare = n < file->mine.counts[which];

	if (!has_lane(file, which))
		return;
	if (!lane_set(&file->lane, n - 1, n, has_spare)) {
		spoilt(file);
	} else if (has_spare) {
		file->lane_is_open = true;
		file->lane_terms = spare->terms;
		file->lane_until_ms = clock_mono_ms() + LANE_MS;
		file->lane_size = file->records_n * sizeof *file->records;
	}
}

int ledger_add(struct ledger_file *file, unsigned which, const struct ledger_spare *spare,
    struct err *e)
{
	struct ledger_record before;
	int r = 0;

	CHECK(which < LEDGER_COUNTS_N);
	pthread_mutex_lock(&file->record);
	before = file->mine;
	file->held[which]++;
	plan(file, which, spare);
	if (ledger_record_write_mine(file) < 0) {
		r = err_sys(e, ERR_IO, errno, "write ledger file %s", file->name);
		file->held[which]--;
		file->mine = before;
		if (before.lane.place == 0)
			lane_drop(file->ledger->lanes, &file->lane);
	} else {
		open_lane(file, which, spare);
	}
	pthread_mutex_unlock(&file->record);
	if (r == 0)
		file->total.n[which]++;
	return r;
}

static bool could_take(const struct ledger_file *file, unsigned which, uint64_t terms)
{
	return file->fd >= 0 && file->lane_is_open && has_lane(file, which) &&
	    file->lane_terms == terms && file->held[which] < file->mine.counts[which] &&
	    clock_mono_ms() < file->lane_until_ms;
}

/* The file of a user has to have its name still, and its size: who emptied the runtime folder is found out at once.
 * The few files of services are looked at as often as their lanes are opened. */
static bool is_there(const struct ledger_file *file)
{
	struct stat st;

	return file->key.kind == LEDGER_SERVICE ||
	    (fstat(file->fd, &st) == 0 && st.st_nlink > 0 && (size_t)st.st_size >= file->lane_size);
}

bool ledger_could_take(struct ledger_file *file, unsigned which, uint64_t terms)
{
	bool could;

	pthread_mutex_lock(&file->record);
	could = could_take(file, which, terms);
	pthread_mutex_unlock(&file->record);
	return could;
}

bool ledger_take(struct ledger_file *file, unsigned which, uint64_t terms)
{
	bool taken = false;

	pthread_mutex_lock(&file->record);
	if (could_take(file, which, terms) && is_there(file)) {
		taken = lane_step(&file->lane, file->held[which], file->held[which] + 1, true);
		file->lane_is_open = taken;
		if (taken)
			file->held[which]++;
	}
	pthread_mutex_unlock(&file->record);
	return taken;
}

void ledger_sub(struct ledger_file *file, unsigned which)
{
	pthread_mutex_lock(&file->record);
	if (file->fd >= 0) {
		CHECK(file->held[which] > 0);
		file->held[which]--;
		if (has_lane(file, which)) {
			if (!lane_step(&file->lane, file->held[which] + 1, file->held[which], false))
				spoilt(file);
		} else {
			file->mine.counts[which]--;
			if (ledger_record_write_mine(file) < 0)
				log_warn("ledger-write-failed", "file=%s errno=%d", file->name, errno);
		}
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
	if (file->fd >= 0 && file->lane.word)
		ledger_lane_give_up(file);
	else if (file->fd >= 0 && file->region >= 0 && ledger_record_write_mine(file) < 0)
		log_warn("ledger-write-failed", "file=%s errno=%d", file->name, errno);
	pthread_mutex_unlock(&file->record);
	ledger_put(file);
}

/* ---- looking without counting ---- */

void ledger_own(struct ledger_file *file, struct ledger_counts *counts_r)
{
	pthread_mutex_lock(&file->record);
	for (int i = 0; i < LEDGER_COUNTS_N; i++)
		counts_r->n[i] = file->held[i];
	pthread_mutex_unlock(&file->record);
}

/* What an open lane may come to is counted as if it were held. */
static bool glance_at(const struct ledger_file *file, size_t region, struct ledger_record *record,
    struct ledger_counts *counts)
{
	bool is_open = false;
	uint32_t n;

	if (!ledger_record_fits(file, region, record))
		return false;
	if (record->lane.place != 0 &&
	    !lanes_look(file->ledger->lanes, record->lane, &n, &is_open))
		return false;
	if (record->lane.place != 0 && !is_open && record->lane_which < LEDGER_COUNTS_N)
		record->counts[record->lane_which] = n;
	ledger_record_add(counts, record);
	return true;
}

bool ledger_glance(struct ledger_file *file, struct ledger_counts *counts_r)
{
	struct ledger_record records[GLANCE_RECORDS];
	struct ledger_counts counts;
	ssize_t got;
	int region;

	ledger_own(file, &counts);
	pthread_mutex_lock(&file->record); /* nobody puts another file in its place meanwhile */
	got = pread(file->fd, records, sizeof records, 0);
	region = file->region;
	pthread_mutex_unlock(&file->record);
	if (got < 0 || got == sizeof records || got % (ssize_t)sizeof *records)
		return false;
	for (size_t r = 0; r < (size_t)got / sizeof *records; r++)
		if (r != (size_t)region && !glance_at(file, r, &records[r], &counts))
			return false;
	*counts_r = counts;
	return true;
}

enum peek { PEEK_WHOLE, PEEK_DAMAGED, PEEK_NO_LANE };

static enum peek peek_record(struct ledger_file *file, size_t region, struct ledger_counts *counts)
{
	struct ledger_record *record = &file->records[region];

	if (!ledger_record_is_valid(file, region) &&
	    (ledger_record_is_blank(record) || !ledger_record_reread(file, region)) &&
	    ledger_record_is_live(file, region))
		return PEEK_DAMAGED;
	if (!ledger_record_has_counts(record) || !ledger_record_is_live(file, region))
		return PEEK_WHOLE;
	if (!look_in_lane(file, record))
		return PEEK_NO_LANE;
	ledger_record_add(counts, record);
	return PEEK_WHOLE;
}

static int peek_records(struct ledger_file *file, struct ledger_counts *counts_r,
    enum peek *worst_r, struct err *e)
{
	struct stat st;

	*worst_r = PEEK_WHOLE;
	*counts_r = (struct ledger_counts){{0}};
	if (fstat(file->fd, &st) < 0)
		return err_sys(e, ERR_IO, errno, "stat ledger file %s", file->name);
	if (ledger_record_read_all(file, (size_t)st.st_size, e) < 0)
		return -1;
	for (size_t r = 0; r < file->records_n && *worst_r == PEEK_WHOLE; r++)
		*worst_r = peek_record(file, r, counts_r);
	return 0;
}

/* A lane that is not where a record says was given up meanwhile, or its owner ends; or it was spoilt, and who has it
 * is asked to count without it. */
static int peek(struct ledger_file *file, struct ledger_counts *counts_r, struct err *e)
{
	const struct ledger *ledger = file->ledger;
	enum peek worst = PEEK_WHOLE;

	for (int i = 0; i < PEEKS_MAX; i++) {
		if (peek_records(file, counts_r, &worst, e) < 0)
			return -1;
		if (worst != PEEK_NO_LANE)
			break;
		nanosleep(&(struct timespec){0, i * 100000L}, NULL);
		if (i == PEEKS_MAX / 2) {
			ledger_rewrite(file->ledger, file->key);
			if (ledger->ask)
				ledger->ask(ledger->ask_arg, file->key);
		}
	}
	if (worst != PEEK_WHOLE)
		return err_set(e, ERR_TEMP, "ledger file %s is damaged; the next session to open "
		    "mends it", file->name);
	return 0;
}

int ledger_peek(struct ledger *ledger, struct ledger_key key, struct ledger_counts *counts_r,
    struct err *e)
{
	struct ledger_file file = {.ledger = ledger, .key = key, .region = -1};
	struct ledger_counts counts = {{0}};
	int r = 0;

	ledger_file_name(key, file.name);
	file.fd = openat(ledger->runtime_fd, file.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file.fd < 0 && errno != ENOENT)
		return ledger_file_unopened(ledger, file.name, errno, e);
	if (file.fd >= 0) {
		r = ledger_file_check(ledger, file.name, file.fd, e);
		if (r == 0)
			r = peek(&file, &counts, e);
		close(file.fd);
	}
	free(file.records);
	if (r == 0)
		*counts_r = counts;
	return r;
}

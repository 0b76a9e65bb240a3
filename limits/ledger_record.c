/*
 * limits/ledger_record.c - a record of a ledger file: its checksum, read and written.
 */
#include "limits/ledger_priv.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/* A read that met a write is whole at the next try or the one after: a copy of 64 bytes.  Only a
 * writer that lost the processor in the middle of it takes longer. */
#define REREADS_MAX 200

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

bool ledger_record_fits(const struct ledger_file *file, size_t region,
    const struct ledger_record *record)
{
	return record->check == checksum(file, region, record);
}

bool ledger_record_is_valid(const struct ledger_file *file, size_t region)
{
	return ledger_record_fits(file, region, &file->records[region]);
}

/* Never written: a hole, or the file was cut off and grew again. */
bool ledger_record_is_blank(const struct ledger_record *record)
{
	static const struct ledger_record blank;

	return memcmp(record, &blank, sizeof blank) == 0;
}

bool ledger_record_has_counts(const struct ledger_record *record)
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

int ledger_record_write_mine(struct ledger_file *file)
{
	file->mine.check = checksum(file, (size_t)file->region, &file->mine);
	return write_record(file, (size_t)file->region, &file->mine);
}

void ledger_record_clear(struct ledger_file *file, size_t region)
{
	struct ledger_record zeros = {0};

	zeros.check = checksum(file, region, &zeros);
	if (write_record(file, region, &zeros) < 0)
		log_warn("ledger-write-failed", "file=%s errno=%d", file->name, errno);
	file->records[region] = zeros;
}

int ledger_record_read_all(struct ledger_file *file, size_t size, struct err *e)
{
	size_t n = (size + sizeof *file->records - 1) / sizeof *file->records;
	ssize_t got;

	if (n > LEDGER_RECORDS_MAX)
		n = LEDGER_RECORDS_MAX;
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

bool ledger_record_reread(struct ledger_file *file, size_t region)
{
	struct ledger_record *record = &file->records[region];

	for (int i = 0; i < REREADS_MAX; i++) {
		ssize_t n = io_pread_all(file->fd, record, sizeof *record,
		    (off_t)(region * sizeof *record));

		if (n == (ssize_t)sizeof *record && ledger_record_is_valid(file, region))
			return true;
		sched_yield();
	}
	return false;
}

bool ledger_record_is_live(const struct ledger_file *file, size_t region)
{
	return io_is_locked(file->fd, LEDGER_LIVE_AT + (off_t)region, 1) != 0;
}

void ledger_record_add(struct ledger_counts *to, const struct ledger_record *record)
{
	for (int i = 0; i < LEDGER_COUNTS_N; i++)
		to->n[i] += record->counts[i];
}

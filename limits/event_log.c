/*
 * limits/event_log.c - event 9646, written: one record per user, limit and minute.
 *
 * The first refusal appends the record, under a lock that all processes share; the others of that minute
 * find its entry in the table and count there.  Whoever counts a second after the record's count was
 * last written writes it; what is left over is written by whoever needs the entry next, or closes.
 */
#include "limits/event_priv.h"
#include "limits/event_file.h"
#include "limits/event_table.h"
#include "limits/registry.h"
#include "limits/runtime_priv.h"
#include "limits/site_priv.h"
#include "limits/tally.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_FILE "events.lock"
#define LOCK_WAIT_MS 2000
#define WRITE_EVERY_MS 1000
#define EVENT_SESSION_LIMIT 9646

struct event_log {
	int store_fd, runtime_fd;
	pthread_mutex_t lock; /* in front of lock_fd */
	int lock_fd;          /* -1 until the first refusal */
	struct event_table *_Atomic table;
	atomic_bool wrote;
	_Atomic int64_t complained_ms;
};

struct event_log *event_log_new(int store_fd, int runtime_fd)
{
	struct event_log *log = mem_alloc(sizeof *log);

	log->store_fd = store_fd;
	log->runtime_fd = runtime_fd;
	log->lock_fd = -1;
	pthread_mutex_init(&log->lock, NULL);
	return log;
}

/* ---- the lock ---- */

static int prepare(struct event_log *log, struct err *e)
{
	struct event_table *table;

	if (log->lock_fd < 0)
		log->lock_fd = openat(log->runtime_fd, LOCK_FILE,
		    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RUNTIME_FILE_MODE);
	if (log->lock_fd < 0)
		return err_sys(e, ERR_IO, errno, "open " LOCK_FILE);
	if (!log->table) {
		if (event_table_open(log->runtime_fd, &table, e) < 0)
			return -1;
		log->table = table;
	}
	return 0;
}

static int lock(struct event_log *log, struct err *e)
{
	pthread_mutex_lock(&log->lock);
	if (prepare(log, e) == 0) {
		if (io_lock_until(log->lock_fd, 0, 1, LOCK_WAIT_MS) == 0)
			return 0;
		err_sys(e, ERR_BUSY, errno, "lock the event log");
	}
	pthread_mutex_unlock(&log->lock);
	return -1;
}

static void unlock(struct event_log *log)
{
	io_unlock(log->lock_fd, 0, 1);
	pthread_mutex_unlock(&log->lock);
}

/* Once. */
static bool try_lock(struct event_log *log)
{
	if (pthread_mutex_trylock(&log->lock) != 0)
		return false;
	if (log->lock_fd >= 0 && io_try_lock(log->lock_fd, 0, 1) == 0)
		return true;
	pthread_mutex_unlock(&log->lock);
	return false;
}

/* ---- counts on their way into the file ---- */

/* The record's file may have become the older one since. */
static int open_holding(const struct event_log *log, uint64_t inode)
{
	static const char *const names[] = {EVENT_FILE, EVENT_FILE_OLD};

	for (int i = 0; i < 2; i++) {
		int fd = openat(log->store_fd, names[i], O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		struct stat st;

		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == inode)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static void put_count(struct event_entry *entry, uint64_t count, int fd)
{
	event_file_put_count(fd, (off_t)entry->count_at, count);
	entry->written_count = count;
}

/* Under the lock, so that a later count is never written over by an earlier one, nor another's record. */
static void write_count(const struct event_log *log, struct event_entry *entry, uint64_t count)
{
	int fd = open_holding(log, entry->file_inode);

	if (fd < 0)
		return;
	put_count(entry, count, fd);
	close(fd);
}

/* To one caller a second for each entry. */
static bool is_to_be_written(struct event_entry *entry)
{
	int64_t now_ms = clock_mono_ms(), written_ms = entry->written_ms;

	return now_ms - written_ms >= WRITE_EVERY_MS &&
	    atomic_compare_exchange_strong(&entry->written_ms, &written_ms, now_ms);
}

static void write_all_counts(struct event_log *log)
{
	struct event_entry *entry = &log->table->entries[0][0];
	uint64_t inode = 0;
	struct err e;
	int fd = -1;

	if (lock(log, &e) < 0) {
		log_warn("event-counts-not-written", "%s", log_err(&e));
		return;
	}
	for (size_t i = 0; i < EVENT_BUCKETS_N * EVENT_BUCKET_SIZE; i++, entry++) {
		if (entry->what == 0 || event_entry_count(entry) == entry->written_count)
			continue;
		if (entry->file_inode != inode) { /* thousands lie in one or two files */
			if (fd >= 0)
				close(fd);
			inode = entry->file_inode;
			fd = open_holding(log, inode);
		}
		if (fd >= 0)
			put_count(entry, event_entry_count(entry), fd);
	}
	if (fd >= 0)
		close(fd);
	unlock(log);
}

void event_log_free(struct event_log **log, bool is_forked)
{
	struct event_log *l = *log;

	if (!l)
		return;
	if (l->wrote && l->table && !is_forked)
		write_all_counts(l);
	if (l->table)
		event_table_close(l->table);
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	pthread_mutex_destroy(&l->lock);
	mem_free(log);
}

uint64_t event_log_count(struct site *site, uint64_t user, const struct event *event)
{
	struct event_log *log = site_event_log(site);
	struct event_entry *entry;
	struct err e;

	if (!log->table) {
		pthread_mutex_lock(&log->lock);
		struct event_table *table;

		if (!log->table && faccessat(log->runtime_fd, "events", F_OK, 0) == 0 &&
		    event_table_open(log->runtime_fd, &table, &e) == 0)
			log->table = table;
		pthread_mutex_unlock(&log->lock);
	}
	if (!log->table)
		return event->count;
	entry = event_table_find(log->table,
	    event_key_make(user, event->setting, event->limit, event->time_ms));
	return entry && entry->record_id == event->record_id && event_entry_count(entry) > event->count
	    ? event_entry_count(entry) : event->count;
}

/* ---- appending ---- */

static int open_log(const struct event_log *log, const char *name, int *fd_r, struct err *e)
{
	int fd = openat(log->store_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    RUNTIME_FILE_MODE);

	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "open %s", name);
	*fd_r = fd;
	return 0;
}

/* After a rotation the new file is empty, after a boot the table is: the older file knows. */
static uint64_t last_id_of_old(const struct event_log *log)
{
	int fd = openat(log->store_fd, EVENT_FILE_OLD, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct event_end end = {0};
	struct err e;

	if (fd >= 0 && event_file_mend(fd, &end, &e) < 0)
		end = (struct event_end){0};
	if (fd >= 0)
		close(fd);
	return end.last_id;
}

/* The file to append to, mended; last_id is that of any record. */
static int open_end(struct site *site, int *fd_r, struct event_end *end_r, struct err *e)
{
	struct event_log *log = site_event_log(site);
	struct event_end end;
	int fd = -1;

	if (open_log(log, EVENT_FILE, &fd, e) < 0)
		return -1;
	if (event_file_mend(fd, &end, e) < 0)
		goto fail;
	if (end.size >= (off_t)setting_get(site, SETTING_EVENT_LOG_MAX)) {
		if (renameat(log->store_fd, EVENT_FILE, log->store_fd, EVENT_FILE_OLD) < 0) {
			err_sys(e, ERR_IO, errno, "rename " EVENT_FILE);
			goto fail;
		}
		close(fd);
		end.size = 0;
		end.latest_ms = 0;
		if (open_log(log, EVENT_FILE, &fd, e) < 0)
			return -1;
	}
	if (end.size == 0 && end.last_id == 0)
		end.last_id = last_id_of_old(log);
	if (end.last_id < log->table->last_id)
		end.last_id = log->table->last_id;
	*end_r = end;
	*fd_r = fd;
	return 0;
fail:
	close(fd);
	return -1;
}

static int append_line(int fd, off_t at, const struct str_buf *line, struct err *e)
{
	int sys;

	if (line->n > EVENT_LINE_MAX)
		return err_set(e, ERR_TOOBIG, "the event is too long for its log");
	if (io_pwrite_all(fd, line->p, line->n, at) == 0)
		return 0;
	sys = errno;
	if (ftruncate(fd, at) < 0)
		log_warn("event-log-torn", "errno=%d", errno); /* mended by the next to append */
	return err_sys(e, ERR_IO, sys, "append to the event log");
}

static int append(struct site *site, struct event *event, uint64_t user,
    struct event_entry *filled_r, struct err *e)
{
	struct event_log *log = site_event_log(site);
	struct str_buf line = {0};
	struct event_end end;
	struct stat st;
	int fd = -1, r;

	if (open_end(site, &fd, &end, e) < 0)
		return -1;
	event->record_id = end.last_id + 1;
	event_line_print(event, &(struct event_filed){user, end.latest_ms}, &line);
	str_buf_putc(&line, '\n');
	r = append_line(fd, end.size, &line, e);
	if (r == 0 && fstat(fd, &st) < 0)
		r = err_sys(e, ERR_IO, errno, "stat the event log");
	if (r == 0) {
		log->table->last_id = event->record_id;
		tally_recorded(site_tally(site));
		*filled_r = (struct event_entry){.state = event->count, .written_count = event->count,
		    .written_ms = clock_mono_ms(), .record_id = event->record_id,
		    .file_inode = (uint64_t)st.st_ino,
		    .count_at = end.size + event_line_count_at(str_buf_view(&line))};
	}
	str_buf_fini(&line);
	close(fd);
	return r;
}

/* ---- a record that was pushed out of the table ---- */

struct lost {
	struct event_key key;
	char user_id[17]; /* as it stands in a line: most lines are told by it without parsing them */
	struct event_entry *filled;
	bool found;
};

static bool is_lost_one(void *arg, struct str_view line, off_t at)
{
	struct lost *lost = arg;
	struct arena arena = {0};
	struct event event;
	uint64_t user;

	if (!memmem(line.p, line.n, lost->user_id, sizeof lost->user_id - 1))
		return true;
	if (event_line_parse(line, &arena, &event, &user)) {
		struct event_key key = event_key_make(user, event.setting, event.limit, event.time_ms);

		lost->found = memcmp(&key, &lost->key, sizeof key) == 0;
		if (lost->found)
			*lost->filled = (struct event_entry){.state = event.count + 1,
			    .written_count = event.count, .written_ms = clock_mono_ms(),
			    .record_id = event.record_id, .count_at = at + event_line_count_at(line)};
	}
	arena_fini(&arena);
	return !lost->found;
}

static bool find_lost(const struct event_log *log, struct event_key key,
    struct event_entry *filled_r)
{
	struct lost lost = {.key = key, .filled = filled_r};
	int fd = openat(log->store_fd, EVENT_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	struct err e;

	if (fd < 0)
		return false;
	snprintf(lost.user_id, sizeof lost.user_id, "%016llx", (unsigned long long)key.user);
	if (event_file_lines(fd, EVENT_BY_TIME, (int64_t)key.minute * 60000 - 1, is_lost_one, &lost,
	        &e) < 0)
		lost.found = false;
	if (lost.found && fstat(fd, &st) == 0)
		filled_r->file_inode = (uint64_t)st.st_ino;
	close(fd);
	return lost.found;
}

/* ---- a refusal ---- */

static void make_room(const struct event_log *log, struct event_entry *entry)
{
	bool is_taken = entry->what != 0;
	uint64_t count = event_table_take(entry);

	if (is_taken && count != entry->written_count)
		write_count(log, entry, count);
}

/* Under the lock: another process may have been first. */
static int record(struct site *site, struct event_key key, struct event *event, struct err *e)
{
	struct event_log *log = site_event_log(site);
	struct event_entry *entry = event_table_find(log->table, key), filled;

	if (entry && event_table_count(entry, key)) {
		if (is_to_be_written(entry))
			write_count(log, entry, event_entry_count(entry));
		return 0;
	}
	if ((!event_table_may_have_lost(log->table, key) || !find_lost(log, key, &filled)) &&
	    append(site, event, key.user, &filled, e) < 0)
		return -1;
	entry = event_table_place(log->table, key);
	make_room(log, entry);
	event_table_put(entry, key, &filled);
	return 0;
}

static int record_first(struct site *site, struct event_key key, struct event *event,
    const char *user_name, struct err *e)
{
	struct event_log *log = site_event_log(site);
	struct str_buf dn = {0};
	int r = -1;

	event_legacy_dn(user_name, &dn);
	event->dn = dn.p;
	event->user = user_name;
	event->computer = site_host_name(site);
	if (lock(log, e) == 0) {
		r = record(site, key, event, e);
		unlock(log);
	}
	str_buf_fini(&dn);
	return r;
}

/* A storm of refusals on a full disk is not to become a storm of lines. */
static void complain(struct event_log *log, const char *user_name, const char *setting,
    const struct err *e)
{
	int64_t now_ms = clock_mono_ms(), was_ms = log->complained_ms;

	if (now_ms - was_ms >= WRITE_EVERY_MS &&
	    atomic_compare_exchange_strong(&log->complained_ms, &was_ms, now_ms))
		log_warn("event-not-recorded", "user=%s setting=\"%s\" %s", LOG_Q(user_name), setting,
		    log_err(e));
}

/* Where the log is busy, whoever comes in a second, or closes, writes it. */
static void write_if_due(struct event_log *log, struct event_entry *entry)
{
	if (!is_to_be_written(entry) || !try_lock(log))
		return;
	write_count(log, entry, event_entry_count(entry));
	unlock(log);
}

void event_log_refusal(struct site *site, const struct event_refusal *refusal)
{
	struct event_log *log = site_event_log(site);
	struct event event = {.time_ms = clock_wall_ms(), .event_id = EVENT_SESSION_LIMIT, .limit = refusal->limit,
	    .held = refusal->held, .count = 1, .object = refusal->object, .setting = refusal->setting,
	    .explain = refusal->explain};
	struct event_key key = event_key_make(refusal->user, event.setting, event.limit, event.time_ms);
	struct event_entry *entry = log->table ? event_table_find(log->table, key) : NULL;
	struct err e;

	if (site_is_forked(site))
		return;
	log->wrote = true;
	if (entry && event_table_count(entry, key))
		write_if_due(log, entry);
	else if (record_first(site, key, &event, refusal->user_name, &e) < 0)
		complain(log, refusal->user_name, event.setting, &e);
}

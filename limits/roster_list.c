/*
 * limits/roster_list.c - everybody's rows, read; and other processes, asked.
 *
 * Files are numbered from 0 without holes and never removed, so the first that is not there ends
 * the list.  A file whose LIVE byte is free belongs to nobody: its rows are of the dead.
 */
#include "limits/roster_priv.h"
#include "limits/runtime_priv.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REREADS_MAX 200
#define ASK_MS 1000
#define ROWS_AT_ONCE 64

/* Whole, or zeros at its start: a free row, or one that is not written yet. */
static bool is_whole(uint32_t number, uint64_t place, const void *row)
{
	uint64_t start[2];

	memcpy(start, row, sizeof start);
	return start[0] == roster_checksum(number, place, row) || (start[0] | start[1]) == 0;
}

/* One row (or the head, place 0); false at the end of the file.  One that stays damaged is blank. */
static bool read_place(int fd, uint32_t number, uint64_t place, void *row)
{
	for (int i = 0; i < REREADS_MAX; i++) {
		if (io_pread_all(fd, row, sizeof(struct roster_row),
		        (off_t)(place * sizeof(struct roster_row))) != sizeof(struct roster_row))
			return false;
		if (is_whole(number, place, row))
			return true;
		sched_yield();
	}
	memset(row, 0, sizeof(struct roster_row));
	return true;
}

/* The file of a living process and its head; -1: dead or not begun, -2: there is no such file. */
static int open_living(const struct roster *roster, uint32_t number, struct roster_head *head)
{
	char name[32];
	int fd;

	roster_file_name(number, name);
	fd = openat(roster->runtime_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -2 : -1;
	if (io_is_locked(fd, ROSTER_LIVE_AT, 1) == 1 && read_place(fd, number, 0, head) &&
	    head->incarnation != 0)
		return fd;
	close(fd);
	return -1;
}

static char process_state(pid_t pid)
{
	char path[40], text[512];
	const char *after_name;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '?';
	n = io_read_all(fd, text, sizeof text - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	after_name = strrchr(text, ')');
	return after_name && after_name[1] == ' ' ? after_name[2] : '?';
}

/* Stopped, or in disk sleep twice in a row: every process is, for an instant, when it reads. */
static bool is_stuck(pid_t pid)
{
	char state = process_state(pid);

	if (state == 'D') {
		nanosleep(&(struct timespec){0, 10000000}, NULL);
		return process_state(pid) == 'D';
	}
	return state == 'T' || state == 't';
}

struct gathering {
	struct arena *arena;
	struct roster_entry *list;
	size_t n, room;
};

static struct roster_entry *next_entry(struct gathering *g)
{
	if (g->n == g->room) {
		struct roster_entry *old = g->list;

		g->room = g->room ? g->room * 2 : 16;
		g->list = ARENA_ARRAY(g->arena, struct roster_entry, g->room);
		if (old)
			memcpy(g->list, old, g->n * sizeof *old);
	}
	return &g->list[g->n++];
}

struct source {
	int fd;
	uint32_t number;
	struct roster_head head;
	bool is_stuck;
};

static void gather_row(struct gathering *g, const struct source *source, uint32_t at,
    struct roster_row *row, uint64_t actor)
{
	struct roster_entry *entry;

	if (!is_whole(source->number, (uint64_t)at + 1, row) &&
	    !read_place(source->fd, source->number, (uint64_t)at + 1, row))
		return;
	if (row->nonce == 0 || row->incarnation != source->head.incarnation ||
	    (actor && row->actor != actor))
		return;
	entry = next_entry(g);
	entry->row = *row;
	entry->holder = source->head.pid;
	entry->holder_stuck = source->is_stuck;
	snprintf(entry->id, sizeof entry->id, "%x-%x-%08x", source->number, at, row->nonce);
}

static void gather_file(struct gathering *g, const struct source *source, uint64_t actor)
{
	struct roster_row rows[ROWS_AT_ONCE];
	uint32_t at = 0;
	size_t n;

	do {
		ssize_t got = io_pread_all(source->fd, rows, sizeof rows,
		    (off_t)(at + 1) * (off_t)sizeof *rows);

		n = got < 0 ? 0 : (size_t)got / sizeof *rows;
		for (size_t i = 0; i < n; i++)
			gather_row(g, source, at++, &rows[i], actor);
	} while (n == ROWS_AT_ONCE);
}

int roster_list(struct roster *roster, uint64_t actor, struct arena *arena,
    struct roster_entry **list_r, size_t *n_r, struct err *e)
{
	struct gathering g = {.arena = arena};

	for (uint32_t number = 0; number < ROSTERS_MAX; number++) {
		struct source source = {.number = number};

		source.fd = open_living(roster, number, &source.head);
		if (source.fd == -2)
			break;
		if (source.fd < 0 && errno == EACCES)
			return err_sys(e, ERR_PERM, errno, "read the roster");
		if (source.fd < 0)
			continue;
		source.is_stuck = is_stuck(source.head.pid);
		gather_file(&g, &source, actor);
		close(source.fd);
	}
	*list_r = g.list;
	*n_r = g.n;
	return 0;
}

/* ---- asking ---- */

static int ask(const struct roster *roster, uint32_t number, struct str_view request,
    int64_t wait_ms, struct str_buf *out, struct err *e)
{
	char name[32];
	int dir_fd = openat(roster->runtime_fd, RUNTIME_CONTROLS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir_fd < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, "open " RUNTIME_CONTROLS);
	roster_control_name(number, name);
	r = control_ask(dir_fd, name, request, wait_ms, out, e);
	close(dir_fd);
	return r;
}

static bool is_held(const struct roster *roster, uint32_t number, uint32_t at, uint32_t nonce)
{
	struct roster_head head;
	struct roster_row row;
	int fd = open_living(roster, number, &head);
	bool held;

	if (fd < 0)
		return false;
	held = read_place(fd, number, (uint64_t)at + 1, &row) && row.nonce == nonce &&
	    row.incarnation == head.incarnation;
	close(fd);
	return held;
}

static int no_such(const char *id, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "there is no session %.40s", id);
}

static int wait_until_gone(const struct roster *roster, uint32_t number, uint32_t at,
    uint32_t nonce, int64_t until_ms, struct err *e)
{
	long pause_us = 200;

	while (is_held(roster, number, at, nonce)) {
		if (clock_mono_ms() >= until_ms)
			return err_set(e, ERR_TEMP, "the session's holder has not let go of it yet");
		nanosleep(&(struct timespec){0, pause_us * 1000}, NULL);
		if (pause_us < 10000)
			pause_us *= 2;
	}
	return 0;
}

/* A holder that ends while it is asked has let go of everything, though nobody answers any more: its
 * socket is closed a moment before its locks are. */
#define DYING_MS 100

static bool is_gone_with_its_holder(const struct roster *roster, uint32_t number, uint32_t at,
    uint32_t nonce)
{
	struct err still_there;

	return wait_until_gone(roster, number, at, nonce, clock_mono_ms() + DYING_MS, &still_there) == 0;
}

int roster_end(struct roster *roster, const char *id, int64_t wait_ms, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	struct str_buf out = {0}, request = {0};
	unsigned number, at, nonce;
	int end = 0, r;

	if (sscanf(id, "%x-%x-%x%n", &number, &at, &nonce, &end) != 3 || id[end] != '\0' ||
	    nonce == 0 || !is_held(roster, number, at, nonce))
		return no_such(id, e);
	str_buf_printf(&request, "end %u %u", at, nonce);
	r = ask(roster, number, str_buf_view(&request), wait_ms, &out, e);
	if (r < 0 && e->code == ERR_NOTFOUND)
		r = is_held(roster, number, at, nonce)
		    ? err_set(e, ERR_TEMP, "the session's holder does not answer")
		    : no_such(id, e);
	else if (r < 0 && is_gone_with_its_holder(roster, number, at, nonce))
		r = 0;
	else if (r == 0 && str_equal(str_buf_view(&out), SV("cannot")))
		r = err_set(e, ERR_UNSUPPORTED, "that session can't be ended");
	else if (r == 0)
		r = wait_until_gone(roster, number, at, nonce, until_ms, e);
	str_buf_fini(&out);
	str_buf_fini(&request);
	return r;
}

/* The first living process from *number on. */
static bool find_living(const struct roster *roster, uint32_t *number, struct roster_head *head_r)
{
	for (int fd; *number < ROSTERS_MAX && (fd = open_living(roster, *number, head_r)) != -2; ++*number)
		if (fd >= 0) {
			close(fd);
			return true;
		}
	return false;
}

void roster_ask_rewrite(struct roster *roster, unsigned kind, uint64_t key)
{
	struct str_buf out = {0}, request = {0};
	struct roster_head head;
	struct err e;

	str_buf_printf(&request, "rewrite %u %llu", kind, (unsigned long long)key);
	for (uint32_t number = 0; find_living(roster, &number, &head); number++)
		if (ask(roster, number, str_buf_view(&request), ASK_MS, &out, &e) < 0)
			log_warn("ledger-repair-unanswered", "pid=%d %s", (int)head.pid, log_err(&e));
	str_buf_fini(&out);
	str_buf_fini(&request);
}

/* ---- asking whether peers live ---- */

#define PROBE_ASK_MS 250
#define PROBE_SILENT_MS 5000

static bool take_number(struct str_view *rest, uint32_t *n_r)
{
	uint64_t n;

	if (!str_number(str_word(rest), UINT32_MAX, &n))
		return false;
	*n_r = (uint32_t)n;
	return true;
}

static void add_found(struct str_view answer, size_t n, struct session_probe *found)
{
	struct session_probe one;

	for (size_t i = 0; i < n && take_number(&answer, &one.asked) && take_number(&answer, &one.ended) &&
	     take_number(&answer, &one.wait_ms); i++) {
		found[i].asked += one.asked;
		found[i].ended += one.ended;
		if (one.wait_ms > found[i].wait_ms)
			found[i].wait_ms = one.wait_ms;
	}
}

static void ask_probe(struct roster *roster, uint32_t number, struct str_view request, size_t n,
    struct session_probe *found)
{
	_Atomic int64_t *silent_until = &roster->silent_until_ms[number % ROSTER_SILENT_N];
	struct str_buf out = {0};
	struct err e;

	if (clock_mono_ms() < *silent_until)
		return;
	if (ask(roster, number, request, PROBE_ASK_MS, &out, &e) == 0)
		add_found(str_buf_view(&out), n, found);
	else if (e.code == ERR_TEMP)
		*silent_until = clock_mono_ms() + PROBE_SILENT_MS;
	str_buf_fini(&out);
}

void roster_ask_probe(struct roster *roster, const struct user_id *users, size_t n, struct session_probe *found_r)
{
	struct str_buf request = {0};
	struct roster_head head;

	memset(found_r, 0, n * sizeof *found_r);
	str_buf_puts(&request, "probe");
	for (size_t i = 0; i < n; i++)
		str_buf_printf(&request, " %llu", (unsigned long long)users[i].n);
	for (uint32_t number = 0; find_living(roster, &number, &head); number++)
		ask_probe(roster, number, str_buf_view(&request), n, found_r);
	str_buf_fini(&request);
}

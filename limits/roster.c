/*
 * limits/roster.c - the rows of this process, and the control socket through which they are ended.
 *
 * A row's number is free again when its session was released; its nonce is new each time, so an id
 * never means another session than the one it was read for.
 */
#include "limits/roster_priv.h"
#include "limits/runtime_priv.h"
#include "base/check.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t roster_checksum(uint32_t number, uint64_t place, const void *row)
{
	uint64_t words[sizeof(struct roster_row) / 8];
	uint64_t h = 0x9e3779b97f4a7c15u + number + (place << 32);

	memcpy(words, row, sizeof words);
	for (size_t i = 1; i < sizeof words / sizeof *words; i++) {
		h = (h ^ words[i]) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	return h;
}

void roster_file_name(uint32_t number, char out[32])
{
	snprintf(out, 32, RUNTIME_ROSTERS "/%04x", number);
}

void roster_control_name(uint32_t number, char out[32])
{
	snprintf(out, 32, "%04x", number);
}

struct roster *roster_new(int runtime_fd, const char *program)
{
	struct roster *roster = mem_alloc(sizeof *roster);

	roster->runtime_fd = runtime_fd;
	roster->program = program;
	roster->fd = -1;
	roster->first_free = ROSTER_NO_PLACE;
	pthread_mutex_init(&roster->lock, NULL);
	pthread_mutex_init(&roster->probe_lock, NULL);
	pthread_cond_init(&roster->ended, NULL);
	return roster;
}

void roster_set_handlers(struct roster *roster, bool (*end)(void *holder),
    void (*rewrite)(void *arg, unsigned kind, uint64_t key), void *arg)
{
	roster->end = end;
	roster->rewrite = rewrite;
	roster->arg = arg;
}

/* Room first: a store into a mapping that there is no room for would be a signal.  Without it rows are written
 * as those behind it are. */
static void map_window(struct roster *roster)
{
	size_t n = ROSTER_WINDOW_ROWS * sizeof(struct roster_row);
	void *at;

	if (posix_fallocate(roster->fd, 0, (off_t)n) != 0)
		return;
	at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, roster->fd, 0);
	if (at != MAP_FAILED)
		roster->window = at;
}

static void unmap_window(struct roster *roster)
{
	if (roster->window)
		munmap(roster->window, ROSTER_WINDOW_ROWS * sizeof(struct roster_row));
	roster->window = NULL;
}

void roster_set_probe(struct roster *roster,
    void (*probe)(void *arg, struct user_id user, struct session_probe *found_r), void *arg)
{
	pthread_mutex_lock(&roster->probe_lock);
	roster->probe = probe;
	roster->probe_arg = arg;
	pthread_mutex_unlock(&roster->probe_lock);
}

void roster_free(struct roster **roster)
{
	struct roster *r = *roster;

	if (!r)
		return;
	control_stop(&r->control);
	unmap_window(r);
	if (r->fd >= 0)
		close(r->fd);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->probe_lock);
	pthread_cond_destroy(&r->ended);
	free(r->places);
	mem_free(roster);
}

bool roster_is_empty(struct roster *roster)
{
	bool is_empty;

	pthread_mutex_lock(&roster->lock);
	is_empty = roster->held_n == 0;
	pthread_mutex_unlock(&roster->lock);
	return is_empty;
}

void roster_set_left(struct roster *roster, void (*left)(void *arg, uint64_t n), void *arg)
{
	roster->left = left;
	roster->left_arg = arg;
}

/* ---- the control socket's requests ---- */

static const char *answer_end(struct roster *roster, struct str_view at, struct str_view nonce)
{
	uint64_t at_n, nonce_n;
	struct roster_place *place;
	bool can_end;
	void *holder;

	if (!str_number(at, UINT32_MAX, &at_n) || !str_number(nonce, UINT32_MAX, &nonce_n))
		return "what";
	pthread_mutex_lock(&roster->lock);
	place = at_n < roster->places_n ? &roster->places[at_n] : NULL;
	if (!place || !place->holder || place->nonce != nonce_n) {
		pthread_mutex_unlock(&roster->lock);
		return "gone";
	}
	holder = place->holder;
	place->is_ending = true;
	pthread_mutex_unlock(&roster->lock);
	can_end = roster->end(holder);
	pthread_mutex_lock(&roster->lock);
	roster->places[at_n].is_ending = false;
	pthread_cond_broadcast(&roster->ended);
	pthread_mutex_unlock(&roster->lock);
	return can_end ? "ok" : "cannot";
}

static const char *answer_rewrite(struct roster *roster, struct str_view kind, struct str_view key)
{
	uint64_t kind_n, key_n;

	if (!str_number(kind, UINT32_MAX, &kind_n) || !str_number(key, UINT64_MAX, &key_n))
		return "what";
	roster->rewrite(roster->arg, (unsigned)kind_n, key_n);
	return "ok";
}

/* "ASKED ENDED WAIT_MS" of each. */
static void answer_probe(struct roster *roster, struct str_view users, struct str_buf *out)
{
	uint64_t user;

	for (struct str_view word; (word = str_word(&users)).n;) {
		struct session_probe found = {0};

		pthread_mutex_lock(&roster->probe_lock);
		if (roster->probe && str_number(word, UINT64_MAX, &user))
			roster->probe(roster->probe_arg, (struct user_id){user}, &found);
		pthread_mutex_unlock(&roster->probe_lock);
		str_buf_printf(out, "%u %u %u ", found.asked, found.ended, found.wait_ms);
	}
}

static void answer(void *arg, struct str_view request, struct str_buf *out)
{
	struct roster *roster = arg;
	struct str_view verb = str_word(&request), first, second;

	if (str_equal(verb, SV("probe"))) {
		answer_probe(roster, request, out);
		return;
	}
	first = str_word(&request);
	second = str_word(&request);

	if (str_equal(verb, SV("end")))
		str_buf_puts(out, answer_end(roster, first, second));
	else if (str_equal(verb, SV("rewrite")))
		str_buf_puts(out, answer_rewrite(roster, first, second));
	else
		str_buf_puts(out, "what");
}

/* ---- claiming a file ---- */

static int claim_file(struct roster *roster, int *fd_r, uint32_t *number_r, struct err *e)
{
	char name[32];

	for (uint32_t number = 0; number < ROSTERS_MAX; number++) {
		int fd, sys;

		roster_file_name(number, name);
		fd = openat(roster->runtime_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    RUNTIME_FILE_MODE);
		if (fd < 0)
			return err_sys(e, ERR_UNAVAILABLE, errno, "open %s", name);
		if (io_try_lock(fd, ROSTER_LIVE_AT, 1) == 0) {
			*fd_r = fd;
			*number_r = number;
			return 0;
		}
		sys = errno;
		close(fd);
		if (sys != EAGAIN)
			return err_sys(e, ERR_UNAVAILABLE, sys, "lock %s", name);
	}
	return err_set(e, ERR_UNAVAILABLE, "too many processes have sessions");
}

/* Who ends by himself gives back all he holds; rows that are there are those of one who was killed. */
static uint64_t count_rows_left(int fd)
{
	struct roster_row rows[16];
	struct roster_head head;
	uint64_t left = 0;
	ssize_t got = io_pread_all(fd, &head, sizeof head, 0);

	for (off_t at = sizeof head; got > 0; at += got) {
		got = io_pread_all(fd, rows, sizeof rows, at);
		for (ssize_t i = 0; i < got / (ssize_t)sizeof *rows; i++)
			left += rows[i].nonce != 0 && rows[i].incarnation == head.incarnation;
	}
	return left;
}

/* What the process before left is cut off; readers take a short file as the end of the list. */
static int write_head(struct roster *roster, int fd, uint32_t number, struct err *e)
{
	struct roster_head head = {.pid = getpid()};

	do
		io_random(&roster->incarnation, sizeof roster->incarnation);
	while (roster->incarnation == 0);
	io_random(&roster->random, sizeof roster->random);
	head.incarnation = roster->incarnation;
	snprintf(head.program, sizeof head.program, "%s", roster->program);
	head.check = roster_checksum(number, 0, &head);
	if (ftruncate(fd, 0) < 0 || io_pwrite_all(fd, &head, sizeof head, 0) < 0)
		return err_sys(e, ERR_IO, errno, "write the roster");
	return 0;
}

static int serve_control(struct roster *roster, uint32_t number, struct err *e)
{
	char name[32];
	int dir_fd = openat(roster->runtime_fd, RUNTIME_CONTROLS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir_fd < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, "open " RUNTIME_CONTROLS);
	roster_control_name(number, name);
	r = control_serve(dir_fd, name, answer, roster, &roster->control, e);
	close(dir_fd);
	return r;
}

static int join_locked(struct roster *roster, struct err *e)
{
	uint32_t number = 0;
	int fd = -1;

	if (claim_file(roster, &fd, &number, e) < 0)
		return -1;
	if (roster->left)
		roster->left(roster->left_arg, count_rows_left(fd));
	if (write_head(roster, fd, number, e) < 0 || serve_control(roster, number, e) < 0) {
		close(fd);
		return -1;
	}
	roster->fd = fd;
	roster->number = number;
	map_window(roster);
	return 0;
}

int roster_join(struct roster *roster, struct err *e)
{
	int r;

	pthread_mutex_lock(&roster->lock);
	r = roster->fd < 0 ? join_locked(roster, e) : 0;
	pthread_mutex_unlock(&roster->lock);
	return r;
}

/* ---- rows ---- */

/* xorshift64*: an id has to differ from the ones before it, not to be a secret. */
static uint32_t next_nonce(struct roster *roster)
{
	uint64_t x = roster->random | 1;
	uint32_t nonce;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	roster->random = x;
	nonce = (uint32_t)(x * 0x2545f4914f6cdd1du >> 32);
	return nonce ? nonce : 1;
}

/* The first n octets of a row. */
static int write_octets(const struct roster *roster, uint32_t at, const void *octets, size_t n)
{
	size_t place = (size_t)at + 1;

	if (roster->window && place < ROSTER_WINDOW_ROWS) {
		memcpy(roster->window + place * sizeof(struct roster_row), octets, n);
		return 0;
	}
	return io_pwrite_all(roster->fd, octets, n, (off_t)(place * sizeof(struct roster_row)));
}

static int write_row(const struct roster *roster, uint32_t at, struct roster_row *row)
{
	row->check = roster_checksum(roster->number, at + 1, row);
	return write_octets(roster, at, row, sizeof *row);
}

static uint32_t take_place(struct roster *roster)
{
	uint32_t at = roster->first_free;

	if (at != ROSTER_NO_PLACE) {
		roster->first_free = roster->places[at].next_free;
		return at;
	}
	if (roster->places_n == roster->places_room) {
		roster->places_room = roster->places_room ? roster->places_room * 2 : 64;
		roster->places = mem_realloc(roster->places,
		    roster->places_room * sizeof *roster->places);
	}
	at = roster->places_n++;
	roster->places[at] = (struct roster_place){0};
	return at;
}

static void free_place(struct roster *roster, uint32_t at)
{
	roster->places[at].holder = NULL;
	roster->places[at].next_free = roster->first_free;
	roster->first_free = at;
}

/* "3-1a-8f3a11c2", as printf's %x-%x-%08x has it, which takes a tenth of the time of a session. */
static void put_id(char id[ROSTER_ID_SIZE], const uint32_t parts[3])
{
	char *at = id;

	for (int i = 0; i < 3; i++) {
		int digits = i == 2 ? 8 : 1;

		while (digits < 8 && parts[i] >> (4 * digits) != 0)
			digits++;
		if (i > 0)
			*at++ = '-';
		while (digits-- > 0)
			*at++ = "0123456789abcdef"[parts[i] >> (4 * digits) & 0xf];
	}
	*at = '\0';
}

int roster_add(struct roster *roster, struct roster_row *row, void *holder, uint32_t *at_r,
    char id_r[ROSTER_ID_SIZE], struct err *e)
{
	uint32_t at;

	pthread_mutex_lock(&roster->lock);
	CHECK(roster->fd >= 0);
	at = take_place(roster);
	row->nonce = next_nonce(roster);
	row->incarnation = roster->incarnation;
	roster->places[at].holder = holder;
	roster->places[at].nonce = row->nonce;
	roster->held_n++;
	pthread_mutex_unlock(&roster->lock);
	if (write_row(roster, at, row) < 0) {
		err_sys(e, ERR_IO, errno, "write the roster");
		roster_remove(roster, at);
		return -1;
	}
	put_id(id_r, (const uint32_t[]){roster->number, at, row->nonce});
	*at_r = at;
	return 0;
}

void roster_update(struct roster *roster, uint32_t at, struct roster_row *row)
{
	pthread_mutex_lock(&roster->lock);
	row->nonce = roster->places[at].nonce;
	row->incarnation = roster->incarnation;
	pthread_mutex_unlock(&roster->lock);
	if (roster->fd >= 0 && write_row(roster, at, row) < 0)
		log_warn("roster-write-failed", "errno=%d", errno);
}

void roster_remove(struct roster *roster, uint32_t at)
{
	static const struct roster_row blank;

	pthread_mutex_lock(&roster->lock);
	while (roster->places[at].is_ending)
		pthread_cond_wait(&roster->ended, &roster->lock);
	CHECK(roster->places[at].holder);
	if (roster->fd >= 0 &&
	    write_octets(roster, at, &blank, offsetof(struct roster_row, actor)) < 0)
		log_warn("roster-write-failed", "errno=%d", errno);
	free_place(roster, at);
	roster->held_n--;
	pthread_mutex_unlock(&roster->lock);
}

/* ---- fork ---- */

void roster_before_fork(struct roster *roster)
{
	pthread_mutex_lock(&roster->lock);
}

void roster_after_fork(struct roster *roster, bool in_child)
{
	if (in_child && roster->fd >= 0) {
		unmap_window(roster);
		close(roster->fd);
		roster->fd = -1;
		control_forked(roster->control);
		roster->control = NULL;
	}
	pthread_mutex_unlock(&roster->lock);
}

/*
 * limits/ledger.c - which ledger files this process has open.
 *
 * A file stays open while somebody counts in it, and a number of the others do too, so that a user who
 * comes and goes costs no open and no claim each time.
 */
#include "limits/ledger_priv.h"
#include "base/check.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BUCKETS_N 8192u
#define IDLE_MAX 256u

struct ledger *ledger_new(int runtime_fd, int hold_fd)
{
	struct ledger *ledger = mem_alloc(sizeof *ledger);

	ledger->runtime_fd = runtime_fd;
	ledger->hold_fd = hold_fd;
	ledger->born = born_open(runtime_fd);
	ledger->lanes = lanes_new(runtime_fd);
	ledger->buckets = mem_alloc(BUCKETS_N * sizeof *ledger->buckets);
	pthread_mutex_init(&ledger->lock, NULL);
	return ledger;
}

void ledger_free(struct ledger **ledger)
{
	struct ledger *l = *ledger;

	if (!l)
		return;
	for (size_t i = 0; i < BUCKETS_N; i++)
		while (l->buckets[i]) {
			struct ledger_file *file = l->buckets[i];

			CHECK(file->refs == 0 || file->fd < 0);
			l->buckets[i] = file->hash_next;
			ledger_file_close(&file);
		}
	lanes_free(&l->lanes);
	born_close(&l->born);
	pthread_mutex_destroy(&l->lock);
	free(l->buckets);
	mem_free(ledger);
}

void ledger_set_ask(struct ledger *ledger, void (*ask)(void *arg, struct ledger_key key), void *arg)
{
	ledger->ask = ask;
	ledger->ask_arg = arg;
}

static struct ledger_file **bucket_of(struct ledger *ledger, struct ledger_key key)
{
	uint64_t h = (key.n + key.kind) * 0x9e3779b97f4a7c15u;

	return &ledger->buckets[(h >> 32) % BUCKETS_N];
}

static struct ledger_file *find(struct ledger *ledger, struct ledger_key key)
{
	struct ledger_file *file = *bucket_of(ledger, key);

	while (file && (file->key.n != key.n || file->key.kind != key.kind))
		file = file->hash_next;
	return file;
}

static void leave_idle(struct ledger *ledger, struct ledger_file *file)
{
	if (file->older_idle)
		file->older_idle->newer_idle = file->newer_idle;
	else
		ledger->oldest_idle = file->newer_idle;
	if (file->newer_idle)
		file->newer_idle->older_idle = file->older_idle;
	else
		ledger->newest_idle = file->older_idle;
	file->older_idle = file->newer_idle = NULL;
	ledger->idle_n--;
}

static void enter_idle(struct ledger *ledger, struct ledger_file *file)
{
	file->older_idle = ledger->newest_idle;
	if (ledger->newest_idle)
		ledger->newest_idle->newer_idle = file;
	else
		ledger->oldest_idle = file;
	ledger->newest_idle = file;
	ledger->idle_n++;
}

/* Closing gives up the LIVE byte; what stays in the file is a record of zeros. */
static void close_oldest_idle(struct ledger *ledger)
{
	struct ledger_file *file = ledger->oldest_idle;
	struct ledger_file **at = bucket_of(ledger, file->key);

	leave_idle(ledger, file);
	while (*at != file)
		at = &(*at)->hash_next;
	*at = file->hash_next;
	ledger_file_close(&file);
}

static int open_file(struct ledger *ledger, struct ledger_key key, struct ledger_file **file_r,
    struct err *e)
{
	struct ledger_file **bucket = bucket_of(ledger, key);

	while (ledger_file_open(ledger, key, file_r, e) < 0) {
		if ((e->sys != EMFILE && e->sys != ENFILE) || !ledger->oldest_idle)
			return -1;
		close_oldest_idle(ledger);
	}
	(*file_r)->hash_next = *bucket;
	*bucket = *file_r;
	return 0;
}

int ledger_get(struct ledger *ledger, struct ledger_key key, struct ledger_file **file_r,
    struct err *e)
{
	struct ledger_file *file;
	int r = 0;

	pthread_mutex_lock(&ledger->lock);
	file = find(ledger, key);
	if (!file)
		r = open_file(ledger, key, &file, e);
	else if (file->refs == 0)
		leave_idle(ledger, file);
	if (r == 0) {
		file->refs++;
		*file_r = file;
	}
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

void ledger_put(struct ledger_file *file)
{
	struct ledger *ledger = file->ledger;

	pthread_mutex_lock(&ledger->lock);
	CHECK(file->refs > 0);
	if (--file->refs == 0) {
		enter_idle(ledger, file);
		if (ledger->idle_n > IDLE_MAX)
			close_oldest_idle(ledger);
	}
	pthread_mutex_unlock(&ledger->lock);
}

void ledger_before_fork(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
}

void ledger_after_fork(struct ledger *ledger, bool in_child)
{
	for (size_t i = 0; in_child && i < BUCKETS_N; i++)
		for (struct ledger_file *file = ledger->buckets[i]; file; file = file->hash_next) {
			close(file->fd);
			file->fd = -1;
		}
	if (in_child)
		lanes_forked(ledger->lanes);
	pthread_mutex_unlock(&ledger->lock);
}

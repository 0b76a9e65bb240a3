/*
 * store/janitor.c - one thread per site that sweeps mailboxes in use, closes SQLite handles nobody used
 * for a while, and the longest unused ones while there are more than HandlesMax; and forgets what views
 * of folders hold in memory, and what was remembered of contents, long ago.
 *
 * Closing goes through mailbox_close_idle, under the writer lock: the last close checkpoints.
 */
#include "store/folder_view_priv.h"
#include "store/mailbox_priv.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/mem.h"
#include "base/thread.h"

#include <stdlib.h>
#include <time.h>

struct janitor {
	pthread_t thread;
	pthread_cond_t wake; /* with site->lock */
	bool is_stopping;
};

/* The least recent use of a mailbox's handles; INT64_MAX: none is open and free. */
static int64_t oldest_use(struct mailbox *mb)
{
	int64_t oldest = INT64_MAX;

	pthread_mutex_lock(&mb->lock);
	for (int i = 0; i < HANDLES_N; i++)
		if (mb->handles[i].db && !mb->handles[i].is_out && mb->handles[i].used_ms < oldest)
			oldest = mb->handles[i].used_ms;
	pthread_mutex_unlock(&mb->lock);
	return oldest;
}

struct idle {
	struct user_id user;
	int64_t used_ms;
};

static int by_use(const void *a, const void *b)
{
	const struct idle *x = a, *y = b;

	return x->used_ms < y->used_ms ? -1 : x->used_ms > y->used_ms;
}

/* Under site->lock: mailboxes with handles that could be closed, the longest unused first. */
static struct idle *list_idle(struct store_site *ss, size_t *n_r)
{
	struct idle *list = mem_alloc((ss->handles_n + 1) * sizeof *list);
	size_t n = 0;

	for (size_t i = 0; i < MAILBOX_BUCKETS; i++)
		for (struct mailbox *mb = ss->buckets[i]; mb && n < ss->handles_n; mb = mb->next) {
			int64_t used = oldest_use(mb);

			if (used != INT64_MAX)
				list[n++] = (struct idle){mb->user, used};
		}
	qsort(list, n, sizeof *list, by_use);
	*n_r = n;
	return list;
}

/* Called and left with site->lock; let go while a mailbox is at work. */
static void round_once(struct store_site *ss)
{
	int64_t idle_ms = (int64_t)setting_get(ss->site, SETTING_HANDLE_IDLE_S) * 1000;
	size_t max = setting_get(ss->site, SETTING_HANDLES_MAX), n;
	int64_t before = clock_mono_ms() - idle_ms;
	struct idle *list = list_idle(ss, &n);

	for (size_t i = 0; i < n && !ss->janitor->is_stopping; i++) {
		bool crowded = ss->handles_n > max;

		pthread_mutex_unlock(&ss->lock);
		struct mailbox *mb = mailbox_acquire(ss, list[i].user);

		mailbox_sweep(mb);
		if (list[i].used_ms < before || crowded)
			mailbox_close_idle(mb, crowded ? list[i].used_ms + 1 : before);
		mailbox_release(&mb);
		pthread_mutex_lock(&ss->lock);
	}
	free(list);
	folder_views_trim(ss);
	content_caches_trim(ss,
	    clock_mono_ms() - (int64_t)setting_get(ss->site, SETTING_CONTENT_CACHE_IDLE_S) * 1000);
}

static bool has_work(const struct store_site *ss)
{
	return ss->handles_n > 0 || atomic_load(&ss->view_octets) > 0 || ss->content_bytes > 0;
}

static void *janitor_main(void *arg)
{
	struct store_site *ss = arg;
	struct janitor *j = ss->janitor;

	pthread_mutex_lock(&ss->lock);
	while (!j->is_stopping) {
		if (!has_work(ss)) {
			pthread_mutex_unlock(&ss->lock);
			heap_rest(); /* the last one is closed: what was held for it need not stay ours */
			pthread_mutex_lock(&ss->lock);
			while (!has_work(ss) && !j->is_stopping)
				pthread_cond_wait(&j->wake, &ss->lock);
			continue;
		}
		round_once(ss);
		if (!j->is_stopping) {
			struct timespec until;

			clock_gettime(CLOCK_MONOTONIC, &until);
			until.tv_sec++;
			pthread_cond_clockwait(&j->wake, &ss->lock, CLOCK_MONOTONIC, &until);
		}
	}
	pthread_mutex_unlock(&ss->lock);
	return NULL;
}

void janitor_start(struct store_site *ss)
{
	struct janitor *j;

	pthread_mutex_lock(&ss->lock);
	j = ss->janitor;
	if (!j) {
		j = ss->janitor = mem_alloc(sizeof *j);
		pthread_cond_init(&j->wake, NULL);
		CHECK(thread_start(&j->thread, janitor_main, ss) == 0);
	}
	/* The first handle wakes it from its long sleep; too much of anything shall not wait for the second. */
	if (ss->handles_n == 1 || ss->handles_n > setting_get(ss->site, SETTING_HANDLES_MAX) ||
	    atomic_load(&ss->view_octets) > setting_get(ss->site, SETTING_FOLDER_VIEW_OCTETS))
		pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&ss->lock);
}

void janitor_stop(struct store_site *ss)
{
	struct janitor *j = ss->janitor;

	if (!j)
		return;
	pthread_mutex_lock(&ss->lock);
	j->is_stopping = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&ss->lock);
	pthread_join(j->thread, NULL);
	pthread_cond_destroy(&j->wake);
	mem_free(&ss->janitor);
}

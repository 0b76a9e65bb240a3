/* fs/pool.c - lanes of jobs, and threads that take a lane's first job each. */
#include "fs/pool.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct job {
	void (*run)(void *arg);
	void *arg;
	struct job *next;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct lane *first, *last; /* lanes that have a job and run none */
	struct lane *resting;      /* whose jobs may wait */
	pthread_t *threads;
	unsigned threads_n;
	bool is_stopping;
};

static void offer(struct pool *p, struct lane *lane)
{
	lane->next = NULL;
	if (p->first)
		p->last->next = lane;
	else
		p->first = lane;
	p->last = lane;
	pthread_cond_signal(&p->more);
}

static void wake(struct pool *p, struct lane *lane)
{
	struct lane **at = &p->resting;

	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
	lane->is_resting = false;
	offer(p, lane);
}

/* Those that are due, or all where it is stopping; when the next will be, INT64_MAX: there is none. */
static int64_t offer_due(struct pool *p)
{
	int64_t now = p->resting ? clock_mono_ms() : 0, soonest = INT64_MAX;

	for (struct lane *lane = p->resting, *next; lane; lane = next) {
		next = lane->next;
		if (lane->due_ms <= now || p->is_stopping)
			wake(p, lane);
		else if (lane->due_ms < soonest)
			soonest = lane->due_ms;
	}
	return soonest;
}

/* Until something was put, or the clock says so. */
static void wait_for_more(struct pool *p, int64_t until_ms)
{
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	if (until_ms == INT64_MAX)
		pthread_cond_wait(&p->more, &p->lock);
	else
		pthread_cond_clockwait(&p->more, &p->lock, CLOCK_MONOTONIC, &until);
}

static void *run(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		int64_t next_due_ms = offer_due(p);
		struct lane *lane = p->first;
		struct job *job;

		if (!lane) {
			if (p->is_stopping)
				break;
			wait_for_more(p, next_due_ms);
			continue;
		}
		p->first = lane->next;
		job = lane->first;
		lane->first = job->next;
		if (p->resting)
			pthread_cond_signal(&p->more); /* another watches the clock */
		pthread_mutex_unlock(&p->lock);
		job->run(job->arg);
		free(job);
		pthread_mutex_lock(&p->lock);
		if (lane->first)
			offer(p, lane);
		else
			lane->is_active = false;
	}
	/* The lane a colleague runs may still get jobs; he offers and takes them himself. */
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pool *pool_new(unsigned threads_n)
{
	struct pool *p = mem_alloc(sizeof *p);

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->threads_n = threads_n;
	p->threads = mem_alloc(threads_n * sizeof *p->threads);
	for (unsigned i = 0; i < threads_n; i++)
		CHECK(thread_start(&p->threads[i], run, p) == 0);
	return p;
}

void pool_free(struct pool **pp)
{
	struct pool *p = *pp;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_stopping = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads_n; i++)
		pthread_join(p->threads[i], NULL);
	free(p->threads);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	mem_free(pp);
}

static void append(struct lane *lane, void (*fn)(void *arg), void *arg)
{
	struct job *job = mem_alloc(sizeof *job);

	*job = (struct job){.run = fn, .arg = arg};
	if (lane->first)
		lane->last->next = job;
	else
		lane->first = job;
	lane->last = job;
}

void pool_put(struct pool *p, struct lane *lane, void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&p->lock);
	append(lane, fn, arg);
	if (lane->is_resting)
		wake(p, lane);
	else if (!lane->is_active)
		offer(p, lane);
	lane->is_active = true;
	pthread_mutex_unlock(&p->lock);
}

void pool_put_lazy(struct pool *p, struct lane *lane, void (*fn)(void *arg), void *arg, int64_t wait_ms)
{
	if (wait_ms <= 0) {
		pool_put(p, lane, fn, arg);
		return;
	}
	pthread_mutex_lock(&p->lock);
	append(lane, fn, arg);
	if (!lane->is_active) {
		lane->is_active = lane->is_resting = true;
		lane->due_ms = clock_mono_ms() + wait_ms;
		lane->next = p->resting;
		p->resting = lane;
		pthread_cond_signal(&p->more); /* somebody has to watch the clock */
	}
	pthread_mutex_unlock(&p->lock);
}

void pool_hurry(struct pool *p, struct lane *lane)
{
	pthread_mutex_lock(&p->lock);
	if (lane->is_resting)
		wake(p, lane);
	pthread_mutex_unlock(&p->lock);
}

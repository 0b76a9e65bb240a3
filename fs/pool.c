/* fs/pool.c - lanes of jobs, and threads that take a lane's first job each. */
#include "fs/pool.h"

#include "base/check.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct job {
	void (*run)(void *arg);
	void *arg;
	struct job *next;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct lane *first, *last; /* lanes that have a job and run none */
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

static void *run(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct lane *lane = p->first;
		struct job *job;

		if (!lane) {
			if (p->is_stopping)
				break;
			pthread_cond_wait(&p->more, &p->lock);
			continue;
		}
		p->first = lane->next;
		job = lane->first;
		lane->first = job->next;
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
		CHECK(pthread_create(&p->threads[i], NULL, run, p) == 0);
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

void pool_put(struct pool *p, struct lane *lane, void (*fn)(void *arg), void *arg)
{
	struct job *job = mem_alloc(sizeof *job);

	*job = (struct job){.run = fn, .arg = arg};
	pthread_mutex_lock(&p->lock);
	if (lane->first)
		lane->last->next = job;
	else
		lane->first = job;
	lane->last = job;
	if (!lane->is_active) {
		lane->is_active = true;
		offer(p, lane);
	}
	pthread_mutex_unlock(&p->lock);
}

/*
 * authd/work.c - the threads behind logins.  One lock guards where requests are; a step runs without it, on
 * the thread that took the request out.
 */
#include "authd/work.h"

#include "auth/pam.h"
#include "authd/client.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "limits/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Requests that are to be stepped, and the threads that do it. */
struct queue {
	pthread_cond_t queued;
	struct request *first, *last;
	pthread_t *threads;
	uint32_t threads_n;
};

static struct {
	struct site *site;
	struct guard *guard;
	_Atomic uint32_t requests_n;

	pthread_mutex_t lock;
	pthread_cond_t timed;
	struct queue hashing, waiting; /* for PAM: who waits there keeps nobody from hashing */
	struct request **heap;        /* by due_ms */
	size_t heap_n, heap_size;
	bool is_ending;

	pthread_t timekeeper;
	bool has_timekeeper;
} work;

/* --- the heap ------------------------------------------------------------------------------ */

static void place(size_t i, struct request *request)
{
	work.heap[i] = request;
	request->heap_pos = i + 1;
}

static void sift_up(size_t i)
{
	struct request *request = work.heap[i];

	for (; i > 0 && work.heap[(i - 1) / 2]->due_ms > request->due_ms; i = (i - 1) / 2)
		place(i, work.heap[(i - 1) / 2]);
	place(i, request);
}

static void sift_down(size_t i)
{
	struct request *request = work.heap[i];

	for (size_t child; (child = 2 * i + 1) < work.heap_n; i = child) {
		if (child + 1 < work.heap_n && work.heap[child + 1]->due_ms < work.heap[child]->due_ms)
			child++;
		if (work.heap[child]->due_ms >= request->due_ms)
			break;
		place(i, work.heap[child]);
	}
	place(i, request);
}

static void heap_add(struct request *request)
{
	if (work.heap_n == work.heap_size) {
		work.heap_size = work.heap_size ? work.heap_size * 2 : 64;
		work.heap = mem_realloc(work.heap, work.heap_size * sizeof *work.heap);
	}
	work.heap[work.heap_n++] = request;
	sift_up(work.heap_n - 1);
	if (work.heap[0] == request)
		pthread_cond_signal(&work.timed);
}

static void heap_remove(struct request *request)
{
	size_t i = request->heap_pos - 1;
	struct request *last = work.heap[--work.heap_n];

	request->heap_pos = 0;
	if (last == request)
		return;
	place(i, last);
	sift_up(i);
	sift_down(last->heap_pos - 1);
}

/* --- requests ------------------------------------------------------------------------------ */

bool work_admit(void)
{
	if (atomic_fetch_add(&work.requests_n, 1) < setting_get(work.site, SETTING_LOGIN_REQUESTS_MAX))
		return true;
	work_refund();
	return false;
}

void work_refund(void)
{
	atomic_fetch_sub(&work.requests_n, 1);
}

void work_drop(struct request *request)
{
	guard_leave(work.guard, &request->pass);
	request_free(&request);
	work_refund();
}

static void enqueue(struct queue *queue, struct request *request)
{
	pthread_mutex_lock(&work.lock);
	request->place = REQUEST_QUEUED;
	request->next = NULL;
	*(queue->first ? &queue->last->next : &queue->first) = request;
	queue->last = request;
	pthread_cond_signal(&queue->queued);
	pthread_mutex_unlock(&work.lock);
}

void work_submit(struct request *request)
{
	enqueue(&work.hashing, request);
}

static void wait_until(struct request *request, enum request_place where, int64_t due_ms)
{
	pthread_mutex_lock(&work.lock);
	request->place = where;
	request->due_ms = due_ms;
	heap_add(request);
	pthread_mutex_unlock(&work.lock);
}

bool work_take(struct request *request)
{
	bool taken;

	pthread_mutex_lock(&work.lock);
	taken = request->place == REQUEST_RESTING && request->heap_pos;
	if (taken)
		heap_remove(request);
	pthread_mutex_unlock(&work.lock);
	return taken;
}

/* The answer goes out now.  What is over is gone then; else the request rests, which has to be so before the
 * peer hears of it and answers: client_answer sees to that, under the client's lock. */
static void answer(struct request *request)
{
	int64_t time_ms = (int64_t)setting_get(work.site, SETTING_LOGIN_REQUEST_TIME) * 1000;

	if (client_answer(request->client, request, clock_mono_ms() + time_ms))
		work_drop(request);
}

void work_rest(struct request *request, int64_t due_ms)
{
	wait_until(request, REQUEST_RESTING, due_ms);
}

/* A step was made: its answer goes out, or is held back. */
static void answer_after(struct request *request, int64_t delay_ms)
{
	if (delay_ms > 0)
		wait_until(request, REQUEST_HELD, clock_mono_ms() + delay_ms);
	else
		answer(request);
}

void work_begin_request(struct request *request)
{
	int64_t delay_ms;

	if (request_step_quickly(request, &delay_ms))
		answer_after(request, delay_ms);
	else
		work_submit(request);
}

static void *worker_main(void *arg)
{
	struct queue *queue = arg;
	struct request *request;
	int64_t delay_ms;

	pthread_mutex_lock(&work.lock);
	while (!work.is_ending) {
		request = queue->first;
		if (!request) {
			pthread_cond_wait(&queue->queued, &work.lock);
			continue;
		}
		queue->first = request->next;
		pthread_mutex_unlock(&work.lock);
		delay_ms = request_step(request);
		if (delay_ms == REQUEST_WAITS)
			enqueue(&work.waiting, request);
		else
			answer_after(request, delay_ms);
		pthread_mutex_lock(&work.lock);
	}
	pthread_mutex_unlock(&work.lock);
	return NULL;
}

/* The first that is due, taken out; NULL after a sleep. */
static struct request *take_due(void)
{
	int64_t left_ms = work.heap_n ? work.heap[0]->due_ms - clock_mono_ms() : 60000;
	struct request *request = NULL;
	struct timespec until;

	if (work.heap_n && left_ms <= 0) {
		request = work.heap[0];
		heap_remove(request);
		return request;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += left_ms / 1000;
	until.tv_nsec += left_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&work.timed, &work.lock, &until);
	return NULL;
}

static void *timekeeper_main(void *nothing)
{
	struct request *request;

	(void)nothing;
	pthread_mutex_lock(&work.lock);
	while (!work.is_ending) {
		request = take_due();
		if (!request)
			continue;
		pthread_mutex_unlock(&work.lock);
		if (request->place == REQUEST_RESTING)
			request_fail_temporarily(request, "Nothing was said for too long");
		answer(request);
		pthread_mutex_lock(&work.lock);
	}
	pthread_mutex_unlock(&work.lock);
	return NULL;
}

struct guard *work_guard(void)
{
	return work.guard;
}

struct guard_rules work_guard_rules(struct site *site)
{
	return (struct guard_rules){
	    .delay_ms = setting_get(site, SETTING_LOGIN_FAILURE_DELAY),
	    .delay_max_ms = setting_get(site, SETTING_LOGIN_FAILURE_DELAY_MAX),
	    .forget_ms = (int64_t)setting_get(site, SETTING_LOGIN_FAILURE_FORGET) * 1000,
	    .address_max = setting_get(site, SETTING_LOGIN_FROM_ADDRESS_MAX),
	    .account_max = setting_get(site, SETTING_LOGIN_AT_ACCOUNT_MAX),
	};
}

/* --- beginning and end --------------------------------------------------------------------- */

static int start_workers(struct queue *queue, uint32_t n, struct err *e)
{
	queue->threads = mem_alloc(n * sizeof *queue->threads);
	for (; queue->threads_n < n; queue->threads_n++)
		if (thread_start(&queue->threads[queue->threads_n], worker_main, queue) != 0)
			return err_set(e, ERR_UNAVAILABLE, "no thread can be started");
	return 0;
}

static int start_threads(struct err *e)
{
	uint32_t waiting_n = pam_is_anywhere(work.site) ? setting_get(work.site, SETTING_LOGIN_PAM_CHECKS_MAX) : 0;

	if (thread_start(&work.timekeeper, timekeeper_main, NULL) != 0)
		return err_set(e, ERR_UNAVAILABLE, "no thread can be started");
	work.has_timekeeper = true;
	if (start_workers(&work.hashing, setting_get(work.site, SETTING_LOGIN_HASHING_MAX), e) < 0)
		return -1;
	return waiting_n ? start_workers(&work.waiting, waiting_n, e) : 0;
}

int work_begin(struct site *site, struct err *e)
{
	work.site = site;
	work.guard = guard_new(setting_get(site, SETTING_LOGIN_REMEMBERED_MAX));
	pthread_mutex_init(&work.lock, NULL);
	pthread_cond_init(&work.hashing.queued, NULL);
	pthread_cond_init(&work.waiting.queued, NULL);
	thread_cond_init(&work.timed);
	return start_threads(e);
}

static void end_workers(struct queue *queue)
{
	for (uint32_t i = 0; i < queue->threads_n; i++)
		pthread_join(queue->threads[i], NULL);
	free(queue->threads);
}

static void drop_queued(struct queue *queue)
{
	struct request *next;

	for (struct request *request = queue->first; request; request = next) {
		next = request->next;
		work_drop(request);
	}
}

void work_end(void)
{

	pthread_mutex_lock(&work.lock);
	work.is_ending = true;
	pthread_cond_broadcast(&work.hashing.queued);
	pthread_cond_broadcast(&work.waiting.queued);
	pthread_cond_broadcast(&work.timed);
	pthread_mutex_unlock(&work.lock);
	pam_helper_end(); /* nobody waits for it any more */
	end_workers(&work.hashing);
	end_workers(&work.waiting);
	if (work.has_timekeeper)
		pthread_join(work.timekeeper, NULL);
	drop_queued(&work.hashing);
	drop_queued(&work.waiting);
	while (work.heap_n)
		work_drop(work.heap[--work.heap_n]);
	free(work.heap);
	guard_free(&work.guard);
}

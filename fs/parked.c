/* fs/parked.c - lists of who waits. */
#include "fs/parked.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

struct waiting {
	struct parked_reads *parked;
	struct op op;
	bool is_listed, is_interrupted;
	struct waiting *next;
};

struct polling {
	uint64_t handle;
	struct fuse_pollhandle *ph;
	struct polling *next;
};

struct parked_reads {
	struct tree *t;
	pthread_mutex_t lock; /* taken inside libfuse's of a request (interrupted), never the other way */
	struct waiting *waiting;
	struct polling *polling;
	bool is_stopped;
};

struct parked_reads *parked_new(struct tree *t)
{
	struct parked_reads *p = mem_alloc(sizeof *p);

	p->t = t;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void parked_free(struct parked_reads **pp)
{
	struct parked_reads *p = *pp;

	if (!p)
		return;
	parked_stop(p);
	for (struct polling *next; p->polling; p->polling = next) {
		next = p->polling->next;
		fuse_pollhandle_destroy(p->polling->ph);
		free(p->polling);
	}
	pthread_mutex_destroy(&p->lock);
	mem_free(pp);
}

static bool is_readable(struct parked_reads *p, struct handle *h)
{
	return node_rows[h->node.kind]->readable(p->t, h);
}

static void answer(struct parked_reads *p, struct op *op)
{
	const struct node_row *row = node_rows[op->h->node.kind];
	char *octets = mem_alloc(op->size);
	size_t n = 0;
	int err = row->read(p->t, op->h, op->at, octets, op->size, &n);

	if (err)
		op_reply_err(op, err);
	else
		fuse_reply_buf(op->req, octets, n);
	free(octets);
}

/* Locked.  False: somebody else has taken it. */
static bool unlist(struct parked_reads *p, struct waiting *w)
{
	struct waiting **at = &p->waiting;

	if (!w->is_listed)
		return false;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	w->is_listed = false;
	return true;
}

/* Called by libfuse: under its lock of the request, or from fuse_req_interrupt_func below, when it is not
 * listed yet. */
static void interrupted(fuse_req_t req, void *arg)
{
	struct waiting *w = arg;
	bool is_ours;

	pthread_mutex_lock(&w->parked->lock);
	is_ours = unlist(w->parked, w);
	w->is_interrupted = true;
	pthread_mutex_unlock(&w->parked->lock);
	if (is_ours) {
		fuse_reply_err(req, EINTR);
		free(w);
	}
}

void parked_read(struct parked_reads *p, struct op *op)
{
	struct waiting *w;
	bool is_interrupted, is_stopped, is_parked;

	if (is_readable(p, op->h)) {
		answer(p, op);
		return;
	}
	if (op->flags & O_NONBLOCK) {
		op_reply_err(op, EAGAIN);
		return;
	}
	w = mem_alloc(sizeof *w);
	w->parked = p;
	w->op = *op;
	fuse_req_interrupt_func(op->req, interrupted, w);
	pthread_mutex_lock(&p->lock);
	is_interrupted = w->is_interrupted;
	is_stopped = p->is_stopped;
	/* Asked once more: whoever puts a line afterwards finds us in the list. */
	is_parked = !is_interrupted && !is_stopped && !is_readable(p, op->h);
	if (is_parked) {
		w->is_listed = true;
		w->next = p->waiting;
		p->waiting = w;
	}
	pthread_mutex_unlock(&p->lock);
	if (is_parked)
		return; /* from here on w may be gone */
	fuse_req_interrupt_func(op->req, NULL, NULL);
	free(w);
	if (is_interrupted)
		op_reply_err(op, EINTR);
	else if (is_stopped)
		fuse_reply_buf(op->req, NULL, 0);
	else
		answer(p, op);
}

void parked_poll(struct parked_reads *p, struct handle *h, struct fuse_pollhandle *ph)
{
	struct polling *at;

	pthread_mutex_lock(&p->lock);
	for (at = p->polling; at && at->handle != h->id; at = at->next)
		;
	if (at) {
		fuse_pollhandle_destroy(at->ph);
	} else {
		at = mem_alloc(sizeof *at);
		at->handle = h->id;
		at->next = p->polling;
		p->polling = at;
	}
	at->ph = ph;
	pthread_mutex_unlock(&p->lock);
}

void parked_forget(struct parked_reads *p, uint64_t handle)
{
	struct polling *gone = NULL;

	pthread_mutex_lock(&p->lock);
	for (struct polling **at = &p->polling; *at; at = &(*at)->next)
		if ((*at)->handle == handle) {
			gone = *at;
			*at = gone->next;
			break;
		}
	pthread_mutex_unlock(&p->lock);
	if (gone)
		fuse_pollhandle_destroy(gone->ph);
	free(gone);
}

/* One that can be answered, out of the list. */
static struct waiting *take_waiting(struct parked_reads *p)
{
	struct waiting *w;

	pthread_mutex_lock(&p->lock);
	for (w = p->waiting; w && !p->is_stopped && !is_readable(p, w->op.h); w = w->next)
		;
	if (w)
		unlist(p, w);
	pthread_mutex_unlock(&p->lock);
	return w;
}

static struct polling *take_polling(struct parked_reads *p)
{
	struct polling **at, *found;

	pthread_mutex_lock(&p->lock);
	for (at = &p->polling; (found = *at); at = &found->next) {
		struct handle *h = handle_get(p->t, found->handle);
		bool is_due = !h || p->is_stopped || is_readable(p, h);

		if (h)
			handle_put(p->t, h);
		if (is_due) {
			*at = found->next;
			break;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

void parked_wake(struct parked_reads *p)
{
	struct waiting *w;
	struct polling *poll;

	while ((w = take_waiting(p))) {
		/* Waits for an `interrupted` that is running, and finds it not listed. */
		fuse_req_interrupt_func(w->op.req, NULL, NULL);
		if (p->is_stopped)
			fuse_reply_buf(w->op.req, NULL, 0);
		else
			answer(p, &w->op);
		free(w);
	}
	while ((poll = take_polling(p))) {
		fuse_lowlevel_notify_poll(poll->ph);
		fuse_pollhandle_destroy(poll->ph);
		free(poll);
	}
}

void parked_stop(struct parked_reads *p)
{
	pthread_mutex_lock(&p->lock);
	p->is_stopped = true;
	pthread_mutex_unlock(&p->lock);
	parked_wake(p);
}

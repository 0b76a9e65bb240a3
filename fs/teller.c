/* fs/teller.c - a queue and a thread. */
#include "fs/teller.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum notice_kind { NOTICE_ATTR, NOTICE_CONTENTS, NOTICE_READABLE, NOTICE_ENTRY, NOTICE_END, NOTICE_RANG };

struct notice {
	enum notice_kind kind;
	uint64_t ino; /* or the handle */
	char *name;
	void *mailbox;
};

struct teller {
	struct teller_ops ops;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct notices queue;
	atomic_bool is_stopping;
};

#define TICK_S 60

static struct notice *put(struct notices *ns, enum notice_kind kind, uint64_t ino)
{
	struct notice *last = ns->n ? &ns->list[ns->n - 1] : NULL;

	/* A thousand new messages are one changed directory. */
	if (last && last->kind == kind && last->ino == ino && !last->name && kind <= NOTICE_READABLE)
		return last;
	if (ns->n == ns->size) {
		ns->size = ns->size ? ns->size * 2 : 16;
		ns->list = mem_realloc(ns->list, ns->size * sizeof *ns->list);
	}
	last = &ns->list[ns->n++];
	*last = (struct notice){.kind = kind, .ino = ino};
	return last;
}

void notice_inode(struct notices *ns, struct node n, bool contents)
{
	put(ns, contents ? NOTICE_CONTENTS : NOTICE_ATTR, node_ino(n));
}

void notice_entry(struct notices *ns, struct node parent, const char *name)
{
	put(ns, NOTICE_ENTRY, node_ino(parent))->name = mem_str(name);
}

void notices_fini(struct notices *ns)
{
	for (size_t i = 0; i < ns->n; i++)
		free(ns->list[i].name);
	free(ns->list);
	*ns = (struct notices){0};
}

static void act(const struct teller_ops *ops, const struct notice *n)
{
	switch (n->kind) {
	case NOTICE_ATTR:
	case NOTICE_CONTENTS:
		ops->inode(ops->arg, n->ino, n->kind == NOTICE_CONTENTS);
		break;
	case NOTICE_ENTRY:
		ops->entry(ops->arg, n->ino, n->name);
		break;
	case NOTICE_READABLE:
		ops->readable(ops->arg);
		break;
	case NOTICE_END:
		ops->end(ops->arg, n->ino);
		break;
	case NOTICE_RANG:
		ops->rang(ops->arg, n->mailbox);
		break;
	}
}

static void *run(void *arg)
{
	struct teller *t = arg;
	struct timespec until;

	pthread_mutex_lock(&t->lock);
	while (!t->is_stopping) {
		struct notices now = t->queue;

		if (now.n == 0) {
			clock_gettime(CLOCK_MONOTONIC, &until);
			until.tv_sec += TICK_S;
			if (pthread_cond_timedwait(&t->more, &t->lock, &until) == 0)
				continue;
			if (t->queue.n == 0)
				put(&t->queue, NOTICE_RANG, 0);
			continue;
		}
		t->queue = (struct notices){0};
		pthread_mutex_unlock(&t->lock);
		for (size_t i = 0; i < now.n && !atomic_load(&t->is_stopping); i++)
			act(&t->ops, &now.list[i]);
		notices_fini(&now);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct teller *teller_new(const struct teller_ops *ops)
{
	struct teller *t = mem_alloc(sizeof *t);

	t->ops = *ops;
	pthread_mutex_init(&t->lock, NULL);
	thread_cond_init(&t->more);
	CHECK(thread_start(&t->thread, run, t) == 0);
	return t;
}

void teller_stop(struct teller *t)
{
	bool was_stopping;

	pthread_mutex_lock(&t->lock);
	was_stopping = t->is_stopping;
	t->is_stopping = true;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
	if (!was_stopping)
		pthread_join(t->thread, NULL);
}

void teller_free(struct teller **tp)
{
	struct teller *t = *tp;

	if (!t)
		return;
	teller_stop(t);
	notices_fini(&t->queue);
	pthread_cond_destroy(&t->more);
	pthread_mutex_destroy(&t->lock);
	mem_free(tp);
}

void teller_tell(struct teller *t, struct notices *ns)
{
	if (ns->n == 0)
		return;
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < ns->n && !t->is_stopping; i++) {
		struct notice *n = put(&t->queue, ns->list[i].kind, ns->list[i].ino);

		if (ns->list[i].name)
			n->name = ns->list[i].name, ns->list[i].name = NULL;
	}
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
	notices_fini(ns);
}

void teller_end(struct teller *t, uint64_t handle)
{
	pthread_mutex_lock(&t->lock);
	put(&t->queue, NOTICE_END, handle);
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
}

void teller_readable(struct teller *t)
{
	pthread_mutex_lock(&t->lock);
	put(&t->queue, NOTICE_READABLE, 0);
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
}

void teller_ring(struct teller *t, void *mailbox)
{
	pthread_mutex_lock(&t->lock);
	put(&t->queue, NOTICE_RANG, 0)->mailbox = mailbox;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
}

/*
 * net/timer.c - when to look at a connection again: a binary heap, one entry a connection.
 *
 * A connection's deadlines move with every command, nearly always to later; its entry does not.
 * When the entry comes up, the connection is asked, and put back at its true deadline.  So a
 * command costs the heap nothing.
 */
#include "net/conn_priv.h"
#include "base/check.h"
#include "base/mem.h"

static int64_t at(const struct timers *t, size_t i)
{
	return atomic_load_explicit(&t->heap[i]->timer_at, memory_order_relaxed);
}

static void put(struct timers *t, size_t i, struct conn *conn)
{
	t->heap[i] = conn;
	conn->timer_pos = i + 1;
}

static void sift_up(struct timers *t, size_t i)
{
	struct conn *conn = t->heap[i];
	int64_t when = at(t, i);

	for (; i > 0 && at(t, (i - 1) / 2) > when; i = (i - 1) / 2)
		put(t, i, t->heap[(i - 1) / 2]);
	put(t, i, conn);
}

static void sift_down(struct timers *t, size_t i)
{
	struct conn *conn = t->heap[i];
	int64_t when = at(t, i);

	for (size_t child; (child = 2 * i + 1) < t->n; i = child) {
		if (child + 1 < t->n && at(t, child + 1) < at(t, child))
			child++;
		if (at(t, child) >= when)
			break;
		put(t, i, t->heap[child]);
	}
	put(t, i, conn);
}

static void take_out(struct timers *t, struct conn *conn)
{
	size_t i = conn->timer_pos - 1;

	CHECK(i < t->n && t->heap[i] == conn);
	conn->timer_pos = 0;
	atomic_store(&conn->timer_at, NEVER);
	t->n--;
	if (i == t->n)
		return;
	put(t, i, t->heap[t->n]);
	sift_up(t, i);
	sift_down(t, t->heap[i]->timer_pos - 1);
}

void timer_set(struct net_server *server, struct conn *conn, int64_t when)
{
	struct timers *t = &server->timers;
	bool sooner;

	pthread_mutex_lock(&t->lock);
	if (conn->timer_pos)
		take_out(t, conn);
	if (t->n == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->heap = mem_realloc(t->heap, t->size * sizeof(*t->heap));
	}
	atomic_store(&conn->timer_at, when);
	t->heap[t->n++] = conn;
	sift_up(t, t->n - 1);
	sooner = when < t->awake_at;
	if (sooner)
		t->awake_at = when;
	pthread_mutex_unlock(&t->lock);
	if (sooner)
		server_kick(server);
}

void timer_remove(struct net_server *server, struct conn *conn)
{
	struct timers *t = &server->timers;

	pthread_mutex_lock(&t->lock);
	if (conn->timer_pos)
		take_out(t, conn);
	pthread_mutex_unlock(&t->lock);
}

uint64_t timer_due(struct net_server *server, int64_t now, int64_t *next_r)
{
	struct timers *t = &server->timers;
	uint64_t id = 0;

	pthread_mutex_lock(&t->lock);
	if (t->n && at(t, 0) <= now) {
		/* An entry is removed before its slot's id changes, so the id is good. */
		id = t->heap[0]->id;
		take_out(t, t->heap[0]);
	} else {
		*next_r = t->n ? at(t, 0) : NEVER;
		t->awake_at = *next_r;
	}
	pthread_mutex_unlock(&t->lock);
	return id;
}

/*
 * net/user.c - no user keeps more than worker_max_per_user workers busy, and strangers, all together,
 * no more than half: checking passwords is slow on purpose.
 *
 * A connection over its user's share waits in the user's line, still owned (running stays set, so
 * events gather); the worker that leaves takes the first in the line along.
 */
#include "net/conn_priv.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>

static struct net_user **bucket(struct net_server *server, uint64_t id)
{
	return &server->users[(id * 0x9e3779b97f4a7c15u) >> 56];
}

/* One worker less; the first in the line, if there is one, gets the place. */
static struct conn *leave(struct net_user *user)
{
	struct conn *waited = NULL;

	user->running--;
	if (user->running < user->running_max && (waited = user->first)) {
		user->first = waited->next;
		user->running++;
	}
	return waited;
}

static void drop_if_unused(struct net_server *server, struct net_user *user)
{
	struct net_user **at;

	if (user == &server->strangers || user->conns || user->running)
		return;
	for (at = bucket(server, user->id); *at != user; at = &(*at)->next)
		;
	*at = user->next;
	free(user);
}

void user_none(struct conn *conn)
{
	struct net_server *server = conn->server;

	conn->user = &server->strangers;
}

void user_join(struct conn *conn, uint64_t id)
{
	struct net_server *server = conn->server;
	struct net_user *strangers = &server->strangers, **at;
	struct conn *waited;

	CHECK(conn->user == strangers && conn->worker->user == strangers);
	pthread_mutex_lock(&server->users_lock);
	for (at = bucket(server, id); *at && (*at)->id != id; at = &(*at)->next)
		;
	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		(*at)->id = id;
		(*at)->running_max = server->limits.worker_max_per_user;
	}
	(*at)->conns++;
	(*at)->running++;
	conn->user_at = &(*at)->all;
	conn->user_next = (*at)->all;
	if (conn->user_next)
		conn->user_next->user_at = &conn->user_next;
	(*at)->all = conn;
	conn->user = conn->worker->user = *at;
	/* The place among strangers is free; this worker can't take it, so another one enters anew. */
	waited = leave(strangers);
	if (waited)
		strangers->running--;
	pthread_mutex_unlock(&server->users_lock);
	if (waited)
		server_ready(server, waited);
}

void user_part(struct conn *conn)
{
	struct net_server *server = conn->server;

	pthread_mutex_lock(&server->users_lock);
	if (conn->user != &server->strangers) {
		conn->user->conns--;
		*conn->user_at = conn->user_next;
		if (conn->user_next)
			conn->user_next->user_at = conn->user_at;
		drop_if_unused(server, conn->user);
	}
	pthread_mutex_unlock(&server->users_lock);
	conn->user = &server->strangers;
}

uint32_t user_conns(struct net_server *server, uint64_t id, uint64_t *ids, uint32_t max)
{
	const struct net_user *user;
	uint32_t n = 0;

	pthread_mutex_lock(&server->users_lock);
	for (user = *bucket(server, id); user && user->id != id; user = user->next)
		;
	/* An id is written before a connection is anybody's, and again after it has parted. */
	for (const struct conn *conn = user ? user->all : NULL; conn && n < max; conn = conn->user_next)
		ids[n++] = conn->id;
	pthread_mutex_unlock(&server->users_lock);
	return n;
}

bool user_enter(struct worker *worker, struct conn *conn)
{
	struct net_server *server = conn->server;
	struct net_user *user = conn->user;
	bool enters;

	pthread_mutex_lock(&server->users_lock);
	enters = user->running < user->running_max;
	if (enters) {
		user->running++;
		worker->user = user;
	} else {
		conn->next = NULL;
		*(user->first ? &user->last->next : &user->first) = conn;
		user->last = conn;
	}
	pthread_mutex_unlock(&server->users_lock);
	return enters;
}

struct conn *user_leave(struct worker *worker)
{
	struct net_server *server = worker->server;
	struct net_user *user = worker->user;
	struct conn *waited;

	pthread_mutex_lock(&server->users_lock);
	waited = leave(user);
	worker->user = waited ? user : NULL;
	drop_if_unused(server, user);
	pthread_mutex_unlock(&server->users_lock);
	return waited;
}

bool user_is_crowded(struct conn *conn)
{
	struct net_server *server = conn->server;
	bool is;

	pthread_mutex_lock(&server->users_lock);
	is = conn->user->first || conn->user->running > conn->user->running_max;
	pthread_mutex_unlock(&server->users_lock);
	return is;
}

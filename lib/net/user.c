/*
 * net/user.c - no user keeps more than worker_max_per_user workers busy.
 *
 * A connection over that share waits in its user's line, still owned (running stays set, so events
 * gather); the worker that leaves takes the first in the line along.
 */
#include "net/conn_priv.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>

static struct net_user **bucket(struct net_server *server, uint64_t id)
{
	return &server->users[(id * 0x9e3779b97f4a7c15u) >> 56];
}

void user_join(struct conn *conn, uint64_t id)
{
	struct net_server *server = conn->server;
	struct net_user **at;

	CHECK(!conn->user);
	pthread_mutex_lock(&server->users_lock);
	for (at = bucket(server, id); *at && (*at)->id != id; at = &(*at)->next)
		;
	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		(*at)->id = id;
	}
	(*at)->conns++;
	(*at)->running++;
	conn->user = conn->worker->user = *at;
	pthread_mutex_unlock(&server->users_lock);
}

static void drop_if_unused(struct net_server *server, struct net_user *user)
{
	struct net_user **at;

	if (user->conns || user->running)
		return;
	for (at = bucket(server, user->id); *at != user; at = &(*at)->next)
		;
	*at = user->next;
	free(user);
}

void user_part(struct conn *conn)
{
	struct net_server *server = conn->server;

	if (!conn->user)
		return;
	pthread_mutex_lock(&server->users_lock);
	conn->user->conns--;
	drop_if_unused(server, conn->user);
	pthread_mutex_unlock(&server->users_lock);
	conn->user = NULL;
}

bool user_enter(struct worker *worker, struct conn *conn)
{
	struct net_server *server = conn->server;
	struct net_user *user = conn->user;
	bool enters;

	if (!user)
		return true;
	pthread_mutex_lock(&server->users_lock);
	enters = user->running < server->limits.worker_max_per_user;
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
	struct conn *waited = NULL;

	worker->user = NULL;
	if (!user)
		return NULL;
	pthread_mutex_lock(&server->users_lock);
	user->running--;
	if (user->running < server->limits.worker_max_per_user && (waited = user->first)) {
		user->first = waited->next;
		user->running++;
		worker->user = user;
	}
	drop_if_unused(server, user);
	pthread_mutex_unlock(&server->users_lock);
	return waited;
}

bool user_has_waiting(struct conn *conn)
{
	struct net_server *server = conn->server;
	bool has;

	if (!conn->user)
		return false;
	pthread_mutex_lock(&server->users_lock);
	has = conn->user->first != NULL;
	pthread_mutex_unlock(&server->users_lock);
	return has;
}

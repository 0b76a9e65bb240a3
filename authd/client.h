/*
 * A connection of the authentication protocol: one of our doors, or a mail server.  Its requests may outlive
 * it, and finish in any order, on threads of work.c; so it is counted, and its list of requests and what is
 * to be said stand under a lock.
 */
#ifndef AUTHD_CLIENT_H
#define AUTHD_CLIENT_H

#include "authd/request.h"
#include "limits/site.h"
#include "net/conn.h"

#include <pthread.h>

struct client {
	pthread_mutex_t lock;
	unsigned refs;
	bool is_closed, is_run; /* is_run: it will look at answers by itself */
	struct str_buf answers; /* lines that are to go out */
	struct request *requests;

	struct site *site;
	struct net_server *server;
	uint64_t conn_id;
	bool has_version, has_pid; /* the peer's handshake */
};

extern const struct net_door client_door;

void client_ref(struct client *client);
void client_unref(struct client *client);
/* From any thread: the request's answer goes out, if anybody still waits for it, and its peer's is awaited until
 * due_ms.  True: it was the last, or nobody waits, and the request is the caller's to free. */
bool client_answer(struct client *client, struct request *request, int64_t due_ms);

#endif

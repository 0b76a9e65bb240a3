/*
 * net/slot.c - where connections live, and how many there are: of a door, and from an address.
 *
 * Slots come in chunks that stay until the server is freed, so a pointer found by a stale id is
 * good memory.  An id is the slot's number below a generation of 40 bits that is never used twice.
 */
#include "net/conn_priv.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn *slot_find(struct net_server *server, uint64_t id)
{
	uint32_t slot = (uint32_t)(id & ((1u << ID_SLOT_BITS) - 1));
	struct conn *chunk;

	if (slot / CHUNK_SLOTS >= CHUNKS_MAX)
		return NULL;
	chunk = atomic_load_explicit(&server->chunks[slot / CHUNK_SLOTS], memory_order_acquire);
	return chunk ? &chunk[slot % CHUNK_SLOTS] : NULL;
}

uint64_t slot_next(struct net_server *server, uint32_t *at)
{
	for (struct conn *conn; (conn = slot_find(server, *at)); ) {
		uint64_t id;

		++*at;
		pthread_mutex_lock(&conn->lock);
		id = conn->id;
		pthread_mutex_unlock(&conn->lock);
		if (id)
			return id;
	}
	return 0;
}

static void chunk_add(struct net_server *server)
{
	uint32_t first = server->slots_n;
	struct conn *chunk;

	if (first / CHUNK_SLOTS >= CHUNKS_MAX)
		return;
	chunk = mem_alloc(CHUNK_SLOTS * sizeof(*chunk));
	for (uint32_t i = CHUNK_SLOTS; i-- > 0;) {
		pthread_mutex_init(&chunk[i].lock, NULL);
		chunk[i].server = server;
		chunk[i].slot = first + i;
		chunk[i].state = NULL;
		chunk[i].next = server->free_slots;
		server->free_slots = &chunk[i];
	}
	server->slots_n += CHUNK_SLOTS;
	atomic_store_explicit(&server->chunks[first / CHUNK_SLOTS], chunk, memory_order_release);
}

static struct net_address **address_bucket(struct net_server *server, const struct in6_addr *ip)
{
	uint64_t words[2];

	memcpy(words, ip, sizeof words);
	return &server->addresses[((words[0] ^ words[1]) * 0x9e3779b97f4a7c15u) >> 54];
}

static struct net_address *address_count(struct net_server *server, const struct in6_addr *ip)
{
	struct net_address **at = address_bucket(server, ip);

	while (*at && memcmp(&(*at)->ip, ip, sizeof(*ip)) != 0)
		at = &(*at)->next;
	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		(*at)->ip = *ip;
	}
	(*at)->conns++;
	return *at;
}

static void address_discount(struct net_server *server, struct net_address *address)
{
	struct net_address **at = address_bucket(server, &address->ip);

	if (--address->conns)
		return;
	while (*at != address)
		at = &(*at)->next;
	*at = address->next;
	free(address);
}

/* The address as IPv6, an IPv4 one mapped, and both in words: "127.0.0.1:50123", "[::1]:50123".  All who come
 * through Unix sockets are one address, and have their process's id for a name. */
static struct in6_addr name_peer(int fd, const struct sockaddr_storage *from, char *out, size_t size)
{
	struct in6_addr ip = {0};
	char text[INET6_ADDRSTRLEN] = "?";

	if (from->ss_family == AF_UNIX) {
		struct ucred who = {0};
		socklen_t n = sizeof who;

		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n);
		snprintf(out, size, NET_UNIX "%d", (int)who.pid);
	} else if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		ip.s6_addr[10] = ip.s6_addr[11] = 0xff;
		memcpy(&ip.s6_addr[12], &in->sin_addr, 4);
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		snprintf(out, size, "%s:%u", text, (unsigned)ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in6 = (const void *)from;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

		ip = in6->sin6_addr;
		inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? &ip.s6_addr[12] : ip.s6_addr, text,
		    sizeof text);
		snprintf(out, size, mapped ? "%s:%u" : "[%s]:%u", text,
		    (unsigned)ntohs(in6->sin6_port));
	}
	return ip;
}

/* A free slot, made blank, counted; NULL: there are CHUNKS_MAX full. */
static struct conn *slot_take(struct net_server *server, const struct in6_addr *ip)
{
	struct conn *conn;

	pthread_mutex_lock(&server->slots_lock);
	if (!server->free_slots)
		chunk_add(server);
	conn = server->free_slots;
	if (conn) {
		server->free_slots = conn->next;
		conn->next = NULL;
		conn->address = address_count(server, ip);
		server->conns++;
	}
	pthread_mutex_unlock(&server->slots_lock);
	return conn;
}

void slot_uncount(struct conn *conn)
{
	struct net_server *server = conn->server;

	if (!conn->address)
		return;
	pthread_mutex_lock(&server->slots_lock);
	address_discount(server, conn->address);
	conn->address = NULL;
	pthread_mutex_unlock(&server->slots_lock);
	--*conn->listener->door_conns;
}

static void slot_give_back(struct conn *conn)
{
	struct net_server *server = conn->server;

	pthread_mutex_lock(&server->slots_lock);
	conn->next = server->free_slots;
	server->free_slots = conn;
	server->conns--;
	pthread_mutex_unlock(&server->slots_lock);
	if (server->conns == 0 && server->stopping)
		server_kick(server);
}

static bool admitted(struct conn *conn, const char **say_r)
{
	const struct listener *listener = conn->listener;
	struct net_server *server = conn->server;
	uint32_t from_address;

	if (!listener->door->admit)
		return true;
	pthread_mutex_lock(&server->slots_lock);
	from_address = conn->address->conns;
	pthread_mutex_unlock(&server->slots_lock);
	return listener->door->admit(
	    listener->door_arg, atomic_load(listener->door_conns), from_address, say_r);
}

static void fill_in(struct conn *conn, const struct listener *listener, int fd)
{
	static _Atomic uint64_t generation;
	int64_t now = clock_mono_ms();

	conn->listener = listener;
	conn->fd = fd;
	conn->state = NULL;
	conn->is_open = conn->yielded = conn->holding = conn->blocked = conn->eof = conn->closing = false;
	conn->authed = conn->is_secret = conn->handshaking = conn->starttls_wanted = false;
	conn->tls_credentials = NULL;
	conn->tls_peer_trusted = false;
	conn->zip = NULL;
	conn->zip_wanted = false;
	conn->tls_wants_write = conn->tls_resend = conn->tls_more = conn->in_full = false;
	conn->held = 0;
	conn->in_at = conn->out_at = 0;
	conn->in_octets = 0;
	conn->idle_ms = 0;
	conn->idle_at = conn->send_at = conn->close_at = conn->hold_at = NEVER;
	conn->preauth_at = now + conn->server->limits.preauth_ms;
	atomic_store(&conn->timer_at, NEVER);
	conn->silent = false;
	user_none(conn);
	conn->in_epoll = false;
	pthread_mutex_lock(&conn->lock);
	conn->events = CONN_OPENED;
	conn->running = true;
	conn->id = (++generation << ID_SLOT_BITS) | conn->slot;
	pthread_mutex_unlock(&conn->lock);
}

struct conn *slot_new(struct net_server *server, const struct listener *listener, int fd,
    const struct sockaddr_storage *from)
{
	char peer[56];
	struct in6_addr ip = name_peer(fd, from, peer, sizeof peer);
	struct conn *conn = slot_take(server, &ip);
	const char *say = NULL;

	if (!conn) {
		log_error("slots-full", "connections=%u", (unsigned)atomic_load(&server->conns));
		close(fd);
		return NULL;
	}
	memcpy(conn->peer, peer, sizeof peer);
	++*listener->door_conns;
	fill_in(conn, listener, fd);
	if (admitted(conn, &say))
		return conn;
	/* Over TLS there is nobody yet who could read it. */
	if (say && !listener->tls)
		send(fd, say, strlen(say), MSG_NOSIGNAL | MSG_DONTWAIT);
	slot_uncount(conn);
	shutdown(fd, SHUT_WR);
	slot_free(conn);
	return NULL;
}

void slot_free(struct conn *conn)
{
	timer_remove(conn->server, conn);
	slot_uncount(conn);
	pthread_mutex_lock(&conn->lock);
	conn->id = 0;
	conn->events = 0;
	conn->running = false;
	pthread_mutex_unlock(&conn->lock);
	/* After its id: whoever finds that under the lock has a descriptor that is this connection's. */
	close(conn->fd);
	conn->fd = -1;
	str_buf_fini(&conn->in);
	str_buf_fini(&conn->out);
	slot_give_back(conn);
}

void slot_all_free(struct net_server *server)
{
	for (uint32_t i = 0; i < CHUNKS_MAX; i++) {
		struct conn *chunk = atomic_load(&server->chunks[i]);

		for (uint32_t j = 0; chunk && j < CHUNK_SLOTS; j++)
			pthread_mutex_destroy(&chunk[j].lock);
		free(chunk);
	}
}

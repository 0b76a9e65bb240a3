/* authd/client.c - the door of the authentication protocol: lines in, requests, answers out. */
#include "authd/client.h"

#include "auth/service.h"
#include "auth/wire.h"
#include "authd/work.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COOKIE_OCTETS 16

void client_ref(struct client *client)
{
	pthread_mutex_lock(&client->lock);
	client->refs++;
	pthread_mutex_unlock(&client->lock);
}

void client_unref(struct client *client)
{
	bool is_last;

	pthread_mutex_lock(&client->lock);
	is_last = --client->refs == 0;
	pthread_mutex_unlock(&client->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&client->lock);
	str_buf_fini(&client->answers);
	free(client);
}

/* --- its requests -------------------------------------------------------------------------- */

static struct request **at_id(struct client *client, uint32_t id)
{
	struct request **at = &client->requests;

	while (*at && (*at)->id != id)
		at = &(*at)->sibling;
	return at;
}

static void list(struct client *client, struct request *request)
{
	pthread_mutex_lock(&client->lock);
	request->sibling = client->requests;
	request->is_listed = true;
	client->requests = request;
	pthread_mutex_unlock(&client->lock);
}

static void unlist(struct client *client, struct request *request)
{
	*at_id(client, request->id) = request->sibling;
	request->is_listed = false;
}

bool client_answer(struct client *client, struct request *request, int64_t due_ms)
{
	bool is_wanted, is_over, is_run;

	pthread_mutex_lock(&client->lock);
	is_wanted = request->is_listed && !client->is_closed;
	is_over = request->is_over || !is_wanted;
	if (is_over && request->is_listed)
		unlist(client, request);
	if (is_wanted)
		str_buf_put(&client->answers, request->answer.p, request->answer.n);
	if (!is_over)
		work_rest(request, due_ms);
	is_run = client->is_run;
	pthread_mutex_unlock(&client->lock);
	if (is_wanted && !is_run)
		net_wake(client->server, client->conn_id);
	return is_over;
}

/* --- lines --------------------------------------------------------------------------------- */

/* code NULL: none. */
static void fail(struct conn *conn, uint32_t id, bool is_temporary, const char *reason, const char *code)
{
	struct str_buf *out = conn_out(conn);

	str_buf_printf(out, "FAIL\t%u%s", id, is_temporary ? "\ttemp" : "");
	wire_put_parameter(out, "reason", reason);
	if (code)
		wire_put_parameter(out, "code", code);
	str_buf_putc(out, '\n');
}

/* Those that need no more of the peer's connection than privacy: what its TLS is bound to, or vouches for,
 * is known at each AUTH. */
static void put_mechanisms(struct client *client, struct str_buf *names)
{
	const struct account_source source = account_source(client->site);
	const struct sasl_peer peer = {.door = ACCOUNT_DOORS_ALL, .is_private = true};

	sasl_put_mechanisms(source.able(&source), &peer, names);
}

static void tell_mechanisms(struct client *client, struct conn *conn, uint32_t id)
{
	struct str_buf names = {0};
	struct str_view rest, name;

	put_mechanisms(client, &names);
	conn_printf(conn, "MECHS\t%u", id);
	for (rest = str_buf_view(&names); (name = str_word(&rest)).n;)
		conn_printf(conn, "\t%.*s", (int)name.n, name.p);
	conn_puts(conn, "\n");
	str_buf_fini(&names);
}

static bool begin(struct client *client, struct conn *conn, const struct protocol_line *line,
    const char **why_r)
{
	struct request *request;
	bool is_taken;
	struct err e;

	pthread_mutex_lock(&client->lock);
	is_taken = *at_id(client, line->id) != NULL;
	pthread_mutex_unlock(&client->lock);
	*why_r = "the id is in use";
	if (is_taken)
		return false;
	if (!work_admit()) {
		log_warn("auth-busy", "limit=MaxRequests service=%s", LOG_Q(line->service));
		fail(conn, line->id, true, "Too many logins are under way; please try again later", "temp_fail");
		return true;
	}
	if (request_new(client, line, &request, &e) != 0) {
		work_refund();
		fail(conn, line->id, false, "There is no such mechanism here", line->wants_codes ? WIRE_CODE_NO_MECHANISM : NULL);
		return true;
	}
	list(client, request);
	work_begin_request(request);
	return true;
}

/* The request of that id, if its peer's word is awaited; else an answer of its own is on its way, or was. */
static struct request *take(struct client *client, uint32_t id, bool for_good)
{
	struct request *request;

	pthread_mutex_lock(&client->lock);
	request = *at_id(client, id);
	if (request && for_good)
		unlist(client, request);
	if (request && !work_take(request))
		request = NULL;
	pthread_mutex_unlock(&client->lock);
	return request;
}

/* False: the peer doesn't speak the protocol. */
static bool line_came(struct client *client, struct conn *conn, const struct protocol_line *line,
    const char **why_r)
{
	struct request *request;

	*why_r = "the handshake comes first";
	switch (line->verb) {
	case PROTOCOL_VERSION:
		*why_r = "another major version";
		client->has_version = true;
		return line->id == WIRE_MAJOR;
	case PROTOCOL_CPID:
		client->has_pid = client->has_version;
		return client->has_version;
	case PROTOCOL_AUTH:
		return client->has_pid && begin(client, conn, line, why_r);
	case PROTOCOL_CONT:
		if ((request = take(client, line->id, false))) {
			request_give(request, true, line->data);
			work_submit(request);
		}
		return client->has_pid;
	case PROTOCOL_CANCEL:
		if ((request = take(client, line->id, true)))
			work_drop(request);
		return client->has_pid;
	case PROTOCOL_MECHS:
		if (client->has_pid)
			tell_mechanisms(client, conn, line->id);
		return client->has_pid;
	case PROTOCOL_UNKNOWN:
		break;
	}
	return false;
}

static bool take_line(struct client *client, struct conn *conn, struct str_view text)
{
	struct arena arena = {0};
	struct protocol_line line;
	const char *why = "";
	bool is_good = protocol_parse(text, &arena, &line, &why) && line_came(client, conn, &line, &why);

	/* It may hold a password, and lies in a buffer that others are lent. */
	explicit_bzero((char *)(uintptr_t)text.p, text.n);
	arena_fini(&arena);
	if (!is_good)
		log_warn("auth-protocol", "peer=%s why=\"%s\"", conn_peer(conn), why);
	return is_good;
}

/* --- the door's callbacks ------------------------------------------------------------------ */

/* What clients of mail servers are told of a mechanism's nature. */
static const char *properties(struct str_view mechanism)
{
	if (str_equal(mechanism, SV("PLAIN")) || str_equal(mechanism, SV("LOGIN")))
		return "\tplaintext";
	return str_begins_nocase(mechanism, SV("SCRAM-")) ? "\tmutual-auth" : "";
}

static void greet_with_mechanisms(struct client *client, struct conn *conn)
{
	struct str_buf names = {0};
	struct str_view rest, name;

	put_mechanisms(client, &names);
	for (rest = str_buf_view(&names); (name = str_word(&rest)).n;)
		conn_printf(conn, "MECH\t%.*s%s\n", (int)name.n, name.p, properties(name));
	str_buf_fini(&names);
}

static void greet(struct client *client, struct conn *conn)
{
	static _Atomic uint32_t connections;
	unsigned char cookie[COOKIE_OCTETS];

	conn_printf(conn, "VERSION\t%d\t%d\n", WIRE_MAJOR, WIRE_MINOR);
	greet_with_mechanisms(client, conn);
	conn_printf(conn, "SPID\t%d\nCUID\t%u\nCOOKIE\t", (int)getpid(), ++connections);
	io_random(cookie, sizeof cookie);
	for (size_t i = 0; i < sizeof cookie; i++)
		conn_printf(conn, "%02x", cookie[i]);
	conn_puts(conn, "\nDONE\n");
}

static void *client_open(struct conn *conn, void *door_arg)
{
	struct client *client = mem_alloc(sizeof *client);

	pthread_mutex_init(&client->lock, NULL);
	client->refs = 1;
	client->site = door_arg;
	client->server = conn_server(conn);
	client->conn_id = conn_id(conn);
	return client;
}

/* Requests that rest are over; those that are worked on find nobody, and those that are held keep their place:
 * who hangs up does not get away with less. */
static void client_close(struct conn *conn, void *state, enum conn_end end)
{
	struct client *client = state;
	struct request *request, *left = NULL;

	(void)conn, (void)end;
	pthread_mutex_lock(&client->lock);
	client->is_closed = true;
	while ((request = client->requests)) {
		unlist(client, request);
		if (!work_take(request))
			continue;
		request->sibling = left;
		left = request;
	}
	pthread_mutex_unlock(&client->lock);
	while ((request = left)) {
		left = request->sibling;
		work_drop(request);
	}
	client_unref(client);
}

/* is_run: it is called again before its connection waits. */
static void put_answers(struct client *client, struct conn *conn, bool is_run)
{
	pthread_mutex_lock(&client->lock);
	client->is_run = is_run;
	if (client->answers.n)
		conn_put(conn, client->answers.p, client->answers.n);
	str_buf_fini(&client->answers);
	pthread_mutex_unlock(&client->lock);
}

static enum conn_next client_run(struct conn *conn, void *state, unsigned events)
{
	struct client *client = state;
	size_t line_max = setting_get(client->site, SETTING_LOGIN_LINE_MAX);
	struct str_view line;

	if (events & CONN_OPENED) {
		/* There is nobody to log in: each connection counts as somebody, with his share of workers. */
		conn_authenticated(conn, conn_id(conn));
		conn_keep_secret(conn);
		greet(client, conn);
	}
	put_answers(client, conn, true);
	if (events & CONN_STOPPING)
		return CONN_CLOSE;
	for (;;) {
		if (conn_should_yield(conn))
			return CONN_YIELD;
		switch (conn_line(conn, line_max, &line)) {
		case CONN_LINE_PART:
			put_answers(client, conn, false);
			return CONN_WAIT;
		case CONN_LINE_TOO_LONG:
			log_warn("auth-protocol", "peer=%s why=\"a line is too long\"", conn_peer(conn));
			return CONN_CLOSE;
		case CONN_LINE:
			if (!take_line(client, conn, line))
				return CONN_CLOSE;
		}
	}
}

const struct net_door client_door = {
    .name = "auth",
    .open = client_open,
    .run = client_run,
    .close = client_close,
    .admit = service_admit,
};

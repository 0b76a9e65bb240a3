/* imapd/client.c - a connection's life: greeting, commands one after the other, goodbye. */
#include "imapd/client.h"

#include "auth/ask.h"
#include "auth/login.h"
#include "auth/reap.h"
#include "base/log.h"
#include "base/mem.h"
#include "imapd/cmd.h"
#include "imapd/dispatch.h"
#include "imapd/notify.h"
#include "imapd/read.h"
#include "imapd/reply.h"
#include "imapd/sync.h"
#include "limits/registry.h"

#include <stdlib.h>
#include <string.h>

/* Pipelined commands that are served before others have their turn. */
#define COMMANDS_PER_TURN 64

static const char *state_name(unsigned state)
{
	return state == IMAP_NOT_AUTHENTICATED ? "not-authenticated" :
	    state == IMAP_AUTHENTICATED        ? "authenticated" :
	                                         "selected";
}

void client_set_state(struct client *client, unsigned state, const char *why)
{
	if (client->state == state)
		return;
	log_debug("state", "peer=%s from=%s to=%s why=%s", conn_peer(client->conn),
	    state_name(client->state), state_name(state), why);
	client->state = state;
}

void client_wake(void *arg)
{
	struct client *client = arg;

	net_wake(client->server, client->conn_id);
}

bool client_may_log_in(const struct client *client)
{
	return auth_plaintext_allowed(client->site, conn_peer(client->conn),
	    conn_is_tls(client->conn));
}

void client_bye(struct client *client, const char *code, const char *text)
{
	if (!client->closing && !client->in_response)
		reply_untagged(client, "BYE", code, text);
	client->closing = true;
}

void client_log_in(struct client *client, struct session *session, struct store *store)
{
	client->session = session;
	client->store = store;
	if (client->agent)
		session_tell_client(session, client->agent);
	mem_free(&client->agent);
	client->bad_n = 0;
	client_set_state(client, IMAP_AUTHENTICATED, "login");
	conn_authenticated(client->conn, session_actor(session).n);
	conn_set_timeout(client->conn, 1000 * (int64_t)setting_get(client->site,
	    SETTING_IMAP_AUTOLOGOUT_S));
	log_info("login", "user=%s peer=%s session=%s", LOG_Q(session_actor_name(session)),
	    conn_peer(client->conn), session_id(session));
}

void client_unselect(struct client *client, const char *why)
{
	if (!client->selected)
		return;
	sync_free(&client->selected);
	session_tell_open(client->session, NULL);
	client_set_state(client, IMAP_AUTHENTICATED, why);
}

static void *client_open(struct conn *conn, void *door_arg)
{
	struct client *client = mem_alloc(sizeof *client);

	client->conn = conn;
	client->conn_id = conn_id(conn);
	client->server = conn_server(conn);
	client->site = door_arg;
	client->state = IMAP_NOT_AUTHENTICATED;
	client->parse_limits = (struct parse_limits){
	    .nesting_max = setting_get(client->site, SETTING_IMAP_NESTING_MAX),
	    .list_max = setting_get(client->site, SETTING_IMAP_LIST_MAX),
	    .keyword_max = setting_get(client->site, SETTING_IMAP_KEYWORD_MAX),
	};
	return client;
}

static void client_close(struct conn *conn, void *state, enum conn_end end)
{
	struct client *client = state;

	dispatch_drop(client);
	ask_end(&client->ask);
	reap_free(&client->reap);
	mem_free(&client->agent);
	if (client->session)
		log_info("logout", "user=%s peer=%s why=%s",
		    LOG_Q(session_actor_name(client->session)), conn_peer(conn), conn_end_name(end));
	if (client->session && end == CONN_END_SILENT)
		session_tell_reaped(client->session);
	notify_free(client);
	sync_free(&client->selected);
	if (client->store)
		store_close(&client->store);
	if (client->session)
		session_release(&client->session);
	str_buf_fini(&client->command);
	free(client);
}

/* False: the connection holds until it is known what there is to offer. */
static bool greet(struct client *client)
{
	struct str_buf *out = conn_out(client->conn);

	if (!ask_able_is_known(client->conn, &client->ask))
		return false;
	client->is_greeted = true;
	str_buf_puts(out, "* OK [CAPABILITY ");
	reply_put_capabilities(out, client);
	str_buf_puts(out, "] postern is ready\r\n");
	return true;
}

/* What may happen to a client beside input; true: the connection ends. */
static bool is_over(struct client *client, unsigned events)
{
	if (events & CONN_STOPPING)
		client_bye(client, "UNAVAILABLE", "The server stops");
	else if (client->session && session_is_ended(client->session))
		client_bye(client, NULL, "The session was ended by an administrator");
	else if (events & CONN_TIMEOUT)
		client_bye(client, NULL, "Nothing was said for too long");
	return client->closing;
}

/* One command, or its next step; false: the connection waits, *next_r says for what. */
static bool go_on(struct client *client, enum conn_next *next_r)
{
	enum imap_next next;

	if (client->changing_stream)
		next = IMAP_WAIT;
	else if (notify_is_telling(client))
		next = notify_go_on(client);
	else if (client->req)
		next = dispatch_step(client);
	else if (read_command(client) == READ_READY && !client->closing)
		next = dispatch_start(client);
	else
		next = notify_look(client, false);
	*next_r = next == IMAP_YIELD ? CONN_YIELD : next == IMAP_HOLD ? CONN_HOLD : CONN_WAIT;
	return next == IMAP_DONE;
}

static enum conn_next client_run(struct conn *conn, void *state, unsigned events)
{
	struct client *client = state;
	enum conn_next next = CONN_WAIT;

	client->woken = client->woken || (events & CONN_WOKEN);
	if (events & (CONN_TLS_UP | CONN_COMPRESSED))
		client->changing_stream = false;
	if (is_over(client, events))
		return CONN_CLOSE;
	if (!client->is_greeted && !greet(client))
		return CONN_HOLD;
	/* A wake in the middle of a stream is not the drain that it waits for. */
	if ((client->req || notify_is_telling(client)) && conn_should_yield(conn))
		return CONN_YIELD;
	for (int n = 0; go_on(client, &next) && !client->closing; n++)
		if (n == COMMANDS_PER_TURN || conn_should_yield(conn))
			return CONN_YIELD;
	return client->closing ? CONN_CLOSE : next;
}

const struct net_door client_door = {
	.name = "IMAP4",
	.alpn = "imap",
	.open = client_open,
	.run = client_run,
	.close = client_close,
};

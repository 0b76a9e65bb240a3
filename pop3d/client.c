/*
 * pop3d/client.c - the door: lines in, commands, answers out, and how it all ends.
 */
#include "pop3d/client.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "pop3d/cmd.h"
#include "pop3d/err_map.h"

#include <stdlib.h>
#include <string.h>

/* Callers' formats are checked, and a unit test compares each row's languages; clang loses sight of one behind its code. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void pop3_reply(struct pop3_client *client, const char *fmt, ...)
{
	struct str_buf *out = conn_out(client->conn);
	size_t at = pop3_words_at(fmt);
	va_list ap;

	str_buf_put(out, fmt, at);
	va_start(ap, fmt);
	str_buf_vprintf(out, pop3_words(client->language, fmt + at), ap);
	va_end(ap);
	str_buf_puts(out, "\r\n");
}
#pragma GCC diagnostic pop

void pop3_refuse(struct pop3_client *client, const char *words)
{
	size_t code_n = pop3_code_size(words);

	pop3_reply(client, "-ERR %.*s%s", (int)code_n, words, pop3_words(client->language, words + code_n));
}

void pop3_reply_err(struct pop3_client *client, const char *what, const struct err *e)
{
	log_warn("command-failed", "what=%s user=%s peer=%s %s", what,
	    client->session ? session_actor_name(client->session) : "-", conn_peer(client->conn),
	    log_err(e));
	pop3_refuse(client, pop3_err_words(e->code));
}

bool pop3_plaintext_allowed(const struct pop3_client *client)
{
	return auth_plaintext_allowed(
	    client->site, conn_peer(client->conn), conn_is_tls(client->conn));
}

bool pop3_starttls_offered(const struct pop3_client *client)
{
	return conn_tls_available(client->conn) && !conn_is_tls(client->conn);
}

struct maildrop_message *pop3_message(struct pop3_client *client, struct str_view number)
{
	struct maildrop *drop = &client->maildrop;
	uint64_t n;

	if (!str_number(number, UINT32_MAX, &n) || n == 0 || n > drop->n) {
		pop3_reply(client, "-ERR no such message, there are %zu", drop->n);
		return NULL;
	}
	if (drop->messages[n - 1].deleted) {
		pop3_reply(client, "-ERR message %u is deleted", (unsigned)n);
		return NULL;
	}
	return &drop->messages[n - 1];
}

/* --- the door's callbacks ------------------------------------------------------------------ */

static void *client_open(struct conn *conn, void *door_arg)
{
	struct pop3_client *client = mem_alloc(sizeof(*client));

	client->conn = conn;
	client->site = door_arg;
	client->state = POP3_AUTHORIZATION;
	return client;
}

static void client_close(struct conn *conn, void *state, enum conn_end end)
{
	struct pop3_client *client = state;

	if (client->session)
		log_info("session-end", "user=%s peer=%s why=%s", session_actor_name(client->session),
		    conn_peer(conn), conn_end_name(end));
	if (client->session && end == CONN_END_SILENT)
		session_tell_reaped(client->session);
	pop3_stream_fini(&client->stream);
	maildrop_fini(&client->maildrop);
	if (client->store)
		store_close(&client->store);
	if (client->session)
		session_release(&client->session);
	ask_end(&client->ask);
	reap_free(&client->reap);
	mem_free(&client->user);
	free(client);
}

/* One line that counts as the peer's word: an answer to AUTH's challenge, or a command. */
static enum pop3_next line_came(struct pop3_client *client, struct str_view line)
{
	if (client->session)
		session_touch(client->session);
	return client->is_asked ? pop3_auth_line(client, line) : pop3_dispatch(client, line);
}

/* An answer to AUTH may be as long as its mechanism makes it, whatever a command may be (RFC 5034 4).
 * Its first word should fit a command's line, but clients put a token there as well. */
static uint32_t line_max(const struct pop3_client *client)
{
	uint32_t command_max = setting_get(client->site, SETTING_POP_COMMAND_MAX);
	uint32_t auth_max = setting_get(client->site, SETTING_POP_AUTH_LINE_MAX);
	bool is_auth = client->is_asked || (client->state == POP3_AUTHORIZATION &&
					   str_begins_nocase(conn_input(client->conn), SV("AUTH ")));

	return is_auth && auth_max > command_max ? auth_max : command_max;
}

static enum pop3_next line_too_long(struct pop3_client *client)
{
	uint32_t most = line_max(client);

	client->skipping = true;
	client->is_asked = false;
	ask_end(&client->ask);
	pop3_reply(client, "-ERR a line has at most %u octets", most);
	return ++client->bad > setting_get(client->site, SETTING_POP_BAD_COMMANDS_MAX) ? POP3_QUIT
										       : POP3_DONE;
}

/* The next thing to do; false: there is nothing until more comes. */
static bool next_line(struct pop3_client *client, enum pop3_next *next_r)
{
	struct str_view line;

	if (client->skipping && !conn_skip_line(client->conn))
		return false;
	client->skipping = false;
	switch (conn_line(client->conn, line_max(client), &line)) {
	case CONN_LINE:
		*next_r = line_came(client, line);
		return true;
	case CONN_LINE_TOO_LONG:
		*next_r = line_too_long(client);
		return true;
	case CONN_LINE_PART:
		break;
	}
	return false;
}

/* Goes on with what is under way, then with lines, until there is nothing to do or the peer has to
 * take something first (RFC 2449 6.6: pipelined commands are answered in order). */
static enum conn_next work(struct pop3_client *client)
{
	enum pop3_next next = POP3_DONE;

	if (client->step)
		next = client->step(client);
	while (next == POP3_DONE) {
		client->step = NULL;
		if (conn_should_yield(client->conn))
			return CONN_YIELD;
		if (client->stls_begun) /* nothing that came before the handshake counts */
			return CONN_WAIT;
		if (!next_line(client, &next))
			return CONN_WAIT;
	}
	return next == POP3_YIELD ? CONN_YIELD : next == POP3_HOLD ? CONN_HOLD : CONN_CLOSE;
}

/* What CAPA offers then is known.  False: not yet, the connection holds. */
static bool greet(struct pop3_client *client)
{
	if (!ask_able_is_known(client->conn, &client->ask))
		return false;
	client->is_greeted = true;
	pop3_reply(client, "+OK %s POP3 server ready", site_host_name(client->site));
	return true;
}

static enum conn_next client_run(struct conn *conn, void *state, unsigned events)
{
	struct pop3_client *client = state;

	if (events & CONN_TLS_UP) {
		/* What was said before was said to whoever listened (RFC 2595 4). */
		client->stls_begun = false;
		mem_free(&client->user);
		client->utf8 = false;
		client->language = POP3_I_DEFAULT;
		client->bad = 0;
	}
	if (events & CONN_STOPPING) {
		bool ended = client->session && session_is_ended(client->session);

		if (!client->step || client->ask) /* within a message there is no place for words */
			pop3_refuse(client, ended ? "[SYS/TEMP] session ended by an administrator"
						  : "[SYS/TEMP] the server stops");
		return CONN_CLOSE;
	}
	if (events & CONN_TIMEOUT) {
		/* Without a word, and without removing anything (RFC 1939 3). */
		log_info("timeout", "peer=%s", conn_peer(conn));
		return CONN_CLOSE;
	}
	if (!client->is_greeted && !greet(client))
		return CONN_HOLD;
	return work(client);
}

const struct net_door pop3_door = {
    .name = "pop3",
    .alpn = "pop3",
    .open = client_open,
    .run = client_run,
    .close = client_close,
};

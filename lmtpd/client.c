/*
 * lmtpd/client.c - the door: lines in, commands, answers out, and how it all ends.
 */
#include "lmtpd/client.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "lmtpd/cmd.h"

#include <stdlib.h>

void lmtp_reply(struct lmtp_client *client, unsigned code, const char *enhanced, const char *fmt, ...)
{
	struct str_buf *out = conn_out(client->conn);
	va_list ap;

	str_buf_printf(out, "%u %s%s", code, enhanced ? enhanced : "", enhanced ? " " : "");
	va_start(ap, fmt);
	str_buf_vprintf(out, fmt, ap);
	va_end(ap);
	str_buf_puts(out, "\r\n");
}

enum lmtp_next lmtp_bad(struct lmtp_client *client, unsigned code, const char *enhanced,
    const char *words)
{
	lmtp_reply(client, code, enhanced, "%s", words);
	if (++client->bad <= setting_get(client->site, SETTING_LMTP_BAD_COMMANDS_MAX))
		return LMTP_DONE;
	lmtp_reply(client, 421, "4.7.0", "too many such commands");
	return LMTP_QUIT;
}

enum lmtp_next lmtp_out_of_place(struct lmtp_client *client, const char *words)
{
	lmtp_reply(client, 503, "5.5.1", "%s", words);
	return LMTP_DONE;
}

void lmtp_reset(struct lmtp_client *client)
{
	transaction_end(&client->mail);
	client->discarded = 0;
	client->chunk.size = 0;
	client->chunk.is_refused = false;
	if (client->state != LMTP_FRESH)
		client->state = LMTP_IDLE;
}

bool lmtp_starttls_offered(const struct lmtp_client *client)
{
	return conn_tls_available(client->conn) && !conn_is_tls(client->conn) && !client->is_known;
}

/* A client that reads while it sends hears what is wrong, as behind the last octet; others lose the connection. */
bool lmtp_discard(struct lmtp_client *client, size_t n)
{
	const struct transaction *mail = &client->mail;

	client->discarded += n;
	if (client->discarded <= setting_get(client->site, SETTING_LMTP_DISCARD_MAX))
		return true;
	log_info("discarded-enough", "id=%s peer=%s octets=%llu", mail->id, conn_peer(client->conn),
	    (unsigned long long)client->discarded);
	for (size_t i = 0; mail->refusal.code != ERR_NONE && i < mail->recipients_n; i++) {
		struct lmtp_answer answer = transaction_answer(mail, mail->refusal.code);

		lmtp_reply(client, answer.code, answer.enhanced, "%s", answer.words);
	}
	lmtp_reply(client, 421, "4.7.0", "too much of a message that is refused");
	return false;
}

/* One recipient a call: each is a commit, and others run between them. */
static enum lmtp_next deliver_step(struct lmtp_client *client)
{
	struct transaction *mail = &client->mail;
	struct lmtp_answer answer;
	bool delivered;

	if (mail->next == mail->recipients_n) {
		lmtp_reset(client);
		return LMTP_DONE;
	}
	delivered = transaction_deliver_next(mail, &answer);
	lmtp_reply(client, answer.code, answer.enhanced, delivered ? "%s %s" : "%s", answer.words, mail->id);
	client->step = deliver_step;
	return mail->next < mail->recipients_n ? LMTP_YIELD : deliver_step(client);
}

enum lmtp_next lmtp_deliver(struct lmtp_client *client)
{
	transaction_close(&client->mail);
	return deliver_step(client);
}

/* --- the door's callbacks ------------------------------------------------------------------ */

static void *client_open(struct conn *conn, void *door_arg)
{
	struct lmtp_client *client = mem_alloc(sizeof(*client));

	client->conn = conn;
	client->site = door_arg;
	client->state = LMTP_FRESH;
	return client;
}

static void client_close(struct conn *conn, void *state, enum conn_end end)
{
	struct lmtp_client *client = state;

	if (client->state > LMTP_IDLE)
		log_info("transaction-lost", "id=%s peer=%s why=%s", client->mail.id, conn_peer(conn),
		    conn_end_name(end));
	transaction_end(&client->mail);
	mem_free(&client->helo);
	free(client);
}

static enum lmtp_next line_too_long(struct lmtp_client *client)
{
	client->skipping = true;
	return lmtp_bad(client, 500, "5.5.2", "the line is too long");
}

/* The next thing to do; false: there is nothing until more comes. */
static bool next_line(struct lmtp_client *client, enum lmtp_next *next_r)
{
	struct str_view line;

	if (client->skipping && !conn_skip_line(client->conn))
		return false;
	client->skipping = false;
	switch (conn_line(client->conn, setting_get(client->site, SETTING_LMTP_COMMAND_MAX), &line)) {
	case CONN_LINE:
		*next_r = lmtp_dispatch(client, line);
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
 * take something first (RFC 2920 3: pipelined commands are answered in order). */
static enum conn_next work(struct lmtp_client *client)
{
	enum lmtp_next next = LMTP_DONE;

	if (client->step)
		next = client->step(client);
	while (next == LMTP_DONE) {
		client->step = NULL;
		if (conn_should_yield(client->conn))
			return CONN_YIELD;
		if (client->tls_begun) /* nothing that came before the handshake counts */
			return CONN_WAIT;
		if (!next_line(client, &next))
			return CONN_WAIT;
	}
	return next == LMTP_WAIT ? CONN_WAIT : next == LMTP_YIELD ? CONN_YIELD : CONN_CLOSE;
}

/* RFC 3207 4.2: what was said before was said to whoever listened. */
static void begin_anew(struct lmtp_client *client)
{
	client->tls_begun = false;
	mem_free(&client->helo);
	lmtp_reset(client);
	client->state = LMTP_FRESH;
}

static enum conn_next client_run(struct conn *conn, void *state, unsigned events)
{
	struct lmtp_client *client = state;

	if (events & CONN_OPENED) {
		lmtp_reply(client, 220, NULL, "%s LMTP postern ready", site_host_name(client->site));
		conn_set_timeout(conn, (int64_t)setting_get(client->site, SETTING_LMTP_TIMEOUT) * 1000);
	}
	if (events & CONN_TLS_UP)
		begin_anew(client);
	if (events & CONN_STOPPING) {
		lmtp_reply(client, 421, "4.3.2", "%s stops", site_host_name(client->site));
		return CONN_CLOSE;
	}
	if (events & CONN_TIMEOUT) {
		log_info("timeout", "peer=%s", conn_peer(conn));
		lmtp_reply(client, 421, "4.4.2", "%s heard nothing for too long",
		    site_host_name(client->site));
		return CONN_CLOSE;
	}
	return work(client);
}

const struct net_door lmtp_door = {
    .name = "lmtp",
    .alpn = "lmtp", /* not registered: so that who speaks another protocol is refused */
    .open = client_open,
    .run = client_run,
    .close = client_close,
};

/* pop3d/cmd_retr.c - RETR (RFC 1939 5) and the stream of a message, which TOP shares. */
#include "pop3d/cmd.h"
#include "base/log.h"

static enum pop3_next step(struct pop3_client *client)
{
	bool more = true;
	struct err e;

	while (more && !conn_should_yield(client->conn)) {
		if (pop3_stream_slice(&client->stream, client->store, conn_out(client->conn), &more, &e) == 0)
			continue;
		/* Half a message is out: only the missing end can tell the peer. */
		log_error("message-cut-short", "user=%s peer=%s %s",
		    session_actor_name(client->session), conn_peer(client->conn), log_err(&e));
		return POP3_QUIT;
	}
	return more ? POP3_YIELD : POP3_DONE;
}

enum pop3_next pop3_send_message(struct pop3_client *client, struct maildrop_message *message,
    uint64_t lines)
{
	struct str_buf *out = conn_out(client->conn);
	size_t before = out->n;
	bool more;
	struct err e;

	if (message->is_utf8 && client->maildrop.utf8 == MAILDROP_UTF8_REFUSED) {
		pop3_refuse(client,
		    "[UTF8] the message has UTF-8 in its header; say UTF8 before the login");
		return POP3_DONE;
	}
	pop3_reply(client, "+OK %llu octets", (unsigned long long)message->size);
	if (pop3_stream_begin(&client->stream, client->store, message, lines, &e) < 0 ||
	    pop3_stream_slice(&client->stream, client->store, out, &more, &e) < 0) {
		out->n = before; /* the answer is another one */
		pop3_reply_err(client, "retr", &e);
		return POP3_DONE;
	}
	message->retrieved |= lines == UINT64_MAX;
	client->step = step;
	return more ? step(client) : POP3_DONE;
}

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct maildrop_message *message = pop3_message(client, args[0]);

	(void)n;
	return message ? pop3_send_message(client, message, UINT64_MAX) : POP3_DONE;
}

const struct pop3_cmd pop3_cmd_retr = {
    .name = "RETR",
    .rfc = "RFC 1939 5",
    .states = POP3_TRANSACTION,
    .args_min = 1,
    .args_max = 1,
    .usage = "number",
    .run = run,
};

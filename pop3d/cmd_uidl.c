/*
 * pop3d/cmd_uidl.c - UIDL (RFC 1939 7): names that last.  They name the mailbox and the content, neither
 * of which is ever given again; so a message keeps its name wherever it was meanwhile, and copies of one
 * share it, as RFC 1939 expects of equal messages.
 */
#include "pop3d/cmd.h"

#include <inttypes.h>

static void put_id(struct str_buf *out, const struct maildrop *drop,
    const struct maildrop_message *message)
{
	str_buf_put_number(out, (size_t)(message - drop->messages) + 1);
	str_buf_putc(out, ' ');
	str_buf_printf(out, "%016" PRIx64 ".", drop->mailbox.n);
	str_buf_put_number(out, message->content);
	str_buf_puts(out, "\r\n");
}

static enum pop3_next step(struct pop3_client *client)
{
	const struct maildrop *drop = &client->maildrop;

	while (client->list_at < drop->n && !conn_should_yield(client->conn)) {
		const struct maildrop_message *message = &drop->messages[client->list_at++];

		if (!message->deleted)
			put_id(conn_out(client->conn), drop, message);
	}
	if (client->list_at < drop->n)
		return POP3_YIELD;
	pop3_reply(client, ".");
	return POP3_DONE;
}

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	const struct maildrop_message *message;

	if (n == 1) {
		message = pop3_message(client, args[0]);
		if (message) {
			str_buf_puts(conn_out(client->conn), "+OK ");
			put_id(conn_out(client->conn), &client->maildrop, message);
		}
		return POP3_DONE;
	}
	pop3_reply(client, "+OK unique ids follow");
	client->list_at = 0;
	client->step = step;
	return step(client);
}

const struct pop3_cmd pop3_cmd_uidl = {
    .name = "UIDL",
    .rfc = "RFC 1939 7",
    .states = POP3_TRANSACTION,
    .args_max = 1,
    .usage = "[number]",
    .capability = "UIDL",
    .run = run,
};

/* pop3d/cmd_list.c - LIST (RFC 1939 5): sizes, of one message or of all. */
#include "pop3d/cmd.h"

static enum pop3_next step(struct pop3_client *client)
{
	const struct maildrop *drop = &client->maildrop;
	struct str_buf *out = conn_out(client->conn);

	while (client->list_at < drop->n && !conn_should_yield(client->conn)) {
		const struct maildrop_message *message = &drop->messages[client->list_at++];

		if (message->deleted)
			continue;
		str_buf_put_number(out, client->list_at);
		str_buf_putc(out, ' ');
		str_buf_put_number(out, message->size);
		str_buf_puts(out, "\r\n");
	}
	if (client->list_at < drop->n)
		return POP3_YIELD;
	pop3_reply(client, ".");
	return POP3_DONE;
}

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	const struct maildrop *drop = &client->maildrop;
	const struct maildrop_message *message;

	if (n == 1) {
		message = pop3_message(client, args[0]);
		if (message)
			pop3_reply(client, "+OK %zu %llu", (size_t)(message - drop->messages) + 1,
			    (unsigned long long)message->size);
		return POP3_DONE;
	}
	pop3_reply(client, "+OK %zu messages, %llu octets", drop->left_n,
	    (unsigned long long)drop->left_octets);
	client->list_at = 0;
	client->step = step;
	return step(client);
}

const struct pop3_cmd pop3_cmd_list = {
    .name = "LIST",
    .rfc = "RFC 1939 5",
    .states = POP3_TRANSACTION,
    .args_max = 1,
    .usage = "[number]",
    .run = run,
};

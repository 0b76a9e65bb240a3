/* lmtpd/cmd_data.c - DATA (RFC 5321 4.1.1.4, RFC 2033 4.2). */
#include "lmtpd/cmd.h"

static enum lmtp_next text_step(struct lmtp_client *client)
{
	struct str_view octets = conn_input(client->conn);
	struct str_buf text = {0};
	bool is_end;
	size_t n;

	client->step = text_step;
	if (octets.n == 0)
		return LMTP_WAIT;
	is_end = unstuff_feed(&client->unstuff, octets, &n, &text);
	transaction_put(&client->mail, text.p ? text.p : "", text.n);
	str_buf_fini(&text);
	conn_take(client->conn, n);
	if (client->mail.refusal.code != ERR_NONE && !lmtp_discard(client, n))
		return LMTP_QUIT;
	return is_end ? lmtp_deliver(client) : LMTP_WAIT;
}

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	(void)args;
	if (client->mail.recipients_n == 0)
		return lmtp_out_of_place(client, "no recipient was accepted");
	lmtp_reply(client, 354, NULL, "send it, and a line of one dot");
	client->unstuff = (struct unstuff){0};
	return text_step(client);
}

const struct lmtp_cmd lmtp_cmd_data = {
    .name = "DATA",
    .rfc = "RFC 5321 4.1.1.4",
    .states = LMTP_SENDER,
    .run = run,
};

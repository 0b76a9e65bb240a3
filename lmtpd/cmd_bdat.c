/*
 * lmtpd/cmd_bdat.c - BDAT (RFC 3030 2): a chunk of the message, by its size.  The octets of a chunk are taken
 * whatever is wrong with it, since they are on their way already; and behind one that was refused, all are.
 */
#include "lmtpd/cmd.h"

#include <inttypes.h>

static enum lmtp_next chunk_done(struct lmtp_client *client)
{
	struct transaction *mail = &client->mail;
	struct lmtp_answer answer;

	if (client->state < LMTP_SENDER)
		return lmtp_out_of_place(client, "say MAIL first");
	if (mail->recipients_n == 0)
		return lmtp_out_of_place(client, "no recipient was accepted");
	if (client->chunk.is_refused)
		return lmtp_out_of_place(client, "the message was refused; say RSET");
	client->state = LMTP_CHUNKS;
	if (client->chunk.is_last)
		return lmtp_deliver(client);
	if (mail->refusal.code != ERR_NONE) {
		client->chunk.is_refused = true;
		answer = transaction_answer(mail, mail->refusal.code);
		lmtp_reply(client, answer.code, answer.enhanced, "%s", answer.words);
	} else {
		lmtp_reply(client, 250, "2.0.0", "%" PRIu64 " octets", client->chunk.size);
	}
	return LMTP_DONE;
}

static bool is_wanted(const struct lmtp_client *client)
{
	return client->mail.recipients_n && !client->chunk.is_refused && client->mail.refusal.code == ERR_NONE;
}

static enum lmtp_next chunk_step(struct lmtp_client *client)
{
	client->step = chunk_step;
	while (client->chunk.left) {
		struct str_view octets = conn_input(client->conn);

		if (octets.n == 0)
			return LMTP_WAIT;
		if (octets.n > client->chunk.left)
			octets.n = (size_t)client->chunk.left;
		if (is_wanted(client))
			transaction_put(&client->mail, octets.p, octets.n);
		conn_take(client->conn, octets.n);
		client->chunk.left -= octets.n;
		if (!is_wanted(client) && !lmtp_discard(client, octets.n))
			return LMTP_QUIT;
	}
	client->step = NULL;
	return chunk_done(client);
}

/* Without a size nobody knows where the next command begins. */
static enum lmtp_next give_up(struct lmtp_client *client)
{
	lmtp_bad_usage(client, &lmtp_cmd_bdat);
	return LMTP_QUIT;
}

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	struct str_view size = str_word(&args), last = str_word(&args);
	uint64_t n;

	if (!str_number(size, UINT64_MAX, &n) || str_trim(args).n)
		return give_up(client);
	if (last.n && !str_equal_nocase(last, SV("LAST")))
		return give_up(client);
	client->chunk.left = client->chunk.size = n;
	client->chunk.is_last = last.n != 0;
	return chunk_step(client);
}

const struct lmtp_cmd lmtp_cmd_bdat = {
    .name = "BDAT",
    .rfc = "RFC 3030 2",
    .states = LMTP_ANY,
    .usage = "size [LAST]",
    .capability = "CHUNKING",
    .run = run,
};

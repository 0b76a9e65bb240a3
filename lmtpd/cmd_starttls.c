/* lmtpd/cmd_starttls.c - STARTTLS (RFC 3207): TLS on this connection, outside of a transaction. */
#include "lmtpd/cmd.h"

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	(void)args;
	lmtp_reply(client, 220, "2.0.0", "begin TLS");
	conn_starttls(client->conn);
	client->tls_begun = true;
	return LMTP_DONE;
}

const struct lmtp_cmd lmtp_cmd_starttls = {
    .name = "STARTTLS",
    .rfc = "RFC 3207",
    .states = LMTP_FRESH | LMTP_IDLE,
    .capability = "STARTTLS",
    .offered = lmtp_starttls_offered,
    .run = run,
};

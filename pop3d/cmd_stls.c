/* pop3d/cmd_stls.c - STLS (RFC 2595 4): TLS on this connection, before the login. */
#include "pop3d/cmd.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	(void)args, (void)n;
	pop3_reply(client, "+OK begin TLS");
	conn_starttls(client->conn);
	client->stls_begun = true;
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_stls = {
    .name = "STLS",
    .rfc = "RFC 2595 4",
    .states = POP3_AUTHORIZATION,
    .usage = "",
    .capability = "STLS",
    .offered = pop3_starttls_offered,
    .run = run,
};

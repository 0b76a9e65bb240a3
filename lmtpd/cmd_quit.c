/* lmtpd/cmd_quit.c - QUIT (RFC 5321 4.1.1.10). */
#include "lmtpd/cmd.h"

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	(void)args;
	lmtp_reset(client); /* a transaction that is not whole goes, as it would at the connection's end */
	lmtp_reply(client, 221, "2.0.0", "%s says goodbye", site_host_name(client->site));
	return LMTP_QUIT;
}

const struct lmtp_cmd lmtp_cmd_quit = {
    .name = "QUIT",
    .rfc = "RFC 5321 4.1.1.10",
    .states = LMTP_ANY,
    .run = run,
};

/* lmtpd/cmd_rset.c - RSET (RFC 5321 4.1.1.5). */
#include "lmtpd/cmd.h"

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	(void)args;
	lmtp_reset(client);
	lmtp_reply(client, 250, "2.0.0", "nothing is under way");
	return LMTP_DONE;
}

const struct lmtp_cmd lmtp_cmd_rset = {
    .name = "RSET",
    .rfc = "RFC 5321 4.1.1.5",
    .states = LMTP_ANY,
    .run = run,
};

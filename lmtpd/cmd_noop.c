/* lmtpd/cmd_noop.c - NOOP (RFC 5321 4.1.1.9): what stands behind it is ignored. */
#include "lmtpd/cmd.h"

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	(void)args;
	lmtp_reply(client, 250, "2.0.0", "here");
	return LMTP_DONE;
}

const struct lmtp_cmd lmtp_cmd_noop = {
    .name = "NOOP",
    .rfc = "RFC 5321 4.1.1.9",
    .states = LMTP_ANY,
    .usage = "[text]",
    .run = run,
};

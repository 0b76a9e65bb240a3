/* lmtpd/cmd_vrfy.c - VRFY (RFC 5321 3.5.3, 7.3): RCPT is who knows; names are not told one by one. */
#include "lmtpd/cmd.h"

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	if (args.n == 0)
		return lmtp_bad_usage(client, &lmtp_cmd_vrfy);
	lmtp_reply(client, 252, "2.1.5", "RCPT will tell");
	return LMTP_DONE;
}

const struct lmtp_cmd lmtp_cmd_vrfy = {
    .name = "VRFY",
    .rfc = "RFC 5321 4.1.1.6",
    .states = LMTP_ANY & ~LMTP_FRESH,
    .usage = "name",
    .run = run,
};

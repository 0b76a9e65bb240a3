/* pop3d/cmd_noop.c - NOOP (RFC 1939 5). */
#include "pop3d/cmd.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	(void)args, (void)n;
	pop3_reply(client, "+OK");
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_noop = {
    .name = "NOOP",
    .rfc = "RFC 1939 5",
    .states = POP3_TRANSACTION,
    .usage = "",
    .run = run,
};

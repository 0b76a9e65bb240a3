/* pop3d/cmd_stat.c - STAT (RFC 1939 5): messages and octets, without the deleted ones. */
#include "pop3d/cmd.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	(void)args, (void)n;
	pop3_reply(client, "+OK %zu %llu", client->maildrop.left_n,
	    (unsigned long long)client->maildrop.left_octets);
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_stat = {
    .name = "STAT",
    .rfc = "RFC 1939 5",
    .states = POP3_TRANSACTION,
    .usage = "",
    .run = run,
};

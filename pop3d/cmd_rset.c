/* pop3d/cmd_rset.c - RSET (RFC 1939 5): takes the marks of DELE away. */
#include "pop3d/cmd.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct maildrop *drop = &client->maildrop;

	(void)args, (void)n;
	maildrop_undelete_all(drop);
	pop3_reply(client, "+OK %zu messages, %llu octets", drop->left_n,
	    (unsigned long long)drop->left_octets);
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_rset = {
    .name = "RSET",
    .rfc = "RFC 1939 5",
    .states = POP3_TRANSACTION,
    .usage = "",
    .run = run,
};

/* pop3d/cmd_dele.c - DELE (RFC 1939 5): a mark, which takes effect at QUIT. */
#include "pop3d/cmd.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct maildrop_message *message = pop3_message(client, args[0]);

	(void)n;
	if (!message)
		return POP3_DONE;
	maildrop_delete(&client->maildrop, message);
	pop3_reply(client, "+OK deleted at QUIT");
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_dele = {
    .name = "DELE",
    .rfc = "RFC 1939 5",
    .states = POP3_TRANSACTION,
    .args_min = 1,
    .args_max = 1,
    .usage = "number",
    .run = run,
};

/* pop3d/cmd_top.c - TOP (RFC 1939 7): the header and the first lines of the body. */
#include "pop3d/cmd.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct maildrop_message *message;
	uint64_t lines;

	(void)n;
	if (!str_number(args[1], UINT32_MAX, &lines)) {
		pop3_reply(client, "-ERR say TOP number lines");
		return POP3_DONE;
	}
	message = pop3_message(client, args[0]);
	return message ? pop3_send_message(client, message, lines) : POP3_DONE;
}

const struct pop3_cmd pop3_cmd_top = {
    .name = "TOP",
    .rfc = "RFC 1939 7",
    .states = POP3_TRANSACTION,
    .args_min = 2,
    .args_max = 2,
    .usage = "number lines",
    .capability = "TOP",
    .run = run,
};

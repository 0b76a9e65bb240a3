/*
 * pop3d/cmd_utf8.c - UTF8 (RFC 6856 2): the client takes messages with UTF-8 in their headers as they
 * are.  USER in the capability: names and passwords may be UTF-8, with or without this command.
 */
#include "pop3d/cmd.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	(void)args, (void)n;
	client->utf8 = true;
	pop3_reply(client, "+OK UTF-8 from now on");
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_utf8 = {
    .name = "UTF8",
    .rfc = "RFC 6856 2",
    .states = POP3_AUTHORIZATION,
    .usage = "",
    .capability = "UTF8 USER",
    .run = run,
};

/*
 * pop3d/cmd_user.c - USER (RFC 1939 7).  Every name is welcome here: whether there is such a user is
 * told with the password only, and then not apart from a wrong one.
 */
#include "pop3d/cmd.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct str_view name = str_trim(args[0]);

	(void)n;
	mem_free(&client->user);
	client->user = mem_alloc(name.n + 1);
	memcpy(client->user, name.p, name.n);
	pop3_reply(client, "+OK now the password");
	return POP3_DONE;
}

static bool offered(const struct pop3_client *client)
{
	return pop3_plaintext_allowed(client);
}

const struct pop3_cmd pop3_cmd_user = {
    .name = "USER",
    .rfc = "RFC 1939 7",
    .states = POP3_AUTHORIZATION,
    .flags = POP3_REST_IS_ONE | POP3_PLAINTEXT,
    .args_min = 1,
    .args_max = 1,
    .usage = "name",
    .capability = "USER",
    .offered = offered,
    .run = run,
};

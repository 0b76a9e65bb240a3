/* pop3d/cmd_pass.c - PASS (RFC 1939 7): the login. The password is the rest of the line, blanks too. */
#include "pop3d/cmd.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct sasl_conn peer;
	char *password;

	(void)n;
	if (!client->user) {
		pop3_reply(client, "-ERR say USER first");
		return POP3_DONE;
	}
	password = mem_strn(args[0].p, args[0].n);
	pop3_login_peer(client, &peer);
	client->ask = ask_password(client->conn, &peer.peer, client->user, password);
	explicit_bzero(password, args[0].n);
	free(password);
	/* After PASS, right or wrong, it begins with USER again (RFC 1939 7). */
	mem_free(&client->user);
	client->step = pop3_login_settle;
	return pop3_login_settle(client);
}

const struct pop3_cmd pop3_cmd_pass = {
    .name = "PASS",
    .rfc = "RFC 1939 7",
    .states = POP3_AUTHORIZATION,
    .flags = POP3_REST_IS_ONE | POP3_PLAINTEXT,
    .args_min = 1,
    .args_max = 1,
    .usage = "password",
    .run = run,
};

/* pop3d/cmd_auth.c - AUTH: SASL (RFC 5034). */
#include "pop3d/cmd.h"

/* What the mechanism says, to the peer; and once it is satisfied, the login. */
static enum pop3_next step(struct pop3_client *client)
{
	struct str_view challenge;

	if (ask_look(client->ask) != ASK_MORE)
		return pop3_login_settle(client);
	challenge = ask_challenge(client->ask);
	pop3_reply(client, "+ %.*s", (int)challenge.n, challenge.n ? challenge.p : "");
	client->is_asked = true;
	return POP3_DONE;
}

static enum pop3_next go_on(struct pop3_client *client)
{
	client->step = step;
	return step(client);
}

enum pop3_next pop3_auth_line(struct pop3_client *client, struct str_view line)
{
	client->is_asked = false;
	if (str_equal(line, SV("*"))) {
		ask_end(&client->ask);
		pop3_reply(client, "-ERR given up, as you wish");
		return POP3_DONE;
	}
	ask_more(client->ask, line);
	return go_on(client);
}

void pop3_put_mechanisms(const struct pop3_client *client, struct str_buf *out)
{
	struct sasl_conn peer;

	pop3_login_peer(client, &peer);
	sasl_put_mechanisms(ask_able(), &peer.peer, out);
}

/* Without an argument: the mechanisms, as old clients ask for them. */
static enum pop3_next list(struct pop3_client *client)
{
	struct str_view rest, name;
	struct str_buf names = {0};

	pop3_put_mechanisms(client, &names);
	pop3_reply(client, "+OK mechanisms follow");
	for (rest = str_buf_view(&names); (name = str_word(&rest)).n;)
		pop3_reply(client, "%.*s", (int)name.n, name.p);
	pop3_reply(client, ".");
	str_buf_fini(&names);
	return POP3_DONE;
}

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct sasl_conn peer;

	if (n == 0)
		return list(client);
	pop3_login_peer(client, &peer);
	if (!sasl_is_usable(ask_able(), &peer.peer, args[0])) {
		pop3_reply(client, pop3_plaintext_allowed(client)
				       ? "-ERR no such mechanism"
				       : "-ERR [SYS/PERM] no password in plain text here; use STLS first");
		return POP3_DONE;
	}
	client->ask = ask_sasl(client->conn, &peer.peer, args[0], n == 2 ? args[1] : str_view(NULL, 0));
	return go_on(client);
}

const struct pop3_cmd pop3_cmd_auth = {
    .name = "AUTH",
    .rfc = "RFC 5034",
    .states = POP3_AUTHORIZATION,
    .args_max = 2,
    .usage = "mechanism [initial-response]",
    .run = run,
};

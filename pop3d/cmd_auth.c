/* pop3d/cmd_auth.c - AUTH: SASL (RFC 5034). */
#include "pop3d/cmd.h"

static enum pop3_next failed(struct pop3_client *client)
{
	const struct err *why = sasl_error(client->sasl);

	if (why->code != ERR_INVALID)
		return pop3_login_failed(client, sasl_claimed(client->sasl), why);
	pop3_reply(client, "-ERR [AUTH] that is no answer of this mechanism");
	return POP3_DONE;
}

/* What the mechanism says, to the peer; and when it is satisfied, the login. */
static enum pop3_next step(struct pop3_client *client, struct str_view in_base64)
{
	struct str_buf out = {0};
	enum pop3_next next = POP3_DONE;

	switch (sasl_step(client->sasl, in_base64, &out)) {
	case SASL_MORE:
		pop3_reply(client, "+ %s", str_buf_view(&out).p);
		break;
	case SASL_DONE:
		next = pop3_admit(client, sasl_account(client->sasl)->name);
		sasl_free(&client->sasl);
		break;
	case SASL_FAILED:
		next = failed(client);
		sasl_free(&client->sasl);
		break;
	}
	str_buf_fini(&out);
	return next;
}

enum pop3_next pop3_auth_line(struct pop3_client *client, struct str_view line)
{
	if (str_equal(line, SV("*"))) {
		sasl_free(&client->sasl);
		pop3_reply(client, "-ERR given up, as you wish");
		return POP3_DONE;
	}
	return step(client, line);
}

static void peer_of(const struct pop3_client *client, struct sasl_conn *peer)
{
	sasl_conn_init(peer, client->conn, ACCOUNT_DOOR_POP3, pop3_plaintext_allowed(client));
}

void pop3_put_mechanisms(const struct pop3_client *client, struct str_buf *out)
{
	const struct account_source source = account_source(client->site);
	struct sasl_conn peer;

	peer_of(client, &peer);
	sasl_put_mechanisms(&source, &peer.peer, out);
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
	const struct account_source source = account_source(client->site);
	struct sasl_conn peer;
	struct err e;

	if (n == 0)
		return list(client);
	peer_of(client, &peer);
	if (sasl_begin(&source, &peer.peer, args[0], &client->sasl, &e) < 0) {
		pop3_reply(client, pop3_plaintext_allowed(client)
				       ? "-ERR no such mechanism"
				       : "-ERR [SYS/PERM] no password in plain text here; use STLS first");
		return POP3_DONE;
	}
	return step(client, n == 2 ? args[1] : str_view(NULL, 0));
}

const struct pop3_cmd pop3_cmd_auth = {
    .name = "AUTH",
    .rfc = "RFC 5034",
    .states = POP3_AUTHORIZATION,
    .args_max = 2,
    .usage = "mechanism [initial-response]",
    .run = run,
};

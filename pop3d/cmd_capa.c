/* pop3d/cmd_capa.c - CAPA (RFC 2449 5): the rows that have a line, and what is true of all. */
#include "pop3d/cmd.h"
#include "limits/policy.h"

static const char *const always[] = {
    "RESP-CODES",     /* RFC 2449 6.4 */
    "AUTH-RESP-CODE", /* RFC 3206 6 */
    "PIPELINING",     /* RFC 2449 6.6 */
    ("IMPLEMENTATION postern " POSTERN_VERSION),
};

/* What a policy says: before the login the one number that is true of all users, and that it may be
 * another for some of them. */
static void put_delay(struct pop3_client *client)
{
	uint32_t least = client->login_delay_s, most = least;

	if (client->state == POP3_AUTHORIZATION)
		policy_bounds(client->site, SETTING_POLICY_POP_LOGIN_DELAY, &least, &most);
	if (most)
		pop3_reply(client, "LOGIN-DELAY %u%s", most, least < most ? " USER" : "");
}

static void put_expire(struct pop3_client *client)
{
	uint32_t least = client->expire_days, most = least;

	if (client->state == POP3_AUTHORIZATION)
		policy_bounds(client->site, SETTING_POLICY_POP_EXPIRE, &least, &most);
	if (least == SETTING_NULL)
		pop3_reply(client, "EXPIRE NEVER");
	else
		pop3_reply(client, "EXPIRE %u%s", least, least < most ? " USER" : "");
}

static void put_mechanisms(struct pop3_client *client)
{
	struct str_buf mechanisms = {0};

	pop3_put_mechanisms(client, &mechanisms);
	if (mechanisms.n)
		pop3_reply(client, "SASL %s", mechanisms.p);
	str_buf_fini(&mechanisms);
}

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	(void)args, (void)n;
	pop3_reply(client, "+OK capabilities follow");
	for (const struct pop3_cmd *const *cmd = pop3_cmds; *cmd; cmd++)
		if ((*cmd)->capability && (!(*cmd)->offered || (*cmd)->offered(client)))
			pop3_reply(client, "%s", (*cmd)->capability);
	put_mechanisms(client);
	put_delay(client);
	put_expire(client);
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		pop3_reply(client, "%s", always[i]);
	pop3_reply(client, ".");
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_capa = {
    .name = "CAPA",
    .rfc = "RFC 2449 5",
    .states = POP3_AUTHORIZATION | POP3_TRANSACTION,
    .usage = "",
    .run = run,
};

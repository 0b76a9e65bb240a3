/* pop3d/cmd_capa.c - CAPA (RFC 2449 5): the rows that have a line, and what is true of all. */
#include "pop3d/cmd.h"

static const char *const always[] = {
    "RESP-CODES",     /* RFC 2449 6.4 */
    "AUTH-RESP-CODE", /* RFC 3206 6 */
    "PIPELINING",     /* RFC 2449 6.6 */
    "EXPIRE NEVER",   /* RFC 2449 6.7 */
    ("IMPLEMENTATION postern " POSTERN_VERSION),
};

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	(void)args, (void)n;
	pop3_reply(client, "+OK capabilities follow");
	for (const struct pop3_cmd *const *cmd = pop3_cmds; *cmd; cmd++)
		if ((*cmd)->capability && (!(*cmd)->offered || (*cmd)->offered(client)))
			pop3_reply(client, "%s", (*cmd)->capability);
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

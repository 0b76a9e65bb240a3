/* lmtpd/cmd_help.c - HELP (RFC 5321 4.1.1.8): the rows, and how one is used. */
#include "lmtpd/cmd.h"

#include <string.h>

static void list(struct lmtp_client *client)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, "214 2.0.0");
	for (const struct lmtp_cmd *const *cmd = lmtp_cmds; *cmd; cmd++)
		if (!(*cmd)->offered || (*cmd)->offered(client))
			str_buf_printf(out, " %s", (*cmd)->name);
	str_buf_puts(out, "\r\n");
}

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	if (args.n == 0) {
		list(client);
		return LMTP_DONE;
	}
	for (const struct lmtp_cmd *const *cmd = lmtp_cmds; *cmd; cmd++)
		if (str_equal_nocase(args, str_view((*cmd)->name, strlen((*cmd)->name)))) {
			lmtp_reply(client, 214, "2.0.0", "%s%s%s (%s)", (*cmd)->name, (*cmd)->usage ? " " : "",
			    (*cmd)->usage ? (*cmd)->usage : "", (*cmd)->rfc);
			return LMTP_DONE;
		}
	return lmtp_bad(client, 504, "5.5.4", "there is no such command");
}

const struct lmtp_cmd lmtp_cmd_help = {
    .name = "HELP",
    .rfc = "RFC 5321 4.1.1.8",
    .states = LMTP_ANY,
    .usage = "[command]",
    .run = run,
};

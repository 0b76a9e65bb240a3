/* imapd/cmd_enable.c - RFC 5161: extensions that this server can enable (none yet) are listed. */
#include "imapd/cmd.h"

static bool enable_check(struct imap_req *req)
{
	struct str_view word;

	do {
		if (!parse_atom(&req->args, &word))
			return false;
	} while (parse_try(&req->args, ' '));
	return true;
}

static enum imap_next enable_run(struct imap_req *req, struct err *e)
{
	(void)e;
	conn_puts(req->client->conn, "* ENABLED\r\n");
	return req_ok(req, NULL, "Those that were listed are enabled");
}

const struct imap_cmd imap_cmd_enable = {
	.name = "ENABLE", .rfc = "5161 3.1", .capability = "ENABLE", .states = IMAP_AUTHENTICATED,
	.args = "capability...", .check = enable_check, .run = enable_run,
};

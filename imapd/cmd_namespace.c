/* imapd/cmd_namespace.c - RFC 2342: one personal name space, without a prefix. */
#include "imapd/cmd.h"

static enum imap_next namespace_run(struct imap_req *req, struct err *e)
{
	(void)e;
	conn_puts(req->client->conn, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_namespace = {
	.name = "NAMESPACE", .rfc = "2342 5", .capability = "NAMESPACE", .states = IMAP_LOGGED_IN,
	.args = "", .run = namespace_run,
};

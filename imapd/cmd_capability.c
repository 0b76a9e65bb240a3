/* imapd/cmd_capability.c - RFC 3501 6.1.1. */
#include "imapd/cmd.h"
#include "imapd/reply.h"

static enum imap_next capability_run(struct imap_req *req, struct err *e)
{
	struct str_buf *out = conn_out(req->client->conn);

	(void)e;
	str_buf_puts(out, "* CAPABILITY ");
	reply_put_capabilities(out, req->client);
	str_buf_puts(out, "\r\n");
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_capability = {
	.name = "CAPABILITY", .rfc = "3501 6.1.1", .states = IMAP_ANY, .args = "",
	.run = capability_run,
};

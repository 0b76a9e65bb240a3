/* imapd/cmd_starttls.c - RFC 3501 6.2.1. */
#include "imapd/cmd.h"

static enum imap_next starttls_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;

	(void)e;
	if (conn_is_tls(client->conn))
		return req_bad(req, "TLS is on already");
	if (!conn_tls_available(client->conn))
		return req_bad(req, "This server has no certificate");
	/* Whatever was pipelined behind is thrown away: it could be somebody else's. */
	client->changing_stream = true;
	conn_starttls(client->conn);
	return req_ok(req, NULL, "Begin TLS now");
}

const struct imap_cmd imap_cmd_starttls = {
	.name = "STARTTLS", .rfc = "3501 6.2.1", .states = IMAP_NOT_AUTHENTICATED, .args = "",
	.run = starttls_run,
};

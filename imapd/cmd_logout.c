/* imapd/cmd_logout.c - RFC 3501 6.1.3. */
#include "imapd/cmd.h"

static enum imap_next logout_run(struct imap_req *req, struct err *e)
{
	(void)e;
	client_bye(req->client, NULL, "Until next time");
	return req_ok(req, NULL, "Logged out");
}

const struct imap_cmd imap_cmd_logout = {
	.name = "LOGOUT", .rfc = "3501 6.1.3", .states = IMAP_ANY, .flags = IMAP_NO_SYNC, .args = "",
	.run = logout_run,
};

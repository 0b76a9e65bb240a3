/* imapd/cmd_noop.c - RFC 3501 6.1.2: what changed is told at its end, by the dispatcher. */
#include "imapd/cmd.h"

static enum imap_next noop_run(struct imap_req *req, struct err *e)
{
	(void)e;
	return req_ok(req, NULL, "Done");
}

const struct imap_cmd imap_cmd_noop = {
	.name = "NOOP", .rfc = "3501 6.1.2", .states = IMAP_ANY, .flags = IMAP_SYNC_ASKS, .args = "",
	.run = noop_run,
};

/* imapd/cmd_check.c - RFC 3501 6.4.1: what is acknowledged is on the disk already. */
#include "imapd/cmd.h"

static enum imap_next check_run(struct imap_req *req, struct err *e)
{
	(void)e;
	return req_ok(req, NULL, "Everything is on the disk");
}

const struct imap_cmd imap_cmd_check = {
	.name = "CHECK", .rfc = "3501 6.4.1", .states = IMAP_SELECTED, .flags = IMAP_SYNC_ASKS,
	.args = "", .run = check_run,
};

/* imapd/cmd_unselect.c - RFC 3691: close without expunge. */
#include "imapd/cmd.h"

static enum imap_next unselect_run(struct imap_req *req, struct err *e)
{
	(void)e;
	client_unselect(req->client, "unselect");
	return req_ok(req, NULL, "The folder is closed");
}

const struct imap_cmd imap_cmd_unselect = {
	.name = "UNSELECT", .rfc = "3691 2", .capability = "UNSELECT", .states = IMAP_SELECTED,
	.flags = IMAP_NO_SYNC, .args = "", .run = unselect_run,
};

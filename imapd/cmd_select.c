/* imapd/cmd_select.c - RFC 3501 6.3.1. */
#include "imapd/select.h"

static enum imap_next select_rw_run(struct imap_req *req, struct err *e)
{
	return select_run(req, false, e);
}

const struct imap_cmd imap_cmd_select = {
	.name = "SELECT", .rfc = "3501 6.3.1", .capability = "CONDSTORE QRESYNC", .states = IMAP_LOGGED_IN, .flags = IMAP_NO_SYNC,
	.args = "mailbox [(CONDSTORE | QRESYNC (uidvalidity modseq [uids] [(numbers uids)]))]", .check = select_check, .run = select_rw_run,
};

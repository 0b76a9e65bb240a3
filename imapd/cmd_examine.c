/* imapd/cmd_examine.c - RFC 3501 6.3.2. */
#include "imapd/select.h"

static enum imap_next examine_run(struct imap_req *req, struct err *e)
{
	return select_run(req, true, e);
}

const struct imap_cmd imap_cmd_examine = {
	.name = "EXAMINE", .rfc = "3501 6.3.2", .states = IMAP_LOGGED_IN, .flags = IMAP_NO_SYNC,
	.args = "mailbox [(CONDSTORE | QRESYNC (uidvalidity modseq [uids] [(numbers uids)]))]", .check = select_check, .run = examine_run,
};

/* imapd/cmd_copy.c - RFC 3501 6.4.7. */
#include "imapd/copy.h"

static enum imap_next copy_cmd_run(struct imap_req *req, struct err *e)
{
	const char *code;
	enum imap_next next = copy_run(req, message_copy, &code, e);

	return next == IMAP_WAIT ? req_ok(req, code, "Copied") : next;
}

const struct imap_cmd imap_cmd_copy = {
	.name = "COPY", .rfc = "3501 6.4.7", .states = IMAP_SELECTED, .uid_flags = IMAP_UID,
	.args = "set mailbox", .check = copy_check, .run = copy_cmd_run,
};

/* imapd/cmd_move.c - RFC 6851.  COPYUID goes before the EXPUNGEs that the dispatcher tells (4.3). */
#include "imapd/copy.h"
#include "imapd/reply.h"

static enum imap_next move_run(struct imap_req *req, struct err *e)
{
	const char *code;
	enum imap_next next = copy_run(req, message_move, &code, e);

	if (next != IMAP_WAIT)
		return next;
	if (code)
		reply_untagged(req->client, "OK", code, "Moved");
	return req_ok(req, NULL, "Moved");
}

const struct imap_cmd imap_cmd_move = {
	.name = "MOVE", .rfc = "6851 3.1", .capability = "MOVE", .states = IMAP_SELECTED,
	.flags = IMAP_WRITES | IMAP_EXPUNGES, .uid_flags = IMAP_UID | IMAP_WRITES | IMAP_EXPUNGES,
	.args = "set mailbox",
	.check = copy_check, .run = move_run,
};

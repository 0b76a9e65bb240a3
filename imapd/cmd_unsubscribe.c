/* imapd/cmd_unsubscribe.c - RFC 3501 6.3.7.  The folder need not be there any more. */
#include "imapd/cmd.h"
#include "store/folder.h"

static bool unsubscribe_check(struct imap_req *req)
{
	return parse_mailbox(&req->args, (const char **)&req->data);
}

static enum imap_next unsubscribe_run(struct imap_req *req, struct err *e)
{
	const char *name = req->data;

	if (name && folder_subscribe(req->client->store, name, false, e) != 0)
		return IMAP_FAIL;
	return req_ok(req, NULL, "Not subscribed");
}

const struct imap_cmd imap_cmd_unsubscribe = {
	.name = "UNSUBSCRIBE", .rfc = "3501 6.3.7", .states = IMAP_LOGGED_IN, .args = "mailbox",
	.check = unsubscribe_check, .run = unsubscribe_run,
};

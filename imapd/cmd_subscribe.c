/* imapd/cmd_subscribe.c - RFC 3501 6.3.6.  The folder must be there now; it may go later. */
#include "imapd/cmd.h"
#include "store/folder.h"

static bool subscribe_check(struct imap_req *req)
{
	return parse_mailbox(&req->args, (const char **)&req->data);
}

static enum imap_next subscribe_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const char *name = req->data;
	struct folder_info info;

	if (!name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (folder_by_name(client->store, name, &client->arena, &info, e) != 0 ||
	    folder_subscribe(client->store, info.name, true, e) != 0)
		return IMAP_FAIL;
	return req_ok(req, NULL, "Subscribed");
}

const struct imap_cmd imap_cmd_subscribe = {
	.name = "SUBSCRIBE", .rfc = "3501 6.3.6", .states = IMAP_LOGGED_IN, .args = "mailbox",
	.check = subscribe_check, .run = subscribe_run,
};

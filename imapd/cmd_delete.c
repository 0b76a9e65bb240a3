/* imapd/cmd_delete.c - RFC 3501 6.3.4. */
#include "imapd/cmd.h"
#include "imapd/sync.h"

static bool delete_check(struct imap_req *req)
{
	return parse_mailbox(&req->args, (const char **)&req->data);
}

static enum imap_next delete_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const char *name = req->data;
	struct folder_info info;

	if (!name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (folder_by_name(client->store, name, &client->arena, &info, e) != 0 ||
	    folder_delete(client->store, name, e) != 0)
		return IMAP_FAIL;
	/* Who deletes the folder that is open, renamed since or not, leaves it; others that have it open
	 * are told. */
	if (client->selected && client->selected->id.n == info.id.n)
		client_unselect(client, "delete");
	return req_ok(req, NULL, "The folder is gone");
}

const struct imap_cmd imap_cmd_delete = {
	.name = "DELETE", .rfc = "3501 6.3.4", .states = IMAP_LOGGED_IN, .args = "mailbox",
	.check = delete_check, .run = delete_run,
};

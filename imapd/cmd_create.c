/* imapd/cmd_create.c - RFC 3501 6.3.3. */
#include "imapd/cmd.h"
#include "store/folder.h"

static bool create_check(struct imap_req *req)
{
	return parse_mailbox(&req->args, (const char **)&req->data);
}

static enum imap_next create_run(struct imap_req *req, struct err *e)
{
	const char *name = req->data;
	struct folder_id id;

	if (!name)
		return req_no(req, "CANNOT", "That can't be a folder's name");
	if (folder_create(req->client->store, name, FOLDER_NO_USE, &id, e) != 0)
		return IMAP_FAIL;
	return req_ok(req, NULL, "The folder is there");
}

const struct imap_cmd imap_cmd_create = {
	.name = "CREATE", .rfc = "3501 6.3.3", .states = IMAP_LOGGED_IN, .args = "mailbox",
	.check = create_check, .run = create_run,
};

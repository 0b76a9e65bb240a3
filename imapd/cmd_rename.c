/* imapd/cmd_rename.c - RFC 3501 6.3.5. */
#include "imapd/cmd.h"
#include "store/folder.h"

struct rename {
	const char *from, *to;
};

static bool rename_check(struct imap_req *req)
{
	struct rename *r = req->data = ARENA_NEW(&req->client->arena, struct rename);

	return parse_mailbox(&req->args, &r->from) && parse_space(&req->args) &&
	    parse_mailbox(&req->args, &r->to);
}

static enum imap_next rename_run(struct imap_req *req, struct err *e)
{
	const struct rename *r = req->data;

	if (!r->from)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (!r->to)
		return req_no(req, "CANNOT", "That can't be a folder's name");
	if (folder_rename(req->client->store, r->from, r->to, e) != 0)
		return IMAP_FAIL;
	return req_ok(req, NULL, "The folder has its new name");
}

const struct imap_cmd imap_cmd_rename = {
	.name = "RENAME", .rfc = "3501 6.3.5", .states = IMAP_LOGGED_IN, .args = "mailbox mailbox",
	.check = rename_check, .run = rename_run,
};

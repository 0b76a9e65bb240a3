/* imapd/cmd_rename.c - RFC 9051 6.3.6. */
#include "imapd/list.h"

#include <string.h>

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
	struct client *client = req->client;
	const struct rename *r = req->data;
	struct folder_info folder;
	struct err ignored;

	if (!r->from)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (!r->to)
		return req_no(req, "CANNOT", "That can't be a folder's name");
	if (folder_rename(client->store, r->from, r->to, e) != 0)
		return IMAP_FAIL;
	/* The new name with the old one.  INBOX keeps its own. */
	if ((client->enabled & ENABLED_REV2) && strcmp(r->from, "INBOX") != 0 &&
	    folder_by_name(client->store, r->to, &client->arena, &folder, &ignored) == 0)
		list_put_folder(client, &folder, str_view(r->from, strlen(r->from)));
	return req_ok(req, NULL, "The folder has its new name");
}

const struct imap_cmd imap_cmd_rename = {
	.name = "RENAME", .rfc = "9051 6.3.6", .states = IMAP_LOGGED_IN, .args = "mailbox mailbox",
	.check = rename_check, .run = rename_run,
};

/* imapd/cmd_status.c - RFC 9051 6.3.11. */
#include "imapd/status.h"

struct status {
	const char *name;
	unsigned items;
};

static bool status_check(struct imap_req *req)
{
	struct status *status = req->data = ARENA_NEW(&req->client->arena, struct status);

	return parse_mailbox(&req->args, &status->name) && parse_space(&req->args) &&
	    status_parse(req, &status->items);
}

static enum imap_next status_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const struct status *status = req->data;
	struct folder_info folder;

	if (!status->name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (folder_by_name_counted(client->store, status->name, status_counts(status->items),
	        &client->arena, &folder, e) != 0)
		return IMAP_FAIL;
	status_enable(client, status->items);
	status_put(client, &folder, status->items);
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_status = {
	.name = "STATUS", .rfc = "9051 6.3.11", .capability = "STATUS=SIZE OBJECTID", .states = IMAP_LOGGED_IN,
	.args = "mailbox (item...)", .check = status_check, .run = status_run,
};

/* imapd/cmd_delete.c - RFC 9051 6.3.5.  What is below the folder stays. */
#include "imapd/list.h"
#include "imapd/sync.h"

#include <string.h>

struct delete {
	const char *name;
	struct str_view given; /* as it was written */
};

static bool delete_check(struct imap_req *req)
{
	struct delete *d = req->data = ARENA_NEW(&req->client->arena, struct delete);
	struct parse again = req->args;

	return parse_mailbox(&req->args, &d->name) && parse_astring(&again, &d->given);
}

static enum imap_next delete_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const struct delete *d = req->data;
	struct folder_info info;

	if (!d->name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (folder_by_name(client->store, d->name, &client->arena, &info, e) != 0 ||
	    folder_delete(client->store, d->name, e) != 0)
		return IMAP_FAIL;
	/* Who deletes the folder that is open, renamed since or not, leaves it; others that have it open
	 * are told. */
	if (client->selected && client->selected->id.n == info.id.n)
		client_unselect(client, "delete");
	if ((client->enabled & ENABLED_REV2) && !str_equal(d->given, str_view(d->name, strlen(d->name))))
		list_put_name(client, "\\NonExistent", d->name, d->given);
	return req_ok(req, NULL, "The folder is gone");
}

const struct imap_cmd imap_cmd_delete = {
	.name = "DELETE", .rfc = "9051 6.3.5", .states = IMAP_LOGGED_IN, .args = "mailbox",
	.check = delete_check, .run = delete_run,
};

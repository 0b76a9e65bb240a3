/* imapd/cmd_close.c - RFC 3501 6.4.2: expunge without a word, and leave. */
#include "imapd/cmd.h"
#include "imapd/sync.h"

static enum imap_next close_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const struct uid_range all = {1, UINT32_MAX};
	struct store_uid *gone;
	size_t n;

	if (!client->selected->readonly && message_expunge(client->store, client->selected->id,
	        &all, 1, true, &client->arena, &gone, &n, e) != 0)
		return IMAP_FAIL;
	client_unselect(client, "close");
	return req_ok(req, NULL, "The folder is closed");
}

const struct imap_cmd imap_cmd_close = {
	.name = "CLOSE", .rfc = "3501 6.4.2", .states = IMAP_SELECTED, .flags = IMAP_NO_SYNC,
	.args = "", .run = close_run,
};

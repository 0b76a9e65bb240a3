/* imapd/cmd_notify.c - RFC 5465: what the client wants to be told of without asking. */
#include "imapd/notify.h"
#include "imapd/sync.h"

static bool notify_check(struct imap_req *req)
{
	struct notify_set *set = req->data = ARENA_NEW(&req->client->arena, struct notify_set);

	return notify_parse(req, set);
}

static enum imap_next notify_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const struct notify_set *set = req->data;

	if (set->has_bad_event)
		return req_no(req, notify_events, "There are events that are not served");
	/* What gathered in the open folder is told now, whatever is asked for from here on (3.1). */
	if (client->selected && sync_run(client, SYNC_EXPUNGE | SYNC_ASK | SYNC_UID, e) != 0)
		return IMAP_FAIL;
	if (notify_register(client, set, e) != 0)
		return IMAP_FAIL;
	return req_ok(req, NULL, "So it is");
}

const struct imap_cmd imap_cmd_notify = {
	.name = "NOTIFY", .rfc = "5465 3.1", .capability = "NOTIFY", .states = IMAP_LOGGED_IN,
	.flags = IMAP_NO_SYNC, .args = "NONE | SET [STATUS] (folders events)...",
	.check = notify_check, .run = notify_run,
};

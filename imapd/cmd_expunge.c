/* imapd/cmd_expunge.c - RFC 3501 6.4.3, and UID EXPUNGE (RFC 4315 2.1).  What went is told with
 * everything else that changed, at the command's end. */
#include "imapd/set.h"
#include "imapd/sync.h"

static bool expunge_check(struct imap_req *req)
{
	struct seq_set *set = req->data = ARENA_NEW(&req->client->arena, struct seq_set);

	return !req->uid || (parse_space(&req->args) && parse_set(&req->args, set));
}

static enum imap_next expunge_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct uid_range all = {1, UINT32_MAX};
	struct seq_set *set = req->data;
	struct store_uid *gone;
	size_t n;

	if (req->uid)
		set_resolve(req, set);
	else
		*set = (struct seq_set){.ranges = &all, .n = 1};
	if (set->n && message_expunge(client->store, client->selected->id, set->ranges, set->n, true,
	        &client->arena, &gone, &n, e) != 0)
		return IMAP_FAIL;
	return req_ok(req, NULL, "Expunged");
}

const struct imap_cmd imap_cmd_expunge = {
	.name = "EXPUNGE", .rfc = "3501 6.4.3", .capability = "UIDPLUS", .states = IMAP_SELECTED,
	.flags = IMAP_WRITES | IMAP_ARGS_OPTIONAL | IMAP_NO_NUMBERS | IMAP_EXPUNGES,
	.uid_flags = IMAP_UID | IMAP_WRITES | IMAP_ARGS_OPTIONAL | IMAP_EXPUNGES,
	.args = "| UID EXPUNGE uid-set", .check = expunge_check, .run = expunge_run,
};

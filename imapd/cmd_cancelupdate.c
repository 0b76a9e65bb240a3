/* imapd/cmd_cancelupdate.c - RFC 5267 4.3.5. */
#include "imapd/context.h"

/* req->data: the tags, in the order they came. */
struct tags {
	struct tags *next;
	struct str_view tag;
};

static bool cancelupdate_check(struct imap_req *req)
{
	struct tags **last = (struct tags **)&req->data;
	uint32_t n = 0;

	do {
		*last = ARENA_NEW(&req->client->arena, struct tags);
		if (++n > req->args.limits->list_max)
			return parse_bad(&req->args, "The list is too long");
		if (!parse_string(&req->args, &(*last)->tag))
			return false;
		last = &(*last)->next;
	} while (parse_try(&req->args, ' '));
	return true;
}

/* One that the server gave up meanwhile is no mistake of the client's: NO, and the others end. */
static enum imap_next cancelupdate_run(struct imap_req *req, struct err *e)
{
	bool all = true;

	(void)e;
	for (const struct tags *tags = req->data; tags; tags = tags->next)
		all &= context_end(req->client, tags->tag);
	return all ? req_ok(req, NULL, "Cancelled") :
	             req_no(req, NULL, "There is no such context");
}

const struct imap_cmd imap_cmd_cancelupdate = {
	.name = "CANCELUPDATE", .rfc = "5267 4.3.5", .capability = "CONTEXT=SEARCH CONTEXT=SORT",
	.states = IMAP_SELECTED, .args = "\"tag\"...", .check = cancelupdate_check,
	.run = cancelupdate_run,
};

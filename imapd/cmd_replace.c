/* imapd/cmd_replace.c - REPLACE (RFC 8508): a message comes in and the one it replaces goes, in one
 * transaction; so nobody ever sees both, or neither. */
#include "imapd/incoming.h"

#include "imapd/reply.h"
#include "imapd/set.h"
#include "imapd/sync.h"

struct replace {
	struct incoming in; /* first: incoming.c knows the request's data as this */
	struct seq_set set;
};

static const char gone[] = "The message to replace is gone";

static enum imap_next replace_store(struct imap_req *req, struct incoming *in, struct err *e)
{
	const struct replace *replace = (const struct replace *)in;
	struct client *client = req->client;
	const struct store_uid old = {replace->set.ranges[0].from};
	struct append_done done;

	if (append_replace(&in->appends[0], &in->how[0], client->selected->id, old, &done, e) != 0)
		return e->code == ERR_EXPUNGED ? req_no(req, NULL, gone) : IMAP_FAIL;
	/* Before the EXPUNGE that the dispatcher tells (RFC 8508 3.4). */
	reply_untagged(client, "OK", incoming_appenduid(&client->arena, &done, 1), "Stored");
	return req_ok(req, NULL, "Replaced");
}

static bool replace_check(struct imap_req *req)
{
	struct replace *replace = req->data = ARENA_NEW(req->args.arena, struct replace);
	struct parse *p = &req->args;

	replace->in.messages_max = 1;
	replace->in.makes_room = true;
	replace->in.commit = replace_store;
	if (!parse_set(p, &replace->set))
		return false;
	if (replace->set.is_saved || replace->set.n != 1 ||
	    replace->set.ranges[0].from != replace->set.ranges[0].to)
		return parse_bad(p, "One message can be replaced");
	return parse_space(p) && parse_mailbox(p, &replace->in.folder_name) && parse_space(p) &&
	    incoming_check(req, &replace->in);
}

static bool replace_streams_now(struct imap_req *req)
{
	if (req->client->req)
		return incoming_streams_on(req, req->data);
	return parse_space(&req->args) && replace_check(req) &&
	    incoming_streams(&((struct incoming *)req->data)->text);
}

/* What is wrong is told by incoming_run, which knows whether the message is on its way already. */
static enum imap_next replace_run(struct imap_req *req, struct err *e)
{
	struct replace *replace = req->data;
	const struct selected *s = req->client->selected;

	if (s->readonly)
		incoming_refuse(&replace->in, "READ-ONLY", "The folder is open read-only");
	else if (!set_resolve(req, &replace->set) || set_count(req, &replace->set) != 1)
		incoming_refuse(&replace->in, NULL, "There is no such message");
	return incoming_run(req, &replace->in, e);
}

const struct imap_cmd imap_cmd_replace = {
	.name = "REPLACE", .rfc = "8508 3.1", .capability = "REPLACE", .states = IMAP_SELECTED,
	.flags = IMAP_STREAMS | IMAP_EXPUNGES, .uid_flags = IMAP_UID | IMAP_STREAMS | IMAP_EXPUNGES,
	.args = "message mailbox [(flags)] [date-time] {literal}", .check = replace_check,
	.run = replace_run, .streams_now = replace_streams_now,
};

/* imapd/cmd_append.c - RFC 3501 6.3.11, with APPENDUID (RFC 4315 3) and any number of messages
 * (RFC 3502): all of them are stored, or none. */
#include "imapd/incoming.h"

#include "limits/registry.h"

static enum imap_next append_store(struct imap_req *req, struct incoming *in, struct err *e)
{
	struct arena *arena = &req->client->arena;
	struct append_done *done = ARENA_ARRAY(arena, struct append_done, in->n);

	if (append_commit(in->appends, in->how, in->n, done, e) != 0)
		return IMAP_FAIL;
	return req_ok(req, incoming_appenduid(arena, done, in->n), "Stored");
}

static bool append_check(struct imap_req *req)
{
	struct incoming *in = req->data = ARENA_NEW(req->args.arena, struct incoming);

	in->messages_max = setting_get(req->client->site, SETTING_IMAP_APPEND_MESSAGES);
	in->commit = append_store;
	return parse_mailbox(&req->args, &in->folder_name) && parse_space(&req->args) &&
	    incoming_check(req, in);
}

/* The folder's name and a URL may be literals too, which are read before the command runs. */
static bool append_streams_now(struct imap_req *req)
{
	if (req->client->req)
		return incoming_streams_on(req, req->data);
	return parse_space(&req->args) && append_check(req) &&
	    incoming_streams(&((struct incoming *)req->data)->text);
}

static enum imap_next append_run(struct imap_req *req, struct err *e)
{
	return incoming_run(req, req->data, e);
}

const struct imap_cmd imap_cmd_append = {
	.name = "APPEND", .rfc = "3501 6.3.11, 3502, 4469", .capability = "MULTIAPPEND CATENATE",
	.states = IMAP_LOGGED_IN, .flags = IMAP_STREAMS,
	.args = "mailbox ([(flags)] [date-time] {literal} | CATENATE (TEXT {literal} | URL url...))...",
	.check = append_check, .run = append_run, .streams_now = append_streams_now,
};

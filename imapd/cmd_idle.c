/* imapd/cmd_idle.c - RFC 2177: the doorbell of the mailbox wakes the connection, which tells what
 * changed; until then it costs no thread. */
#include "imapd/cmd.h"

#include "imapd/metadata.h"
#include "imapd/notify.h"
#include "imapd/sync.h"

struct idle {
	struct change_watch *watch;
	bool charged; /* an objtNotify of the session */
};

static void idle_cleanup(struct imap_req *req)
{
	struct idle *idle = req->data;

	if (idle->watch)
		change_unwatch(&idle->watch);
	if (idle->charged)
		session_uncharge(req->client->session, OBJT_NOTIFY, 1);
}

static enum imap_next idle_step(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct str_view line;

	if (client->selected && sync_claim(client, e) != 0)
		return IMAP_FAIL;
	switch (conn_line(client->conn, 100, &line)) {
	case CONN_LINE:
		return str_equal_nocase(line, SV("DONE")) ? req_ok(req, NULL, "Done") :
		                                            req_bad(req, "DONE was expected");
	case CONN_LINE_TOO_LONG:
		client_bye(client, NULL, "DONE was expected");
		return req_bad(req, "DONE was expected");
	case CONN_LINE_PART:
		break;
	}
	/* RFC 5465 4: what NOTIFY asked for, and nothing else. */
	if (client->notify)
		return notify_look(client, true) == IMAP_DONE ? IMAP_YIELD : IMAP_WAIT;
	if ((client->selected && sync_run(client, SYNC_EXPUNGE | SYNC_WOKEN | SYNC_CLAIM_LATER, e) != 0) ||
	    metadata_tell_news(client, true, e) != 0)
		return IMAP_FAIL;
	return client->selected && client->selected->unclaimed.n ? IMAP_YIELD : IMAP_WAIT;
}

static int watch(struct imap_req *req, struct idle *idle, struct err *e)
{
	struct client *client = req->client;

	if (session_charge(client->session, OBJT_NOTIFY, 1, e) != 0)
		return -1;
	idle->charged = true;
	return change_watch(client->site, session_mailbox(client->session), client_wake,
	    client, &idle->watch, e);
}

/* Whether there is anything to be told of; NOTIFY watches for itself. */
static bool hears(const struct client *client)
{
	return !client->notify && (client->selected || (client->enabled & ENABLED_METADATA));
}

static enum imap_next idle_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct idle *idle = req->data = ARENA_NEW(&client->arena, struct idle);

	req->cleanup = idle_cleanup;
	req->step = idle_step;
	/* The watch first: what changes between is told by the first step. */
	if (hears(client) && watch(req, idle, e) != 0)
		return IMAP_FAIL;
	conn_puts(client->conn, "+ Idling\r\n");
	return idle_step(req, e);
}

const struct imap_cmd imap_cmd_idle = {
	.name = "IDLE", .rfc = "2177 3", .capability = "IDLE", .states = IMAP_LOGGED_IN, .args = "",
	.run = idle_run,
};

/* imapd/select.c - RFC 3501 6.3.1, 6.3.2: leave the folder that was open, open another; with CONDSTORE and
 * QRESYNC (RFC 7162 3.1.8, 3.2.5). */
#include "imapd/select.h"

#include "imapd/list.h"
#include "imapd/reply.h"
#include "imapd/resync.h"
#include "imapd/sync.h"
#include "imapd/tell.h"

#include <string.h>

struct select_args {
	const char *name;
	struct str_view given; /* the name as the client wrote it */
	unsigned enables;
	bool resyncs;
	struct resync_select resync;
};

static bool take_parameter(struct imap_req *req, struct select_args *args)
{
	struct parse *p = &req->args;

	if (parse_try_word(p, "CONDSTORE")) {
		args->enables |= ENABLED_CONDSTORE;
		return true;
	}
	if (!parse_try_word(p, "QRESYNC"))
		return parse_bad(p, "There is no such select parameter");
	if (!(req->client->enabled & ENABLED_QRESYNC))
		return parse_bad(p, "Please enable QRESYNC first");
	args->resyncs = true;
	if (!parse_space(p) || !resync_parse(p, &args->resync))
		return false;
	/* The sample pairs UIDs with message numbers. */
	return !args->resync.match_seqs.n || !(req->client->enabled & ENABLED_UIDONLY) ||
	    parse_bad(p, parse_uid_required);
}

/* mailbox [SP "(" parameter... ")"] (RFC 4466 2.3) */
bool select_check(struct imap_req *req)
{
	struct select_args *args = req->data = ARENA_NEW(&req->client->arena, struct select_args);
	struct parse *p = &req->args, again = *p;

	if (!parse_mailbox(p, &args->name) || !parse_astring(&again, &args->given))
		return false;
	if (parse_at_end(p))
		return true;
	if (!parse_space(p) || !parse_char(p, '('))
		return false;
	do {
		if (!take_parameter(req, args))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

static void put_state(struct client *client, const struct folder_info *info, uint32_t first_unseen,
    const struct folder_info *named, const struct select_args *args)
{
	struct str_buf *out = conn_out(client->conn);

	sync_put_flags(client);
	sync_put_exists(client);
	if (client->enabled & ENABLED_REV2)
		list_put_folder(client, named, args->given); /* RFC 9051 6.3.2 */
	else if (first_unseen && !(client->enabled & ENABLED_UIDONLY))
		str_buf_printf(out, "* OK [UNSEEN %u] The first that was not read\r\n",
		    first_unseen);
	str_buf_puts(out, "* OK [");
	reply_put_mailboxid(out, info->id);
	str_buf_puts(out, "] It keeps that whatever its name\r\n");
	/* A folder whose UIDs are used up says the last there is (uidnext 0). */
	str_buf_printf(out, "* OK [UIDVALIDITY %u] UIDs are valid\r\n"
	                    "* OK [UIDNEXT %u] The next UID\r\n",
	    info->uidvalidity, info->uidnext ? info->uidnext : UINT32_MAX);
	tell_highestmodseq(client);
}

/* Also where the new one can't be opened (RFC 3501 6.3.1).  What is told behind the code is the new
 * folder's (RFC 7162 3.2.11). */
static void leave(struct client *client)
{
	if (!client->selected)
		return;
	client_unselect(client, "select");
	reply_untagged(client, "OK", "CLOSED", "The folder that was open is closed");
}

static enum imap_next is_open(struct imap_req *req)
{
	return req_ok(req, req->client->selected->readonly ? "READ-ONLY" : "READ-WRITE",
	    "The folder is open");
}

enum imap_next select_run(struct imap_req *req, bool readonly, struct err *e)
{
	struct client *client = req->client;
	const struct select_args *args = req->data;
	struct folder_info info, named = {0};
	uint32_t first_unseen;

	leave(client);
	if (!args->name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	/* Relations to other folders: no counter tells them, and only the newer protocol does. */
	if ((client->enabled & ENABLED_REV2) &&
	    folder_by_name(client->store, args->name, &client->arena, &named, e) != 0)
		return IMAP_FAIL;
	if (sync_select(client, args->name, readonly, &client->selected, &info, &first_unseen, e) != 0)
		return IMAP_FAIL;
	client_set_state(client, IMAP_SELECTED, "select");
	session_tell_open(client->session, args->name);
	client->enabled |= args->enables;
	put_state(client, &info, first_unseen, &named, args);
	return args->resyncs ? resync_run(req, &args->resync, is_open, e) : is_open(req);
}

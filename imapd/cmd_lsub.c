/* imapd/cmd_lsub.c - RFC 3501 6.3.9: names that were subscribed, whether the folder is there or not. */
#include "imapd/list.h"
#include "imapd/reply.h"

static bool lsub_check(struct imap_req *req)
{
	struct list_patterns *patterns = req->data =
	    ARENA_NEW(&req->client->arena, struct list_patterns);

	return list_parse_patterns(req, false, patterns);
}

static enum imap_next lsub_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct arena *arena = &client->arena;
	struct str_buf *out = conn_out(client->conn);
	struct list_entry *all, *found;
	const char **names;
	size_t n, found_n;

	if (list_is_root(req->data)) {
		str_buf_puts(out, "* LSUB (\\Noselect) \"/\" \"\"\r\n");
		return req_ok(req, NULL, "That is all");
	}
	if (folder_subscriptions(client->store, arena, &names, &n, e) != 0)
		return IMAP_FAIL;
	all = ARENA_ARRAY(arena, struct list_entry, n + 1);
	for (size_t i = 0; i < n; i++)
		all[i] = (struct list_entry){.name = names[i], .is_chosen = true};
	list_match(req->data, LIST_MISSING_PARENTS, all, n, arena, &found, &found_n);
	for (size_t i = 0; i < found_n; i++) {
		/* With '%', a parent of a subscribed name is told as \Noselect (RFC 3501 6.3.9). */
		str_buf_puts(out, found[i].is_chosen ? "* LSUB () \"/\" " :
		                                       "* LSUB (\\Noselect) \"/\" ");
		reply_put_mailbox(out, client, found[i].name);
		str_buf_puts(out, "\r\n");
	}
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_lsub = {
	.name = "LSUB", .rfc = "3501 6.3.9", .states = IMAP_LOGGED_IN, .args = "reference pattern",
	.check = lsub_check, .run = lsub_run,
};

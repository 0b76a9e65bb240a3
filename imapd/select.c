/* imapd/select.c - RFC 3501 6.3.1, 6.3.2: leave the folder that was open, open another. */
#include "imapd/select.h"

#include "imapd/sync.h"

bool select_check(struct imap_req *req)
{
	return parse_mailbox(&req->args, (const char **)&req->data);
}

static void put_state(struct client *client, const struct folder_info *info, uint32_t first_unseen)
{
	struct selected *s = client->selected;
	struct str_buf *out = conn_out(client->conn);

	sync_put_flags(client);
	str_buf_printf(out, "* %u EXISTS\r\n* %u RECENT\r\n", s->view.exists, sync_recent_n(s));
	if (first_unseen)
		str_buf_printf(out, "* OK [UNSEEN %u] The first that was not read\r\n",
		    first_unseen);
	/* A folder whose UIDs are used up says the last there is (uidnext 0). */
	str_buf_printf(out, "* OK [UIDVALIDITY %u] UIDs are valid\r\n"
	                    "* OK [UIDNEXT %u] The next UID\r\n",
	    info->uidvalidity, info->uidnext ? info->uidnext : UINT32_MAX);
}

enum imap_next select_run(struct imap_req *req, bool readonly, struct err *e)
{
	struct client *client = req->client;
	const char *name = req->data;
	struct folder_info info;
	uint32_t first_unseen;

	/* Also where the new one can't be opened (RFC 3501 6.3.1). */
	client_unselect(client, "select");
	if (!name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (sync_select(client, name, readonly, &client->selected, &info, &first_unseen, e) != 0)
		return IMAP_FAIL;
	client_set_state(client, IMAP_SELECTED, "select");
	put_state(client, &info, first_unseen);
	return req_ok(req, readonly ? "READ-ONLY" : "READ-WRITE", "The folder is open");
}

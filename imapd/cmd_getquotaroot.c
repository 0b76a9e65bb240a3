/* imapd/cmd_getquotaroot.c - RFC 9208 4.1.3.  The folder need not be there: it would have that root. */
#include "imapd/cmd.h"
#include "imapd/quota.h"
#include "imapd/reply.h"

static bool getquotaroot_check(struct imap_req *req)
{
	return parse_mailbox(&req->args, (const char **)&req->data);
}

static enum imap_next getquotaroot_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const char *name = req->data;
	struct str_buf *out = conn_out(client->conn);
	struct quota quota;

	if (!name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (quota_get(client->store, &quota, e) < 0)
		return IMAP_FAIL;
	str_buf_puts(out, "* QUOTAROOT ");
	reply_put_mailbox(out, client, name);
	str_buf_puts(out, quota_is_limited(&quota) ? " \"\"\r\n" : "\r\n");
	if (quota_is_limited(&quota))
		quota_put(client, &quota);
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_getquotaroot = {
	.name = "GETQUOTAROOT", .rfc = "9208 4.1.3", .states = IMAP_LOGGED_IN, .args = "mailbox",
	.check = getquotaroot_check, .run = getquotaroot_run,
};

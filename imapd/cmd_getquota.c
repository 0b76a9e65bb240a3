/* imapd/cmd_getquota.c - RFC 9208 4.1.2.  Quotas are set by the administrator (postern-quota(1)), so there
 * is no SETQUOTA, which goes with QUOTASET. */
#include "imapd/cmd.h"
#include "imapd/quota.h"

static bool getquota_check(struct imap_req *req)
{
	struct str_view *root = req->data = ARENA_NEW(&req->client->arena, struct str_view);

	return parse_astring(&req->args, root);
}

static enum imap_next getquota_run(struct imap_req *req, struct err *e)
{
	const struct str_view *root = req->data;
	struct quota quota;

	if (quota_get(req->client->store, &quota, e) < 0)
		return IMAP_FAIL;
	if (root->n > 0 || !quota_is_limited(&quota))
		return req_no(req, "NONEXISTENT", "There is no such quota root");
	quota_put(req->client, &quota);
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_getquota = {
	.name = "GETQUOTA", .rfc = "9208 4.1.2",
	.capability = "QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE", .states = IMAP_LOGGED_IN,
	.args = "root", .check = getquota_check, .run = getquota_run,
};

/* imapd/cmd_compress.c - RFC 4978 3: from the line end of the answer on, both ways are DEFLATE. */
#include "imapd/cmd.h"

static bool compress_check(struct imap_req *req)
{
	struct str_view *mechanism = req->data = ARENA_NEW(&req->client->arena, struct str_view);

	return parse_atom(&req->args, mechanism);
}

static enum imap_next compress_run(struct imap_req *req, struct err *e)
{
	const struct str_view *mechanism = req->data;
	struct client *client = req->client;

	(void)e;
	if (!str_equal_nocase(*mechanism, SV("DEFLATE")))
		return req_bad(req, "DEFLATE is what there is");
	if (conn_is_compressed(client->conn))
		return req_no(req, "COMPRESSIONACTIVE", "DEFLATE is on already");
	/* What was read behind the command is not taken for commands: it is compressed, or an error. */
	client->changing_stream = true;
	conn_compress(client->conn);
	return req_ok(req, NULL, "DEFLATE from now on");
}

const struct imap_cmd imap_cmd_compress = {
	.name = "COMPRESS", .rfc = "4978 3", .states = IMAP_LOGGED_IN, .args = "DEFLATE",
	.check = compress_check, .run = compress_run,
};

/* imapd/cmd_id.c - RFC 2971: who the client says it is goes to the log and the list of sessions, and decides nothing;
 * who is logged in is told how many sessions he holds. */
#include "imapd/cmd.h"
#include "imapd/own_sessions.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ID_PAIRS_MAX 30 /* RFC 2971 3.3 */
#define AGENT_MAX 60    /* octets of what lists say */

struct id {
	const char *name, *version;
};

static bool id_pair(struct imap_req *req, struct id *id)
{
	struct str_view field, value;

	if (!parse_string(&req->args, &field) || !parse_space(&req->args) ||
	    !parse_nstring(&req->args, &value))
		return false;
	if (value.p && str_equal_nocase(field, SV("name")))
		id->name = arena_strn(&req->client->arena, value.p, value.n);
	if (value.p && str_equal_nocase(field, SV("version")))
		id->version = arena_strn(&req->client->arena, value.p, value.n);
	return true;
}

static bool id_check(struct imap_req *req)
{
	struct id *id = req->data = ARENA_NEW(&req->client->arena, struct id);

	if (parse_try_word(&req->args, "NIL"))
		return true;
	if (!parse_char(&req->args, '('))
		return false;
	for (int n = 0; !parse_try(&req->args, ')'); n++) {
		if (n == ID_PAIRS_MAX)
			return parse_bad(&req->args, "Thirty fields are the most");
		if ((n && !parse_space(&req->args)) || !id_pair(req, id))
			return false;
	}
	return true;
}

/* Lists go to terminals, and a stranger wrote this. */
static char *printable(const char *text, size_t n)
{
	char *copy = mem_strn(text, n);

	for (char *c = copy; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return copy;
}

static void tell_agent(struct client *client, const struct id *id)
{
	const char *text = arena_printf(&client->arena, "%s%s%s", id->name, id->version ? " " : "",
	    id->version ? id->version : "");

	mem_free(&client->agent);
	client->agent = printable(text, strnlen(text, AGENT_MAX));
	if (!client->session)
		return;
	session_tell_client(client->session, client->agent);
	mem_free(&client->agent);
}

static enum imap_next id_run(struct imap_req *req, struct err *e)
{
	struct str_buf *out = conn_out(req->client->conn);
	const struct id *id = req->data;

	(void)e;
	log_info("client-id", "peer=%s name=%s version=%s", conn_peer(req->client->conn),
	    LOG_Q(id->name ? id->name : ""), LOG_Q(id->version ? id->version : ""));
	if (id->name)
		tell_agent(req->client, id);
	str_buf_puts(out, "* ID (\"name\" \"postern\" \"version\" \"" POSTERN_VERSION "\"");
	own_sessions_put_id(req->client, out);
	str_buf_puts(out, ")\r\n");
	return req_ok(req, NULL, "Pleased to meet you");
}

const struct imap_cmd imap_cmd_id = {
	.name = "ID", .rfc = "2971 3.1", .capability = "ID", .states = IMAP_ANY,
	.args = "NIL | (field value...)", .check = id_check, .run = id_run,
};

/* imapd/cmd_authenticate.c - RFC 3501 6.2.2, with an initial response (RFC 4959). */
#include "imapd/cmd.h"

#include "imapd/login.h"
#include "limits/registry.h"

#include <string.h>

struct authenticate {
	struct str_view mechanism, initial; /* initial.p NULL: none was given */
	bool is_client_asked; /* its answer is awaited */
};

static bool authenticate_check(struct imap_req *req)
{
	struct authenticate *a = req->data = ARENA_NEW(&req->client->arena, struct authenticate);
	struct parse *p = &req->args;

	if (!parse_atom(p, &a->mechanism))
		return false;
	if (!parse_try(p, ' '))
		return true;
	/* base64 holds '+', '/' and '=', all of which an atom may; "=" alone is sasl_step's to read. */
	return parse_atom(p, &a->initial);
}

static void authenticate_cleanup(struct imap_req *req)
{
	const struct str_buf *command = &req->client->command;

	ask_end(&req->client->ask);
	/* The initial response may hold the password; the tag in front is still needed. */
	explicit_bzero(command->p + req->tag.n, command->n - req->tag.n);
}

/* One answer of the client's. */
static enum imap_next take_answer(struct imap_req *req)
{
	struct client *client = req->client;
	struct authenticate *a = req->data;
	struct str_view line;

	switch (conn_line(client->conn,
	    setting_get(client->site, SETTING_IMAP_AUTH_LINE_MAX), &line)) {
	case CONN_LINE_PART:
		return IMAP_WAIT;
	case CONN_LINE_TOO_LONG:
		client_bye(client, NULL, "The answer is too long");
		return req_bad(req, "The answer is too long");
	case CONN_LINE:
		break;
	}
	if (str_equal(line, SV("*")))
		return req_bad(req, "Given up");
	a->is_client_asked = false;
	ask_more(client->ask, line);
	return IMAP_HOLD;
}

static void put_challenge(struct imap_req *req)
{
	struct str_buf *out = conn_out(req->client->conn);
	const struct str_view challenge = ask_challenge(req->client->ask);
	struct authenticate *a = req->data;

	str_buf_put(out, "+ ", 2);
	str_buf_put(out, challenge.p, challenge.n);
	str_buf_put(out, "\r\n", 2);
	a->is_client_asked = true;
}

/* What authd says is the client's to answer; his answer may be here already, and nothing would wake us for it. */
static enum imap_next authenticate_step(struct imap_req *req, struct err *e)
{
	const struct authenticate *a = req->data;
	enum imap_next next = IMAP_HOLD;

	if (!a->is_client_asked && ask_look(req->client->ask) == ASK_MORE)
		put_challenge(req);
	if (a->is_client_asked)
		next = take_answer(req);
	return next == IMAP_HOLD ? login_settle(req, e) : next;
}

static enum imap_next authenticate_run(struct imap_req *req, struct err *e)
{
	const struct authenticate *a = req->data;
	struct client *client = req->client;
	struct sasl_conn peer;

	login_peer(client, &peer);
	if (!sasl_is_usable(ask_able(), &peer.peer, a->mechanism))
		return client_may_log_in(client)
			   ? req_no(req, "CANNOT", "There is no such mechanism here")
			   : req_no(req, "PRIVACYREQUIRED", "Please start TLS first");
	client->ask = ask_sasl(client->conn, &peer.peer, a->mechanism, a->initial);
	req->cleanup = authenticate_cleanup;
	req->step = authenticate_step;
	return authenticate_step(req, e);
}

const struct imap_cmd imap_cmd_authenticate = {
	.name = "AUTHENTICATE", .rfc = "3501 6.2.2", .capability = "SASL-IR",
	.states = IMAP_NOT_AUTHENTICATED, .flags = IMAP_NO_SYNC, .args = "mechanism [initial-response]",
	.check = authenticate_check, .run = authenticate_run,
};

/* imapd/cmd_authenticate.c - RFC 3501 6.2.2, with an initial response (RFC 4959). */
#include "imapd/cmd.h"

#include "imapd/login.h"
#include "limits/registry.h"

#include <string.h>

struct authenticate {
	struct str_view mechanism, initial; /* initial.p NULL: none was given */
	struct sasl *sasl;
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
	struct authenticate *a = req->data;
	const struct str_buf *command = &req->client->command;

	sasl_free(&a->sasl);
	/* The initial response may hold the password; the tag in front is still needed. */
	explicit_bzero(command->p + req->tag.n, command->n - req->tag.n);
}

static enum imap_next failed(struct imap_req *req, const struct err *why, struct err *e)
{
	const struct authenticate *a = req->data;

	if (why->code == ERR_INVALID)
		return req_no(req, "AUTHENTICATIONFAILED", "That is no answer of this mechanism");
	*e = *why;
	return login_failed(req, sasl_claimed(a->sasl), e);
}

static enum imap_next advance(struct imap_req *req, struct str_view in, struct err *e)
{
	struct authenticate *a = req->data;
	struct str_buf *out = conn_out(req->client->conn), answer = {0};
	enum imap_next next = IMAP_WAIT;

	switch (sasl_step(a->sasl, in, &answer)) {
	case SASL_MORE:
		str_buf_put(out, "+ ", 2);
		str_buf_put(out, answer.p, answer.n);
		str_buf_put(out, "\r\n", 2);
		break;
	case SASL_DONE:
		next = login_admit(req, sasl_account(a->sasl)->name, e);
		break;
	case SASL_FAILED:
		next = failed(req, sasl_error(a->sasl), e);
		break;
	}
	str_buf_fini(&answer);
	return next;
}

/* One answer of the client's; IMAP_WAIT also where the mechanism asks for a further one. */
static enum imap_next take_answer(struct imap_req *req, bool *came_r, struct err *e)
{
	struct client *client = req->client;
	struct str_view line;

	*came_r = false;
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
	*came_r = true;
	/* The line is borrowed; a copy outlives the answer that is put before the next step. */
	return advance(req, str_view(arena_strn(&client->arena, line.p, line.n), line.n), e);
}

/* An answer that came in one piece with what it answers is here already: nothing would wake us for it. */
static enum imap_next authenticate_step(struct imap_req *req, struct err *e)
{
	enum imap_next next;
	bool came;

	do
		next = take_answer(req, &came, e);
	while (came && next == IMAP_WAIT);
	return next;
}

static enum imap_next authenticate_run(struct imap_req *req, struct err *e)
{
	const struct account_source source = account_source(req->client->site);
	struct authenticate *a = req->data;
	struct sasl_conn peer;
	struct err none;
	enum imap_next next;

	login_peer(req->client, &peer);
	if (sasl_begin(&source, &peer.peer, a->mechanism, &a->sasl, &none) != 0)
		return client_may_log_in(req->client)
			   ? req_no(req, "CANNOT", "There is no such mechanism here")
			   : req_no(req, "PRIVACYREQUIRED", "Please start TLS first");
	req->cleanup = authenticate_cleanup;
	req->step = authenticate_step;
	next = advance(req, a->initial, e);
	return next == IMAP_WAIT ? authenticate_step(req, e) : next;
}

const struct imap_cmd imap_cmd_authenticate = {
	.name = "AUTHENTICATE", .rfc = "3501 6.2.2", .capability = "SASL-IR",
	.states = IMAP_NOT_AUTHENTICATED, .flags = IMAP_NO_SYNC, .args = "mechanism [initial-response]",
	.check = authenticate_check, .run = authenticate_run,
};

/* imapd/cmd_login.c - RFC 3501 6.2.3. */
#include "imapd/cmd.h"
#include "imapd/login.h"

#include <string.h>

struct login {
	char *user, *password;
};

static bool login_check(struct imap_req *req)
{
	struct login *login = req->data = ARENA_NEW(&req->client->arena, struct login);
	struct str_view user, password;

	if (!parse_astring(&req->args, &user) || !parse_space(&req->args) ||
	    !parse_astring(&req->args, &password))
		return false;
	login->user = arena_strn(&req->client->arena, user.p, user.n);
	login->password = arena_strn(&req->client->arena, password.p, password.n);
	return true;
}

static void login_cleanup(struct imap_req *req)
{
	ask_end(&req->client->ask);
}

/* The password goes as soon as it was handed on; the tag in front is still needed. */
static void wipe(struct imap_req *req)
{
	const struct login *login = req->data;
	const struct str_buf *command = &req->client->command;

	explicit_bzero(login->password, strlen(login->password));
	explicit_bzero(command->p + req->tag.n, command->n - req->tag.n);
}

static enum imap_next login_run(struct imap_req *req, struct err *e)
{
	const struct login *login = req->data;
	struct client *client = req->client;
	struct sasl_conn peer;

	if (!client_may_log_in(client)) {
		wipe(req);
		return req_no(req, "PRIVACYREQUIRED", "Please start TLS first");
	}
	login_peer(client, &peer);
	client->ask = ask_password(client->conn, &peer.peer, login->user, login->password);
	wipe(req);
	req->cleanup = login_cleanup;
	req->step = login_settle;
	return login_settle(req, e);
}

const struct imap_cmd imap_cmd_login = {
	.name = "LOGIN", .rfc = "3501 6.2.3", .states = IMAP_NOT_AUTHENTICATED,
	.flags = IMAP_NO_SYNC, .args = "user password", .check = login_check, .run = login_run,
};

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

static enum imap_next login_cmd_run(struct imap_req *req, struct err *e)
{
	const struct login *login = req->data;
	const struct str_buf *command = &req->client->command;
	enum imap_next next = login_run(req, login->user, login->password, e);

	/* The password goes as soon as it was used; the tag in front is still needed. */
	explicit_bzero(login->password, strlen(login->password));
	explicit_bzero(command->p + req->tag.n, command->n - req->tag.n);
	return next;
}

const struct imap_cmd imap_cmd_login = {
	.name = "LOGIN", .rfc = "3501 6.2.3", .states = IMAP_NOT_AUTHENTICATED,
	.flags = IMAP_NO_SYNC, .args = "user password", .check = login_check, .run = login_cmd_run,
};

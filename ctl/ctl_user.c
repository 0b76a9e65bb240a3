/* ctl/ctl_user.c - postern user add|passwd|disable|enable|list|del|account */
#include "auth/account.h"
#include "auth/verifier.h"
#include "ctl/json.h"
#include "ctl/password.h"
#include "ctl/verb.h"
#include "store/directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool password_stdin, verifier_stdin, no_password, as_json, with_mail;
static const char *unix_account;

/* What was asked for: a password, or a verifier that was made elsewhere. */
struct secret {
	char password[PASSWORD_SIZE], verifier[AUTH_VERIFIER_SIZE];
};

/* -1 after saying what is wrong. */
static int secret_ask(const char *user, struct secret *secret)
{
	struct err e;

	if (password_stdin && verifier_stdin) {
		ctl_say("standard input gives a password or a verifier, not both");
		return -1;
	}
	if (password_read(password_stdin || verifier_stdin, user, secret->password) < 0)
		return -1;
	if (verifier_stdin ? auth_verifier_take(secret->password, secret->verifier, &e) < 0 : account_password_check(secret->password, &e) < 0) {
		ctl_fail_err(&e);
		return -1;
	}
	return 0;
}

static int secret_keep(struct site *site, const char *user, struct secret *secret, struct err *e)
{
	int r = verifier_stdin ? account_set_verifier(site, user, secret->verifier, e)
			       : account_set_password(site, user, secret->password, e);

	explicit_bzero(secret, sizeof *secret);
	return r;
}

/* What all that change a user by name do with the result. */
static int user_result(int r, const char *name, const struct err *e)
{
	if (r == 0)
		return CTL_OK;
	return e->code == ERR_NOTFOUND ? ctl_no_user(name) : ctl_fail_err(e);
}

static int user_add(struct ctl *ctl, char **operands, int n)
{
	struct secret secret = {0};
	struct user_id id;
	struct err e;

	(void)n;
	/* Said before a password is asked for. */
	if (directory_name_check(operands[0], &e) < 0)
		return ctl_fail_err(&e);
	if (!no_password && secret_ask(operands[0], &secret) < 0)
		return CTL_FAILED;
	if (directory_user_add(ctl->site, operands[0], unix_account, &id, &e) == 0)
		return no_password || secret_keep(ctl->site, operands[0], &secret, &e) == 0 ? CTL_OK : ctl_fail_err(&e);
	if (e.code == ERR_EXISTS)
		return ctl_fail("a user `%s` exists already; `postern user passwd %s` changes the"
				" password", operands[0], operands[0]);
	return ctl_fail_err(&e);
}

static int user_passwd(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct directory_user user;
	struct secret secret = {0};
	struct err e;
	int r = directory_user_find(ctl->site, operands[0], &arena, &user, &e);

	(void)n;
	arena_fini(&arena);
	if (r < 0)
		return user_result(r, operands[0], &e);
	if (secret_ask(operands[0], &secret) < 0)
		return CTL_FAILED;
	return user_result(secret_keep(ctl->site, operands[0], &secret, &e), operands[0], &e);
}

static void user_json(struct json *j, const struct directory_user *u)
{
	char id[17];

	snprintf(id, sizeof id, "%016" PRIx64, u->id.n);
	json_open(j, '{');
	json_key(j, "user");
	json_text(j, u->name);
	json_key(j, "id");
	json_text(j, id);
	json_key(j, "policy");
	json_text(j, u->policy ? u->policy : "default");
	json_key(j, "unix_account");
	json_text(j, u->unix_account);
	json_key(j, "permissions");
	json_open(j, '[');
	if (u->permissions & PERMISSION_ADMINISTRATOR)
		json_text(j, "Administrator");
	if (u->permissions & PERMISSION_VIEW_INFORMATION_STORE_STATUS)
		json_text(j, "ViewInformationStoreStatus");
	json_close(j, ']');
	json_key(j, "disabled");
	json_bool(j, u->disabled);
	json_close(j, '}');
}

/* False also where this process may not know. */
static bool has_no_password(struct site *site, struct user_id user)
{
	struct credential credential;
	struct arena arena = {0};
	struct err e;
	bool has_none = credential_get(site, user, &arena, &credential, &e) == 0 && !credential.verifier;

	arena_fini(&arena);
	return has_none;
}

static void user_line(struct site *site, const struct directory_user *u)
{
	printf("%-20s %016" PRIx64 "  policy=%s%s%s%s%s%s%s\n", u->name, u->id.n,
	    u->policy ? u->policy : "default", u->unix_account ? " account=" : "",
	    u->unix_account ? u->unix_account : "",
	    u->permissions & PERMISSION_ADMINISTRATOR ? " Administrator" : "",
	    u->permissions & PERMISSION_VIEW_INFORMATION_STORE_STATUS
		? " ViewInformationStoreStatus"
		: "",
	    has_no_password(site, u->id) ? " no-password" : "", u->disabled ? " disabled" : "");
}

static int user_list(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct str_buf out = {0};
	struct json j = {.out = &out};
	struct directory_user *list;
	size_t list_n;
	struct err e;

	(void)operands, (void)n;
	if (directory_users(ctl->site, &arena, &list, &list_n, &e) < 0) {
		arena_fini(&arena);
		return ctl_fail_err(&e);
	}
	json_open(&j, '[');
	for (size_t i = 0; i < list_n; i++)
		if (as_json)
			user_json(&j, &list[i]);
		else
			user_line(ctl->site, &list[i]);
	json_close(&j, ']');
	if (as_json)
		puts(out.p);
	str_buf_fini(&out);
	arena_fini(&arena);
	return CTL_OK;
}

static int user_del(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct directory_user user;
	struct err e;
	int r = directory_user_find(ctl->site, operands[0], &arena, &user, &e);

	(void)n;
	if (r == 0)
		r = directory_user_delete(ctl->site, operands[0], with_mail, &e);
	if (r == 0 && !with_mail)
		ctl_say("the mail of %s stays in the store, under mail/%02x/%016" PRIx64,
		    operands[0], (unsigned)(user.id.n >> 56), user.id.n);
	arena_fini(&arena);
	return user_result(r, operands[0], &e);
}

static int set_disabled(struct ctl *ctl, const char *name, bool on)
{
	struct err e;

	return user_result(directory_set_disabled(ctl->site, name, on, &e), name, &e);
}

static int user_disable(struct ctl *ctl, char **operands, int n)
{
	(void)n;
	return set_disabled(ctl, operands[0], true);
}

static int user_enable(struct ctl *ctl, char **operands, int n)
{
	(void)n;
	return set_disabled(ctl, operands[0], false);
}

static int user_account(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	return user_result(
	    directory_set_account(ctl->site, operands[0], n > 1 ? operands[1] : NULL, &e),
	    operands[0], &e);
}

static const struct verb_option add_options[] = {
    {0, "password-stdin", NULL, &password_stdin, "the password is one line of standard input"},
    {0, "verifier-stdin", NULL, &verifier_stdin, "standard input gives {CRYPT}HASH or {PLAIN}PASSWORD"},
    {0, "no-password", NULL, &no_password, "no password: nobody can log in with one"},
    {0, "unix-account", "ACCOUNT", &unix_account, "whose handles in the mount are this user's"},
    {0},
};
static const struct verb_option passwd_options[] = {
    {0, "password-stdin", NULL, &password_stdin, "the password is one line of standard input"},
    {0, "verifier-stdin", NULL, &verifier_stdin, "standard input gives {CRYPT}HASH or {PLAIN}PASSWORD"},
    {0},
};
static const struct verb_option list_options[] = {
    {0, "json", NULL, &as_json, "one JSON array"},
    {0},
};
static const struct verb_option del_options[] = {
    {0, "with-mail", NULL, &with_mail, "delete the mailbox too; without it the mail stays"},
    {0},
};

const struct verb ctl_verb_user = {
    .name = "user",
    .summary = "add, change, list and delete users",
    .help = "  printf '%s\\n' PASSWORD | postern user add alice --password-stdin\n\n"
	    "Names are compared without case. A name that exists is an error (exit status 1).",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"add", "NAME", 1, 1, add_options, user_add, "a user and an empty mailbox"},
	    {"passwd", "NAME", 1, 1, passwd_options, user_passwd, "change a password"},
	    {"disable", "NAME", 1, 1, NULL, user_disable, "let nobody log in as this user; mail still comes"},
	    {"enable", "NAME", 1, 1, NULL, user_enable, "let him log in again"},
	    {"list", "", 0, 0, list_options, user_list, "all users"},
	    {"del", "NAME", 1, 1, del_options, user_del, "delete a user"},
	    {"account", "NAME [ACCOUNT]", 1, 2, NULL, user_account,
		"set the user's Unix account, or take it away"},
	    {0},
	},
};

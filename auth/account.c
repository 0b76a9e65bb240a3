/*
 * auth/account.c - who somebody is, by a password.
 *
 * The check is made at the price of a whole hash even where there is no such user, so that a stranger does not
 * learn who has a mailbox.
 */
#include "auth/account.h"
#include "auth/cache_priv.h"
#include "auth/login.h"
#include "base/log.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct {
	unsigned door;
	const char *name;
} doors[] = {
    {ACCOUNT_DOOR_IMAP, "imap"},
    {ACCOUNT_DOOR_POP3, "pop3"},
    {ACCOUNT_DOOR_SMTP, "smtp"},
};
#define DOORS_N (sizeof doors / sizeof *doors)

unsigned account_door_parse(struct str_view name)
{
	for (size_t i = 0; i < DOORS_N; i++)
		if (str_equal_nocase(name, str_view(doors[i].name, strlen(doors[i].name))))
			return doors[i].door;
	return 0;
}

const char *account_door_name(unsigned door)
{
	for (size_t i = 0; i < DOORS_N; i++)
		if (doors[i].door == door)
			return doors[i].name;
	return "?";
}

static char nobodys_verifier[AUTH_VERIFIER_SIZE];
static pthread_once_t nobodys_once = PTHREAD_ONCE_INIT;

static void make_nobodys_verifier(void)
{
	struct err e;

	if (auth_verifier_make("nobody's password", nobodys_verifier, &e) < 0)
		log_error("nobodys-verifier", "%s", log_err(&e));
}

/* Spends what a check would cost. */
static void pretend_to_check(const char *password)
{
	pthread_once(&nobodys_once, make_nobodys_verifier);
	(void)auth_verifier_matches(nobodys_verifier, password);
}

static bool password_is_right(struct site *site, const struct directory_user *user, const char *password)
{
	int64_t live_ms = (int64_t)setting_get(site, SETTING_VERIFIER_CACHE_TIME) * 1000;

	if (auth_verifier_is_plain(user->verifier)) {
		if (auth_verifier_matches(user->verifier, password))
			return true;
		pretend_to_check(password); /* guessing stays slow, and nobody stands out */
		return false;
	}
	if (live_ms && auth_cache_has(user->id, user->verifier, password))
		return true;
	if (!auth_verifier_matches(user->verifier, password))
		return false;
	auth_cache_put(user->id, user->verifier, password, live_ms);
	return true;
}

static int no_such(struct err *e)
{
	return err_set(e, ERR_AUTH, "no such user, or the user has no password or is disabled");
}

/* A user who may come in; AUTH. */
static int find(struct site *site, const char *name, struct arena *arena, struct directory_user *user_r, struct err *e)
{
	if (directory_user_find(site, name, arena, user_r, e) < 0)
		return e->code == ERR_NOTFOUND || e->code == ERR_INVALID ? no_such(e) : -1;
	return user_r->disabled ? no_such(e) : 0;
}

static void tell(const struct directory_user *user, struct account *who_r)
{
	who_r->id = user->id;
	snprintf(who_r->name, sizeof who_r->name, "%s", user->name);
}

static int check_password(const struct account_source *source, unsigned door, const char *name, const char *password,
    struct account *who_r, struct err *e)
{
	struct directory_user user = {0};
	struct arena arena = {0};
	int r = find(source->site, name, &arena, &user, e);

	(void)door;
	if (r == 0 && !user.verifier)
		r = no_such(e);
	if (r < 0 && e->code == ERR_AUTH)
		pretend_to_check(password);
	if (r == 0 && !password_is_right(source->site, &user, password))
		r = err_set(e, ERR_AUTH, "wrong password");
	if (r == 0)
		tell(&user, who_r);
	arena_fini(&arena);
	return r;
}

static int check_proven(const struct account_source *source, const char *name, struct account *who_r, struct err *e)
{
	struct directory_user user = {0};
	struct arena arena = {0};
	int r = find(source->site, name, &arena, &user, e);

	if (r == 0)
		tell(&user, who_r);
	arena_fini(&arena);
	return r;
}

static int check_scram(const struct account_source *source, const char *name, struct account_scram *keys_r, struct err *e)
{
	(void)source, (void)name, (void)keys_r;
	return err_set(e, ERR_UNSUPPORTED, "nobody has keys for SCRAM");
}

static int check_token(const struct account_source *source, const char *name, struct str_view token,
    struct account *who_r, struct err *e)
{
	(void)source, (void)name, (void)token, (void)who_r;
	return err_set(e, ERR_UNSUPPORTED, "nobody signs tokens");
}

static unsigned what_is_able(const struct account_source *source)
{
	(void)source;
	return ACCOUNT_ABLE_PASSWORD;
}

struct account_source account_source(struct site *site)
{
	return (struct account_source){
	    .site = site,
	    .able = what_is_able,
	    .password = check_password,
	    .scram = check_scram,
	    .token = check_token,
	    .proven = check_proven,
	};
}

/*
 * auth/login.c - a user name and password become a session.
 *
 * The order matters: the password first, always and at the price of a whole hash even when there is
 * no such user, then the limits.  So a stranger learns neither who has a mailbox nor who is at his
 * limit.
 */
#include "auth/login.h"
#include "auth/cache_priv.h"
#include "base/log.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <pthread.h>
#include <string.h>

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

static bool password_is_right(struct site *site, const struct directory_user *user,
    const char *password)
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

static int refuse_stranger(const char *password, struct err *e)
{
	pretend_to_check(password);
	return err_set(e, ERR_AUTH, "no such user, or the user has no password or is disabled");
}

static int authenticate(struct site *site, const char *name, const char *password,
    struct arena *arena, struct directory_user *user_r, struct err *e)
{
	struct directory_user user = {0};

	if (directory_user_find(site, name, arena, &user, e) < 0) {
		if (e->code == ERR_NOTFOUND || e->code == ERR_INVALID)
			return refuse_stranger(password, e);
		return -1;
	}
	if (!user.verifier || user.disabled)
		return refuse_stranger(password, e);
	if (!password_is_right(site, &user, password))
		return err_set(e, ERR_AUTH, "wrong password");
	*user_r = user;
	return 0;
}

static bool is_administrator(const struct directory_user *user)
{
	return user->permissions &
	       (PERMISSION_ADMINISTRATOR | PERMISSION_VIEW_INFORMATION_STORE_STATUS);
}

int auth_login(struct site *site, const struct auth_peer *peer, const char *name,
    const char *password, struct session **session_r, struct session_refusal *why_r, struct err *e)
{
	struct session_request request = {
	    .service = peer->service,
	    .peer = peer->address,
	    .ended = peer->ended,
	    .ended_arg = peer->ended_arg,
	};
	struct directory_user user = {0};
	struct arena arena = {0};
	int result = -1;

	if (authenticate(site, name, password, &arena, &user, e) < 0)
		goto out;
	request.actor = request.mailbox = user.id;
	request.actor_name = request.mailbox_name = user.name;
	request.administrator = is_administrator(&user);
	request.policy = user.policy;
	result = session_acquire(site, &request, session_r, why_r, e);
out:
	arena_fini(&arena);
	return result;
}

/* Who opens another's mailbox has to be an administrator. */
static int may_open(const struct directory_user *actor, const struct directory_user *mailbox,
    struct err *e)
{
	if (actor->id.n == mailbox->id.n || actor->permissions & PERMISSION_ADMINISTRATOR)
		return 0;
	return err_set(e, ERR_PERM, "%s may not open the mailbox of %s", actor->name, mailbox->name);
}

int auth_open(struct site *site, enum session_service service, const char *mailbox,
    const char *actor, const struct session_request *more, struct session **session_r,
    struct session_refusal *why_r, struct err *e)
{
	struct session_request request = more ? *more : (struct session_request){0};
	struct directory_user owner, opener;
	struct arena arena = {0};
	int result = -1;

	if (directory_user_find(site, mailbox, &arena, &owner, e) < 0)
		goto out;
	opener = owner;
	if (actor && directory_user_find(site, actor, &arena, &opener, e) < 0)
		goto out;
	if (may_open(&opener, &owner, e) < 0)
		goto out;
	request.service = service;
	request.actor = opener.id;
	request.actor_name = opener.name;
	request.mailbox = owner.id;
	request.mailbox_name = owner.name;
	request.administrator = is_administrator(&opener);
	request.policy = opener.policy;
	result = session_acquire(site, &request, session_r, why_r, e);
out:
	arena_fini(&arena);
	return result;
}

/* "127.…:PORT", "[::1]:PORT" or "unix:PID". */
static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
	       strncmp(address, "unix:", 5) == 0;
}

bool auth_plaintext_allowed(struct site *site, const char *address, bool is_tls)
{
	const char *rule = site_conf(site, "auth", "plaintext", "loopback");

	if (is_tls || strcmp(rule, "always") == 0)
		return true;
	return strcmp(rule, "never") != 0 && is_loopback(address);
}

/*
 * auth/login.c - somebody becomes a session.
 *
 * The order matters: first he proves who he is (auth/account.h), then the limits.  So a stranger learns
 * neither who has a mailbox nor who is at his limit.
 */
#include "auth/login.h"
#include "auth/reap.h"
#include "base/log.h"
#include "store/directory.h"

#include <string.h>

/* The limits that the user's own sessions fill. */
static bool is_own_limit(enum session_layer layer)
{
	return layer == SESSION_LAYER_STORE_USER || layer == SESSION_LAYER_STORE_SERVICE ||
	       layer == SESSION_LAYER_PROTOCOL || layer == SESSION_LAYER_POLICY;
}

/* Tries it, and after a look for the dead once more; what was refused is recorded at the end. */
static int acquire(struct site *site, const struct auth_peer *peer, struct session_request *request,
    struct session **session_r, struct session_refusal *why_r, struct err *e)
{
	int result;

	if (!peer->reap)
		return session_acquire(site, request, session_r, why_r, e);
	if (*peer->reap && !reap_is_done(*peer->reap))
		return err_set(e, ERR_TEMP, "dead holders are looked for");
	request->is_first_try = !*peer->reap;
	result = session_acquire(site, request, session_r, why_r, e);
	if (*peer->reap) {
		reap_free(peer->reap);
		return result;
	}
	if (result == 0)
		return 0;
	if (is_own_limit(why_r->layer) && (*peer->reap = reap_new(site, peer->conn, request)))
		return err_set(e, ERR_TEMP, "dead holders are looked for");
	session_refused(site, request, why_r);
	return -1;
}

int auth_admit(struct site *site, const struct auth_peer *peer, const char *name, struct session **session_r,
    struct session_refusal *why_r, struct err *e)
{
	struct session_request request = {
	    .service = peer->service,
	    .peer = peer->address,
	    .is_tls = peer->is_tls,
	    .application = peer->application,
	    .ended = peer->ended,
	    .ended_arg = peer->ended_arg,
	};
	struct directory_user user = {0};
	struct arena arena = {0};
	int result = -1;

	if (directory_user_find(site, name, &arena, &user, e) < 0) {
		if (peer->reap)
			reap_free(peer->reap);
		goto out;
	}
	request.actor = request.mailbox = user.id;
	request.actor_name = request.mailbox_name = user.name;
	request.administrator = directory_user_is_privileged(&user);
	request.policy = user.policy;
	result = acquire(site, peer, &request, session_r, why_r, e);
	if (result == 0 && peer->application)
		log_info("application-password", "user=%s application=%s peer=%s session=%s", LOG_Q(user.name),
		    LOG_Q(peer->application), peer->address, session_id(*session_r));
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
	request.administrator = directory_user_is_privileged(&opener);
	request.policy = opener.policy;
	result = session_acquire(site, &request, session_r, why_r, e);
out:
	arena_fini(&arena);
	return result;
}

/* "127.…:PORT", "[::1]:PORT" or "unix:PID"; or without the port. */
static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0 || strcmp(address, "::1") == 0 ||
	       strncmp(address, "unix:", 5) == 0;
}

bool auth_plaintext_allowed(struct site *site, const char *address, bool is_tls)
{
	const char *rule = site_conf(site, "auth", "plaintext", "loopback");

	if (is_tls || strcmp(rule, "always") == 0)
		return true;
	return strcmp(rule, "never") != 0 && is_loopback(address);
}

/*
 * pop3d/login.c - a user name and a password, by PASS or by AUTH: a session, the store, the maildrop;
 * or the words of a refusal (KB 980049).
 */
#include "base/log.h"
#include "limits/policy.h"
#include "pop3d/client.h"
#include "pop3d/delay.h"
#include "store/directory.h"

#include <string.h>

/* On a thread of limits/: an administrator ends the session. */
static void ended(void *arg)
{
	const struct pop3_client *client = arg;

	net_end(conn_server(client->conn), conn_id(client->conn));
}

/* A reply has 512 octets at most (RFC 2449 4); what stands around the reason is less than this. */
#define REASON_MAX (512 - 64)

/*
 * The store's refusal is told in the original words; by default with a response code before them,
 * since a client takes a bare -ERR at login for a wrong password.  The layers in front have words of
 * their own.
 */
static void refuse(struct pop3_client *client, const char *user, const struct session_refusal *why,
    const struct err *e)
{
	bool exact = setting_get(client->site, SETTING_REFUSAL_STYLE) == 1;

	log_info("login-refused", "user=%s peer=%s layer=%s limit=\"%s\" value=%u held=%u why=\"%s\"", LOG_Q(user),
	    conn_peer(client->conn), session_layer_name(why->layer), why->limit, why->value, why->held, why->explain);
	switch (why->layer) {
	case SESSION_LAYER_STORE_USER:
	case SESSION_LAYER_STORE_SERVICE:
	case SESSION_LAYER_STORE_PER_SERVICE:
		if (exact)
			pop3_reply(client, "-ERR Server Unavailable. 15");
		else
			pop3_reply(client, "-ERR [SYS/TEMP] Server Unavailable. 15; %.*s", REASON_MAX, why->explain);
		break;
	case SESSION_LAYER_PROTOCOL:
	case SESSION_LAYER_POLICY:
		pop3_reply(client, "-ERR [SYS/TEMP] too many connections; %.*s", REASON_MAX, why->explain);
		break;
	case SESSION_LAYER_NONE:
	case SESSION_LAYER_TROUBLE:
		pop3_reply_err(client, "login", e);
		break;
	}
}

static enum pop3_next wrong_password(struct pop3_client *client, const char *user,
    const struct err *e)
{
	log_warn("login-failed", "user=%s peer=%s %s", LOG_Q(user), conn_peer(client->conn),
	    log_err(e));
	pop3_reply(client, "-ERR [AUTH] user name or password is wrong");
	/* No worker waits to slow a guesser down; he has to connect again. */
	return ++client->failures >= setting_get(client->site, SETTING_LOGON_FAILURES_MAX) ? POP3_QUIT
											   : POP3_DONE;
}

/* With a session in hand: what it is for.  What is over its time goes before the snapshot is taken, since
 * nothing goes while a session looks at it. */
static int open_maildrop(struct pop3_client *client, struct err *e)
{
	enum maildrop_utf8 utf8 = client->utf8
				      ? MAILDROP_UTF8_AS_IS
				      : (enum maildrop_utf8)setting_get(client->site, SETTING_POP_UTF8_HEADERS);
	size_t gone_n;

	if (store_open(client->session, &client->store, e) < 0)
		return -1;
	if (client->expire_days != SETTING_NULL && client->expire_days > 0) {
		if (maildrop_expire(client->store, client->expire_days, &gone_n, e) < 0)
			return -1;
		if (gone_n)
			log_info("expired", "user=%s messages=%zu", session_actor_name(client->session), gone_n);
	}
	return maildrop_open(client->store, setting_get(client->site, SETTING_POP_MESSAGES_MAX), utf8,
	    &client->maildrop, e);
}

static void enter_transaction(struct pop3_client *client)
{
	client->state = POP3_TRANSACTION;
	conn_authenticated(client->conn, session_actor(client->session).n);
	conn_set_timeout(client->conn, (int64_t)setting_get(client->site, SETTING_POP_TIMEOUT) * 1000);
	log_info("login", "user=%s peer=%s tls=%d messages=%zu",
	    session_actor_name(client->session), conn_peer(client->conn), conn_is_tls(client->conn),
	    client->maildrop.n);
	pop3_reply(client, "+OK %zu messages, %llu octets", client->maildrop.n,
	    (unsigned long long)client->maildrop.left_octets);
}

static enum pop3_next failed(struct pop3_client *client, const char *user, const struct err *e)
{
	switch (e->code) {
	case ERR_AUTH:
		return wrong_password(client, user, e);
	case ERR_INVALID:
		pop3_reply(client, "-ERR [AUTH] that is no answer of this mechanism");
		break;
	case ERR_UNSUPPORTED:
		pop3_reply(client, "-ERR no such mechanism");
		break;
	default:
		log_warn("login-undecided", "peer=%s %s", conn_peer(client->conn), log_err(e));
		pop3_reply(client, "-ERR [SYS/TEMP] logins can't be checked now; try again later");
	}
	return POP3_DONE;
}

/* What the user's policy says of his sessions, and who he is (0: nobody that is known). */
static struct user_id read_policy(struct pop3_client *client, const char *name)
{
	struct directory_user user = {0};
	struct arena arena = {0};
	struct err e;

	if (directory_user_find(client->site, name, &arena, &user, &e) < 0)
		user = (struct directory_user){0};
	client->login_delay_s = policy_value(client->site, user.policy, SETTING_POLICY_POP_LOGIN_DELAY);
	client->expire_days = policy_value(client->site, user.policy, SETTING_POLICY_POP_EXPIRE);
	arena_fini(&arena);
	return user.id;
}

static void open_session(struct pop3_client *client, const char *user)
{
	const struct auth_peer peer = {
	    .service = SESSION_POP3,
	    .address = conn_peer(client->conn),
	    .is_tls = conn_is_tls(client->conn),
	    .application = ask_application(client->ask),
	    .ended = ended,
	    .ended_arg = client,
	    .conn = client->conn,
	    .reap = &client->reap,
	};
	struct session_refusal why = {0};
	struct err e;

	if (auth_admit(client->site, &peer, user, &client->session, &why, &e) < 0) {
		if (client->reap)
			return;
		if (why.layer != SESSION_LAYER_NONE)
			refuse(client, user, &why, &e);
		else
			pop3_reply_err(client, "login", &e);
		return;
	}
	if (open_maildrop(client, &e) < 0) {
		pop3_reply_err(client, "open", &e);
		if (client->store)
			store_close(&client->store);
		session_release(&client->session);
		return;
	}
	session_tell_open(client->session, "INBOX");
	enter_transaction(client);
}

static enum pop3_next admit(struct pop3_client *client, const char *user)
{
	struct user_id id = read_policy(client, user);
	bool is_delayed = client->login_delay_s > 0 && id.n;
	uint32_t left_s;

	if (is_delayed && !client->reap && !pop3_delay_take(id, client->login_delay_s, &left_s)) {
		log_info("login-delayed", "user=%s peer=%s", LOG_Q(user), conn_peer(client->conn));
		pop3_reply(client, "-ERR [LOGIN-DELAY] too soon after the last login; in %u seconds", left_s);
		return POP3_DONE;
	}
	open_session(client, user);
	if (client->reap)
		return POP3_HOLD;
	if (is_delayed && !client->session)
		pop3_delay_give_back(id);
	return POP3_DONE;
}

enum pop3_next pop3_login_settle(struct pop3_client *client)
{
	enum pop3_next next = POP3_HOLD;

	switch (ask_look(client->ask)) {
	case ASK_WAITING:
	case ASK_MORE:
		return POP3_HOLD;
	case ASK_DONE:
		next = admit(client, ask_user(client->ask));
		if (next == POP3_HOLD)
			return next;
		break;
	case ASK_FAILED:
		next = failed(client, ask_user(client->ask), ask_error(client->ask));
		break;
	}
	ask_end(&client->ask);
	return next;
}

void pop3_login_peer(const struct pop3_client *client, struct sasl_conn *peer)
{
	sasl_conn_init(peer, client->site, client->conn, ACCOUNT_DOOR_POP3, pop3_plaintext_allowed(client));
}

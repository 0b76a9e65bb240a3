/* imapd/login.c - a name and a password become a session; or the words of a refusal, which are
 * exactly those of the reference (KB 980049) where the store's own limits refuse. */
#include "imapd/login.h"

#include "auth/login.h"
#include "base/log.h"
#include "imapd/reply.h"
#include "limits/registry.h"

/* The words of KB 980049; RefusalStyle exact sends them bare, coded puts [LIMIT] before them and an
 * explanation first, since clients take a bare NO at login for a wrong password. */
static const char server_unavailable[] = "Server Unavailable. 15";
enum refusal_style { REFUSAL_CODED, REFUSAL_EXACT };

static enum imap_next refuse(struct imap_req *req, const char *user,
    const struct session_refusal *why)
{
	bool exact = setting_get(req->client->site, SETTING_REFUSAL_STYLE) == REFUSAL_EXACT;

	log_info("login-refused", "user=%s peer=%s layer=%s limit=\"%s\" value=%u held=%u why=\"%s\"", LOG_Q(user),
	    conn_peer(req->client->conn), session_layer_name(why->layer), why->limit, why->value, why->held, why->explain);
	if (why->layer == SESSION_LAYER_NONE || why->layer == SESSION_LAYER_TROUBLE)
		return req_no(req, "UNAVAILABLE", "Sessions can't be counted now; please try again later");
	if (!exact)
		reply_untagged(req->client, "NO", "LIMIT", why->explain);
	if (why->layer == SESSION_LAYER_PROTOCOL || why->layer == SESSION_LAYER_POLICY)
		return req_no(req, "LIMIT", arena_printf(&req->client->arena,
		    "You hold %u connections; %s allows %u", why->held, why->limit, why->value));
	return req_no(req, exact ? NULL : "LIMIT", server_unavailable);
}

static enum imap_next wrong_password(struct imap_req *req, const char *user)
{
	struct client *client = req->client;

	log_info("login-failed", "user=%s peer=%s", LOG_Q(user), conn_peer(client->conn));
	if (++client->login_failed_n >=
	    setting_get(client->site, SETTING_LOGON_FAILURES_MAX))
		client_bye(client, NULL, "Too many failed logins");
	return req_no(req, "AUTHENTICATIONFAILED", "User name or password is wrong");
}

static enum imap_next welcome(struct imap_req *req)
{
	struct str_buf words = {0};
	const char *code;

	reply_put_capabilities(&words, req->client);
	code = arena_printf(&req->client->arena, "CAPABILITY %s", words.p);
	str_buf_fini(&words);
	return req_ok(req, code, "Logged in");
}

static enum imap_next failed(struct imap_req *req, const char *user, const struct err *why)
{
	switch (why->code) {
	case ERR_AUTH:
		return wrong_password(req, user);
	case ERR_INVALID:
		return req_no(req, "AUTHENTICATIONFAILED", "That is no answer of this mechanism");
	case ERR_UNSUPPORTED:
		return req_no(req, "CANNOT", "There is no such mechanism here");
	default:
		log_warn("login-undecided", "peer=%s %s", conn_peer(req->client->conn), log_err(why));
		return req_no(req, "UNAVAILABLE", "Logins can't be checked now; please try again later");
	}
}

static enum imap_next admit(struct imap_req *req, const char *user, struct err *e)
{
	struct client *client = req->client;
	const struct auth_peer peer = {
	    .service = SESSION_IMAP4,
	    .address = conn_peer(client->conn),
	    .is_tls = conn_is_tls(client->conn),
	    .application = ask_application(client->ask),
	    .ended = client_wake,
	    .ended_arg = client,
	    .conn = client->conn,
	    .reap = &client->reap,
	};
	struct session_refusal why = {0};
	struct session *session;
	struct store *store;

	if (auth_admit(client->site, &peer, user, &session, &why, e) != 0)
		return e->code == ERR_LIMIT ? refuse(req, user, &why) : client->reap ? IMAP_HOLD : IMAP_FAIL;
	if (store_open(session, &store, e) != 0) {
		session_release(&session);
		return IMAP_FAIL;
	}
	client_log_in(client, session, store);
	return welcome(req);
}

enum imap_next login_settle(struct imap_req *req, struct err *e)
{
	struct ask *ask = req->client->ask;

	switch (ask_look(ask)) {
	case ASK_WAITING:
	case ASK_MORE:
		break;
	case ASK_DONE:
		return admit(req, ask_user(ask), e);
	case ASK_FAILED:
		return failed(req, ask_user(ask), ask_error(ask));
	}
	return IMAP_HOLD;
}

void login_peer(const struct client *client, struct sasl_conn *peer)
{
	sasl_conn_init(peer, client->site, client->conn, ACCOUNT_DOOR_IMAP, client_may_log_in(client));
}

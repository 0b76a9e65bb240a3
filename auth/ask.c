/* auth/ask.c - questions to authd: made, numbered, waited for, given up. */
#include "auth/ask_priv.h"

#include "auth/wire.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "net/conn.h"
#include "store/credential.h"

#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GREETING_WAIT_MS 1000 /* then it offers what there was before */

struct asking asking = {.lock = PTHREAD_MUTEX_INITIALIZER};

int asking_begin(struct site *site, struct err *e)
{
	(void)e;
	asking.site = site;
	asking.able = ACCOUNT_ABLE_PASSWORD;
	asking.able_generation = 0;
	/* The runtime folder's path may be longer than an address has room for. */
	snprintf(asking.address, sizeof asking.address, NET_UNIX "/proc/self/fd/%d/" WIRE_SOCKET, site_runtime_fd(site));
	return 0;
}

void asking_end(void)
{
	str_buf_fini(&asking.out);
	asking.site = NULL;
}

/* ---- the table, with the lock held ---- */

static struct ask **place_of(uint32_t id)
{
	struct ask **at = &asking.table[id % ASK_BUCKETS];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

struct ask *ask_find(uint32_t id)
{
	return *place_of(id);
}

static void list(struct ask *ask)
{
	do
		ask->id = ++asking.last_id;
	while (*place_of(ask->id));
	ask->is_listed = true;
	*place_of(ask->id) = ask;
	asking.asks_n++;
}

static void unlist(struct ask *ask)
{
	if (!ask->is_listed)
		return;
	*place_of(ask->id) = ask->next;
	ask->next = NULL;
	ask->is_listed = false;
	asking.asks_n--;
}

static int64_t recall_ms(void)
{
	return 1000 * (int64_t)setting_get(asking.site, SETTING_VERIFIER_CACHE_TIME);
}

/* Neither name has a tab in it. */
static void remember(const struct ask *ask)
{
	struct str_buf both = {0};

	str_buf_printf(&both, "%s\t%s", ask->user, ask->app ? ask->app : "");
	recall_put(&ask->key, both.p, recall_ms());
	str_buf_fini(&both);
}

static bool is_recalled(struct ask *ask)
{
	char *both = ask->is_to_recall ? recall_find(&ask->key) : NULL, *app = both ? strchr(both, '\t') : NULL;

	if (app) {
		*app++ = '\0';
		ask->user = mem_str(both);
		ask->app = *app ? mem_str(app) : NULL;
	}
	free(both);
	return app != NULL;
}

void ask_settle(struct ask *ask, enum ask_state state)
{
	if (state != ASK_MORE)
		unlist(ask);
	if (state == ASK_DONE && ask->is_to_recall)
		remember(ask);
	ask->state = state;
	net_hand_over(ask->server, ask->conn_id);
}

void ask_settle_failed(struct ask *ask, enum err_code code, const char *what)
{
	err_set(&ask->error, code, "%s", what);
	ask_settle(ask, ASK_FAILED);
}

/* ---- asking ---- */

static int64_t answer_ms(void)
{
	return (int64_t)setting_get(asking.site, SETTING_LOGIN_ANSWER_TIME) * 1000;
}

/* From now on the connection waits. */
static void wait_for(struct ask *ask, int64_t ms)
{
	ask->state = ASK_WAITING;
	ask->due_ms = clock_mono_ms() + ms;
	conn_hold_for(ask->conn, ms);
}

/* With the lock held: the line goes out soon; wiped. */
static void say(struct net_server *server, struct str_buf *line)
{
	str_buf_put(&asking.out, line->p, line->n);
	explicit_bzero(line->p, line->size);
	str_buf_fini(line);
	if (!asking.is_woken)
		net_hand_over(server, asking.link);
	asking.is_woken = true;
}

/* With the lock held. */
static int reach_authd(struct ask *ask)
{
	struct err e;

	if (asking.link || net_dial(ask->server, asking.address, &ask_link_door, NULL, &asking.link, &e) == 0)
		return 0;
	log_warn("authd-not-reached", "%s", log_err(&e));
	return -1;
}

static struct ask *ask_new(struct conn *conn, int64_t ms)
{
	struct ask *ask = mem_alloc(sizeof *ask);

	ask->conn = conn;
	ask->conn_id = conn_id(conn);
	ask->server = conn_server(conn);
	wait_for(ask, ms);
	return ask;
}

/* Nothing of it may be told apart by the protocol's lines, nor be longer than authd takes. */
static bool is_sayable(struct str_view base64)
{
	for (size_t i = 0; i < base64.n; i++)
		if (base64.p[i] <= ' ' || base64.p[i] > '~')
			return false;
	return true;
}

static bool fits(const struct str_buf *line)
{
	return line->n < setting_get(asking.site, SETTING_LOGIN_LINE_MAX);
}

static void fail(struct ask *ask, enum err_code code, const char *what)
{
	err_set(&ask->error, code, "%s", what);
	ask->state = ASK_FAILED;
}

/* "VERB id REST", where REST was made before there was a number. */
static void post(struct ask *ask, const char *verb, struct str_buf *rest)
{
	struct str_buf line = {0};

	pthread_mutex_lock(&asking.lock);
	if (asking.asks_n >= setting_get(asking.site, SETTING_LOGIN_REQUESTS_MAX)) {
		fail(ask, ERR_UNAVAILABLE, "too many logins are under way");
	} else if (reach_authd(ask) < 0) {
		fail(ask, ERR_UNAVAILABLE, "authd can't be reached");
	} else {
		list(ask);
		str_buf_room(&line, rest->n + 32); /* grown before, so that no copy is left behind */
		str_buf_printf(&line, "%s\t%u", verb, ask->id);
		str_buf_put(&line, rest->p, rest->n);
		str_buf_putc(&line, '\n');
		say(ask->server, &line);
	}
	pthread_mutex_unlock(&asking.lock);
}

/* "192.0.2.1:50123" and "[2001:db8::1]:50123" without the port; where there is no address, nothing. */
static void put_address(struct str_buf *out, const char *peer)
{
	const char *end = strrchr(peer, ':');
	size_t brackets = *peer == '[';

	if (!end || strncmp(peer, NET_UNIX, sizeof NET_UNIX - 1) == 0)
		return;
	str_buf_puts(out, "\trip=");
	str_buf_put(out, peer + brackets, (size_t)(end - peer) - 2 * brackets);
}

static void put_binding(struct str_buf *out, const struct sasl_peer *peer)
{
	static const char digits[] = "0123456789abcdef";

	if (peer->binding == SASL_BINDING_NONE)
		return;
	str_buf_puts(out, peer->binding == SASL_BINDING_EXPORTER ? "\ttls-exporter=" : "\ttls-unique=");
	for (size_t i = 0; i < peer->binding_octets.n; i++) {
		unsigned char octet = (unsigned char)peer->binding_octets.p[i];

		str_buf_putc(out, digits[octet / 16]);
		str_buf_putc(out, digits[octet % 16]);
	}
}

static void put_peer(struct str_buf *out, const struct conn *conn, const struct sasl_peer *peer)
{
	wire_put_parameter(out, "service", account_door_name(peer->door));
	str_buf_puts(out, "\tcodes");
	put_address(out, conn_peer(conn));
	if (peer->is_private)
		str_buf_puts(out, "\tsecured");
	put_binding(out, peer);
	if (peer->external) {
		str_buf_puts(out, "\tvalid-client-cert");
		wire_put_parameter(out, "cert_username", peer->external);
	}
}

static void wipe(struct str_buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->size);
	str_buf_fini(b);
}

static void post_sasl(struct ask *ask, const struct sasl_peer *peer, struct str_view mechanism, struct str_view base64)
{
	struct str_buf rest = {0};

	str_buf_room(&rest, mechanism.n + base64.n + 1024);
	str_buf_putc(&rest, '\t');
	wire_put(&rest, mechanism);
	put_peer(&rest, ask->conn, peer);
	if (base64.p) {
		str_buf_puts(&rest, "\tresp=");
		str_buf_put(&rest, base64.p, base64.n);
	}
	if (is_sayable(base64) && fits(&rest))
		post(ask, "AUTH", &rest);
	else
		fail(ask, ERR_INVALID, "no answer of a mechanism");
	wipe(&rest);
}

struct ask *ask_sasl(struct conn *conn, const struct sasl_peer *peer, struct str_view mechanism, struct str_view base64)
{
	struct ask *ask = ask_new(conn, answer_ms());

	post_sasl(ask, peer, mechanism, base64);
	return ask;
}

/* Any change to an account voids what was said, and each place is asked about once, since authd counts by place.  While
 * an account changes (no generation), or where nothing is to be remembered, authd is asked each time. */
static void set_key(struct ask *ask, const struct sasl_peer *peer, const char *user, const char *password)
{
	uint64_t generation = credential_generation(asking.site);
	unsigned char how[] = {(unsigned char)peer->door, peer->is_private};
	const char *address = conn_peer(ask->conn), *port = strrchr(address, ':');
	const struct str_view parts[] = {
	    {(const char *)&generation, sizeof generation},
	    {(const char *)how, sizeof how},
	    {address, port ? (size_t)(port - address) : strlen(address)},
	    {user, strlen(user)},
	    {password, strlen(password)},
	};

	ask->is_to_recall = generation && recall_ms();
	if (ask->is_to_recall)
		ask->key = recall_key_of(parts, sizeof parts / sizeof *parts);
}

struct ask *ask_password(struct conn *conn, const struct sasl_peer *peer, const char *user, const char *password)
{
	struct ask *ask = ask_new(conn, answer_ms());
	struct str_buf plain = {0};
	char *base64 = NULL;

	set_key(ask, peer, user, password);
	if (is_recalled(ask)) {
		ask->state = ASK_DONE;
		return ask;
	}
	/* RFC 4616 2 */
	str_buf_room(&plain, strlen(user) + strlen(password) + 3);
	str_buf_putc(&plain, '\0');
	str_buf_puts(&plain, user);
	str_buf_putc(&plain, '\0');
	str_buf_puts(&plain, password);
	CHECK(gsasl_base64_to(plain.p, plain.n, &base64, NULL) == GSASL_OK);
	post_sasl(ask, peer, SV("PLAIN"), str_view(base64, strlen(base64)));
	explicit_bzero(base64, strlen(base64));
	gsasl_free(base64);
	wipe(&plain);
	return ask;
}

void ask_more(struct ask *ask, struct str_view base64)
{
	struct str_buf line = {0};

	str_buf_room(&line, base64.n + 32);
	pthread_mutex_lock(&asking.lock);
	/* authd may have ended it while the peer thought. */
	if (ask->is_listed) {
		wait_for(ask, answer_ms());
		str_buf_printf(&line, "CONT\t%u\t", ask->id);
		str_buf_put(&line, base64.p, base64.n);
		str_buf_putc(&line, '\n');
		if (!is_sayable(base64) || !fits(&line))
			fail(ask, ERR_INVALID, "no answer of a mechanism");
		else
			say(ask->server, &line);
	}
	pthread_mutex_unlock(&asking.lock);
	wipe(&line);
}

/* ---- what came of it ---- */

enum ask_state ask_look(struct ask *ask)
{
	enum ask_state state;

	pthread_mutex_lock(&asking.lock);
	if (ask->state == ASK_WAITING && clock_mono_ms() >= ask->due_ms) {
		log_warn("authd-too-slow", "peer=%s", conn_peer(ask->conn));
		fail(ask, ERR_UNAVAILABLE, "authd did not answer in time");
	}
	state = ask->state;
	pthread_mutex_unlock(&asking.lock);
	return state;
}

struct str_view ask_challenge(const struct ask *ask)
{
	return str_buf_view(&ask->challenge);
}

const char *ask_user(const struct ask *ask)
{
	return ask->user ? ask->user : "";
}

const char *ask_application(const struct ask *ask)
{
	return ask->app;
}

const struct err *ask_error(const struct ask *ask)
{
	return &ask->error;
}

void ask_end(struct ask **at)
{
	struct ask *ask = *at;
	struct str_buf line = {0};

	if (!ask)
		return;
	pthread_mutex_lock(&asking.lock);
	if (ask->is_listed) {
		unlist(ask);
		str_buf_printf(&line, "CANCEL\t%u\n", ask->id);
		say(ask->server, &line);
	}
	pthread_mutex_unlock(&asking.lock);
	str_buf_fini(&ask->challenge);
	free(ask->user);
	free(ask->app);
	mem_free(at);
}

/* ---- what can be used ---- */

unsigned ask_able(void)
{
	unsigned able;

	pthread_mutex_lock(&asking.lock);
	able = asking.able;
	pthread_mutex_unlock(&asking.lock);
	return able;
}

/* NULL: what is known holds still. */
static struct ask *ask_what_is_able(struct conn *conn)
{
	uint64_t generation = credential_generation(asking.site);
	struct str_buf nothing = {0};
	struct ask *ask;
	bool is_known;

	pthread_mutex_lock(&asking.lock);
	is_known = generation && asking.able_generation == generation;
	pthread_mutex_unlock(&asking.lock);
	if (is_known)
		return NULL;
	ask = ask_new(conn, GREETING_WAIT_MS);
	ask->generation = generation;
	post(ask, "MECHS", &nothing);
	return ask;
}

bool ask_able_is_known(struct conn *conn, struct ask **ask)
{
	if (!*ask)
		*ask = ask_what_is_able(conn);
	if (*ask && ask_look(*ask) == ASK_WAITING)
		return false;
	ask_end(ask);
	return true;
}

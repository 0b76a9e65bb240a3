/* authd/map.c - see map.h. */
#include "authd/map.h"

#include "auth/login.h"
#include "auth/service.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/recipient.h"
#include "limits/registry.h"
#include "store/directory.h"
#include "store/domain.h"
#include "store/quota.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_DIGITS_MAX 9

/* A question: what is asked, and what is put into an answer. */
struct question {
	struct site *site;
	const char *key;
	struct arena arena;
	struct str_buf *out;
};

enum map_parsed map_netstring(struct str_view *in, size_t most, struct str_view *text_r)
{
	size_t digits = 0;
	uint64_t n;

	while (digits < in->n && in->p[digits] >= '0' && in->p[digits] <= '9')
		digits++;
	if (digits > LENGTH_DIGITS_MAX || (digits > 1 && in->p[0] == '0'))
		return MAP_MALFORMED;
	if (digits == in->n)
		return MAP_PART;
	if (!str_number(str_view(in->p, digits), most, &n) || in->p[digits] != ':')
		return MAP_MALFORMED;
	if (in->n < digits + 1 + n + 1)
		return MAP_PART;
	if (in->p[digits + 1 + n] != ',')
		return MAP_MALFORMED;
	*text_r = str_view(in->p + digits + 1, n);
	*in = str_view(in->p + digits + n + 2, in->n - digits - n - 2);
	return MAP_WHOLE;
}

/* --- the maps ------------------------------------------------------------------------------ */

static void ok(struct question *q, const char *value)
{
	str_buf_puts(q->out, "OK ");
	str_buf_puts(q->out, value);
}

static void not_found(struct question *q)
{
	str_buf_puts(q->out, "NOTFOUND ");
}

/* An address that is none of ours is not found; what keeps us from saying is for later. */
static void not_answered(struct question *q, const struct err *e)
{
	if (e->code == ERR_NOTFOUND || e->code == ERR_INVALID || e->code == ERR_PERM) {
		not_found(q);
		return;
	}
	log_error("map-trouble", "%s", log_err(e));
	str_buf_puts(q->out, e->code == ERR_BUSY ? "TIMEOUT the mailbox is busy" : "TEMP the store can't be read now");
}

/* True, or it is answered. */
static bool find(struct question *q, struct recipient *to_r)
{
	struct mail_path path;
	struct err e;

	if (!mail_path_take(q->key, &q->arena, &path) || path.is_null) {
		not_found(q);
		return false;
	}
	if (recipient_find(q->site, &path, &q->arena, to_r, &e) == 0)
		return true;
	not_answered(q, &e);
	return false;
}

static void domains(struct question *q)
{
	enum domain_kind kind;
	struct err e;

	if (domain_kind(q->site, str_view(q->key, strlen(q->key)), &kind, &e) < 0)
		not_answered(q, &e);
	else if (kind == DOMAIN_FOREIGN)
		not_found(q);
	else
		ok(q, q->key);
}

static void mailboxes(struct question *q)
{
	struct recipient to;

	if (find(q, &to))
		ok(q, to.user_name);
}

/* The user's own address: in the domain that was asked for, where that is a name of his. */
static void aliases(struct question *q)
{
	const char *at = strrchr(q->key, '@'), *own;
	struct directory_user user;
	struct err e;

	if (!at) {
		not_found(q);
		return;
	}
	if (directory_user_find(q->site, q->key, &q->arena, &user, &e) < 0 ||
	    domain_address(q->site, user.name, at + 1, &q->arena, &own, &e) < 0) {
		not_answered(q, &e);
		return;
	}
	if (user.disabled || directory_names_equal(own, q->key))
		not_found(q);
	else
		ok(q, own);
}

static bool is_full(const struct quota *quota)
{
	return (quota->octets.most && quota->octets_used >= quota->octets.most) ||
	       (quota->messages.most && quota->messages_used >= quota->messages.most);
}

static int read_quota(struct site *site, const char *user, struct quota *quota_r, struct err *e)
{
	struct session_refusal why;
	struct session *session;
	struct store *store;
	int result;

	if (auth_open(site, SESSION_TRANSPORT, user, NULL, NULL, &session, &why, e) < 0)
		return -1;
	result = store_open(session, &store, e);
	if (result == 0) {
		result = quota_get(store, quota_r, e);
		store_close(&store);
	}
	session_release(&session);
	return result;
}

/* For check_recipient_access: DUNNO lets the other restrictions judge. */
static void quota(struct question *q)
{
	bool bounces = setting_get(q->site, SETTING_OVER_QUOTA) == 0;
	struct recipient to;
	struct quota of;
	struct err e;

	if (!find(q, &to))
		return;
	if (read_quota(q->site, to.user_name, &of, &e) < 0)
		not_answered(q, &e);
	else if (is_full(&of))
		ok(q, bounces ? "552 5.2.2 the mailbox is full" : "452 4.2.2 the mailbox is full");
	else
		ok(q, "DUNNO");
}

static const struct {
	const char *name;
	void (*answer)(struct question *q);
} maps[] = {
    {"domains", domains},
    {"mailboxes", mailboxes},
    {"aliases", aliases},
    {"senders", mailboxes}, /* the user's name is his login */
    {"quota", quota},
};

void map_answer(struct site *site, struct str_view question, struct str_buf *out)
{
	const char *blank = question.n ? memchr(question.p, ' ', question.n) : NULL;
	size_t name_n = blank ? (size_t)(blank - question.p) : question.n;
	struct question q = {.site = site, .out = out};

	str_buf_clear(out);
	if (!blank || memchr(question.p, '\0', question.n)) {
		str_buf_puts(out, "PERM that is no question: say MAP KEY");
		return;
	}
	q.key = arena_strn(&q.arena, blank + 1, question.n - name_n - 1);
	for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
		if (str_equal(str_view(question.p, name_n), str_view(maps[i].name, strlen(maps[i].name)))) {
			maps[i].answer(&q);
			arena_fini(&q.arena);
			return;
		}
	str_buf_puts(out, "PERM there is no such map");
	arena_fini(&q.arena);
}

/* --- the door's callbacks ------------------------------------------------------------------ */

struct map_client {
	struct site *site;
};

static void *map_open(struct conn *conn, void *door_arg)
{
	struct map_client *client = mem_alloc(sizeof *client);

	(void)conn;
	client->site = door_arg;
	return client;
}

static void map_close(struct conn *conn, void *state, enum conn_end end)
{
	(void)conn, (void)end;
	free(state);
}

static enum conn_next map_run(struct conn *conn, void *state, unsigned events)
{
	struct map_client *client = state;
	size_t most = setting_get(client->site, SETTING_MAP_REQUEST_MAX);
	struct str_buf out = {0};
	enum conn_next next = CONN_WAIT;

	if (events & CONN_OPENED) /* nobody logs in: each connection counts as somebody */
		conn_authenticated(conn, conn_id(conn));
	if (events & CONN_STOPPING)
		return CONN_CLOSE;
	while (next == CONN_WAIT) {
		struct str_view in = conn_input(conn), question;
		size_t before_n = in.n;
		enum map_parsed parsed = map_netstring(&in, most, &question);

		if (parsed == MAP_PART)
			break;
		if (parsed == MAP_MALFORMED) {
			log_warn("map-protocol", "peer=%s why=\"no netstring, or too long\"", conn_peer(conn));
			next = CONN_CLOSE;
			break;
		}
		map_answer(client->site, question, &out);
		conn_printf(conn, "%zu:%s,", out.n, out.p);
		conn_take(conn, before_n - in.n);
		if (conn_should_yield(conn))
			next = CONN_YIELD;
	}
	str_buf_fini(&out);
	return next;
}

const struct net_door map_door = {
    .name = "socketmap",
    .open = map_open,
    .run = map_run,
    .close = map_close,
    .admit = service_admit,
};

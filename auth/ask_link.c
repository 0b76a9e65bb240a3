/* auth/ask_link.c - the one connection to authd: lines out, answers in.  When it ends, whoever waits is told so. */
#include "auth/ask_priv.h"

#include "auth/wire.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "net/conn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Challenges of mechanisms are a few hundred octets; what authd says of them, a little more. */
#define ANSWER_MAX 65536

/* ---- answers, with the lock held ---- */

static bool is(struct str_view word, const char *text)
{
	return str_equal(word, str_view(text, strlen(text)));
}

static void take_challenge(struct ask *ask, struct str_view rest)
{
	struct str_view word = {0};

	wire_word(&rest, &word);
	str_buf_clear(&ask->challenge);
	str_buf_put(&ask->challenge, word.p, word.n);
	ask_settle(ask, ASK_MORE);
}

static void take_text(char **at, struct str_view value)
{
	struct arena arena = {0};
	const char *text = wire_text(value, &arena);

	free(*at);
	*at = text ? mem_str(text) : NULL;
	arena_fini(&arena);
}

static void take_ok(struct ask *ask, struct str_view rest)
{
	struct str_view word, name, value;

	while (wire_word(&rest, &word)) {
		wire_parameter(word, &name, &value);
		if (is(name, "user"))
			take_text(&ask->user, value);
		else if (is(name, WIRE_APPLICATION))
			take_text(&ask->app, value);
	}
	if (ask->user)
		ask_settle(ask, ASK_DONE);
	else
		ask_settle_failed(ask, ERR_UNAVAILABLE, "authd named nobody");
}

static void take_fail(struct ask *ask, struct str_view rest)
{
	struct str_view word, name, value;
	enum err_code code = ERR_AUTH;

	while (wire_word(&rest, &word)) {
		wire_parameter(word, &name, &value);
		if (is(name, "user"))
			take_text(&ask->user, value);
		else if (is(name, "temp"))
			code = ERR_UNAVAILABLE;
		else if (is(word, "code=" WIRE_CODE_MALFORMED))
			code = ERR_INVALID;
		else if (is(word, "code=" WIRE_CODE_NO_MECHANISM))
			code = ERR_UNSUPPORTED;
	}
	ask_settle_failed(ask, code, code == ERR_AUTH ? "it proved nothing" : "authd could not say");
}

static void take_mechanisms(struct ask *ask, struct str_view rest)
{
	struct str_view word;

	asking.able = 0;
	while (wire_word(&rest, &word))
		asking.able |= sasl_able_of(word);
	asking.able_generation = ask->generation;
	ask_settle(ask, ASK_DONE);
}

static const struct {
	const char *verb;
	void (*take)(struct ask *ask, struct str_view rest);
} answers[] = {
    {"CONT", take_challenge},
    {"OK", take_ok},
    {"FAIL", take_fail},
    {"MECHS", take_mechanisms},
};

static bool take_version(struct str_view rest)
{
	struct str_view word;
	uint64_t major;

	return wire_word(&rest, &word) && str_number(word, UINT32_MAX, &major) && major == WIRE_MAJOR;
}

/* False: that is no authd.  Of what it says at first, the version alone matters; an answer to what was given up comes
 * to nobody. */
static bool take_line(struct str_view line)
{
	struct str_view verb = {0}, word;
	struct ask *ask;
	uint64_t id;

	wire_word(&line, &verb);
	if (is(verb, "VERSION"))
		return take_version(line);
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		if (!is(verb, answers[i].verb))
			continue;
		if (!wire_word(&line, &word) || !str_number(word, UINT32_MAX, &id))
			return false;
		ask = ask_find((uint32_t)id);
		if (ask && ask->state == ASK_WAITING)
			answers[i].take(ask, line);
		else if (ask && is(verb, "FAIL")) /* while the peer thinks: it took too long */
			answers[i].take(ask, line);
		break;
	}
	return true;
}

/* ---- the door's callbacks ---- */

static void *link_open(struct conn *conn, void *nothing)
{
	(void)conn, (void)nothing;
	return NULL;
}

static void link_close(struct conn *conn, void *nothing, enum conn_end end)
{
	(void)nothing;
	log_info("authd-link-ended", "why=%s", conn_end_name(end));
	pthread_mutex_lock(&asking.lock);
	if (asking.link == conn_id(conn)) {
		asking.link = 0;
		asking.is_woken = false;
		asking.able_generation = 0; /* another authd may be able to do something else */
		if (asking.out.p)
			explicit_bzero(asking.out.p, asking.out.size);
		str_buf_fini(&asking.out);
		for (unsigned i = 0; i < ASK_BUCKETS; i++)
			while (asking.table[i])
				ask_settle_failed(asking.table[i], ERR_UNAVAILABLE, "authd is gone");
	}
	pthread_mutex_unlock(&asking.lock);
}

static void put_questions(struct conn *conn)
{
	pthread_mutex_lock(&asking.lock);
	asking.is_woken = false;
	if (asking.out.n) {
		conn_put(conn, asking.out.p, asking.out.n);
		explicit_bzero(asking.out.p, asking.out.n);
	}
	if (asking.out.size > ANSWER_MAX)
		str_buf_fini(&asking.out);
	str_buf_clear(&asking.out);
	pthread_mutex_unlock(&asking.lock);
}

static enum conn_next link_run(struct conn *conn, void *nothing, unsigned events)
{
	struct str_view line;
	bool is_good = true;

	(void)nothing;
	if (events & CONN_OPENED) {
		conn_authenticated(conn, conn_id(conn)); /* it counts as somebody, with a share of workers */
		conn_keep_secret(conn);
		conn_printf(conn, "VERSION\t%d\t%d\nCPID\t%d\n", WIRE_MAJOR, WIRE_MINOR, (int)getpid());
	}
	if (events & CONN_STOPPING)
		return CONN_CLOSE;
	put_questions(conn);
	for (;;) {
		switch (conn_line(conn, ANSWER_MAX, &line)) {
		case CONN_LINE_PART:
			return CONN_WAIT;
		case CONN_LINE_TOO_LONG:
			is_good = false;
			break;
		case CONN_LINE:
			pthread_mutex_lock(&asking.lock);
			is_good = take_line(line);
			pthread_mutex_unlock(&asking.lock);
		}
		if (!is_good) {
			log_warn("authd-protocol", "it does not speak the protocol");
			return CONN_CLOSE;
		}
	}
}

const struct net_door ask_link_door = {
    .name = "authd-link",
    .open = link_open,
    .run = link_run,
    .close = link_close,
};

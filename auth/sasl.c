/*
 * auth/sasl.c - PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677) and EXTERNAL (RFC 4422 A)
 * at a server's side: libgsasl does the exchange and asks, and what it asks is the account source's to say.
 */
#include "auth/sasl.h"
#include "base/check.h"
#include "base/mem.h"

#include <gsasl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A peer that answers every challenge with nothing is not asked for ever. */
#define SASL_STEPS_MAX 4

/* What a mechanism can't do without; bits. */
enum needs {
	NEEDS_PASSWORD = 1, /* enum account_able, shifted not at all */
	NEEDS_SCRAM = 2,
	NEEDS_TOKEN = 4,
	NEEDS_ABLE = 7,
	NEEDS_PRIVACY = 8, /* the secret itself goes over the wire */
	NEEDS_BINDING = 16,
	NEEDS_EXTERNAL = 32,
};
_Static_assert(NEEDS_PASSWORD == (int)ACCOUNT_ABLE_PASSWORD && NEEDS_SCRAM == (int)ACCOUNT_ABLE_SCRAM &&
	NEEDS_TOKEN == (int)ACCOUNT_ABLE_TOKEN, "what sources are able to do");

struct mechanism {
	const char *name;
	unsigned needs;
	bool server_first; /* the server asks before it hears anything */
	bool is_one_message;
};

struct sasl {
	const struct mechanism *mechanism;
	struct account_source source;
	struct sasl_peer peer;
	Gsasl_session *session;
	char binding[SASL_BINDING_MAX], *external; /* the peer's */
	char *claimed;
	struct account who;
	struct credential_scram keys;
	struct err error;
	unsigned steps;
	bool has_asked;    /* for the keys */
	bool is_proven;    /* who is known */
	bool is_last_said; /* the last words are out: nothing is to come but an empty answer */
};

/* The best first: clients take the first that they know. */
static const struct mechanism mechanisms[] = {
    {"EXTERNAL", NEEDS_EXTERNAL, false, true},
    {"SCRAM-SHA-256-PLUS", NEEDS_SCRAM | NEEDS_BINDING, false, false},
    {"SCRAM-SHA-256", NEEDS_SCRAM, false, false},
    {"PLAIN", NEEDS_PASSWORD | NEEDS_PRIVACY, false, true},
    {"LOGIN", NEEDS_PASSWORD | NEEDS_PRIVACY, true, false},
};
#define MECHANISMS_N (sizeof mechanisms / sizeof *mechanisms)

static Gsasl *library;
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* libgsasl asks for a channel's data while a session starts, when it can't be told yet whose it is. */
static _Thread_local struct sasl *starting;

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	mem_free(text);
}

static int set_octets(Gsasl_session *session, Gsasl_property property, const void *octets, size_t n)
{
	char *text = NULL;

	if (gsasl_base64_to(octets, n, &text, NULL) != GSASL_OK)
		return GSASL_MALLOC_ERROR;
	gsasl_property_set(session, property, text);
	wipe(&text);
	return GSASL_OK;
}

/* To act as somebody else is not offered (RFC 4616 2): who is named has to be who it is. */
static int is_himself(struct sasl *sasl, const char *authzid)
{
	struct account named;

	if (!authzid || !*authzid || strcasecmp(authzid, sasl->claimed) == 0)
		return 0;
	if (sasl->source.proven(&sasl->source, authzid, &named, &sasl->error) < 0)
		return -1;
	if (named.id.n != sasl->who.id.n)
		return err_set(&sasl->error, ERR_AUTH, "asked to act as another user");
	return 0;
}

static int proven(struct sasl *sasl, int r, const char *authzid)
{
	sasl->is_proven = r == 0 && is_himself(sasl, authzid) == 0;
	return sasl->is_proven ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
}

static void claim(struct sasl *sasl, const char *name)
{
	free(sasl->claimed);
	sasl->claimed = mem_str(name);
}

static int check_password(struct sasl *sasl)
{
	const char *name = gsasl_property_fast(sasl->session, GSASL_AUTHID);
	const char *password = gsasl_property_fast(sasl->session, GSASL_PASSWORD);
	int r;

	if (!name || !password)
		return GSASL_AUTHENTICATION_ERROR;
	claim(sasl, name);
	r = sasl->source.password(&sasl->source, sasl->peer.door, name, password, &sasl->who, &sasl->error);
	return proven(sasl, r, gsasl_property_fast(sasl->session, GSASL_AUTHZID));
}

static int check_external(struct sasl *sasl)
{
	int r;

	claim(sasl, sasl->peer.external);
	r = sasl->source.proven(&sasl->source, sasl->peer.external, &sasl->who, &sasl->error);
	return proven(sasl, r, gsasl_property_fast(sasl->session, GSASL_AUTHZID));
}

/* Once an exchange: asked again, an account that changes meanwhile would answer out of two. */
static int find_keys(struct sasl *sasl)
{
	const char *name = gsasl_property_fast(sasl->session, GSASL_AUTHID);

	if (sasl->has_asked)
		return sasl->keys.iterations ? 0 : -1;
	if (!name)
		return err_set(&sasl->error, ERR_INVALID, "no user was named");
	claim(sasl, name);
	sasl->has_asked = true;
	return sasl->source.scram(&sasl->source, name, &sasl->keys, &sasl->error);
}

static int answer_scram(struct sasl *sasl, Gsasl_property property)
{
	const struct credential_scram *keys = &sasl->keys;
	char number[16];

	if (find_keys(sasl) < 0)
		return GSASL_AUTHENTICATION_ERROR;
	switch (property) {
	case GSASL_SCRAM_ITER:
		snprintf(number, sizeof number, "%u", keys->iterations);
		gsasl_property_set(sasl->session, property, number);
		return GSASL_OK;
	case GSASL_SCRAM_SALT:
		return set_octets(sasl->session, property, keys->salt, keys->salt_n);
	case GSASL_SCRAM_STOREDKEY:
		return set_octets(sasl->session, property, keys->stored_key, sizeof keys->stored_key);
	default:
		return set_octets(sasl->session, property, keys->server_key, sizeof keys->server_key);
	}
}

static int answer_binding(struct sasl *sasl, Gsasl_property property)
{
	enum sasl_binding asked = property == GSASL_CB_TLS_UNIQUE ? SASL_BINDING_UNIQUE : SASL_BINDING_EXPORTER;

	if (sasl->peer.binding != asked)
		return GSASL_NO_CALLBACK;
	return set_octets(sasl->session, property, sasl->peer.binding_octets.p, sasl->peer.binding_octets.n);
}

static int answer(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
	struct sasl *sasl = gsasl_session_hook_get(session);

	(void)gsasl;
	if (!sasl) {
		sasl = starting;
		sasl->session = session;
	}
	switch (property) {
	case GSASL_VALIDATE_SIMPLE:
		return check_password(sasl);
	case GSASL_VALIDATE_EXTERNAL:
		return check_external(sasl);
	case GSASL_SCRAM_ITER:
	case GSASL_SCRAM_SALT:
	case GSASL_SCRAM_STOREDKEY:
	case GSASL_SCRAM_SERVERKEY:
		return answer_scram(sasl, property);
	case GSASL_CB_TLS_UNIQUE:
	case GSASL_CB_TLS_EXPORTER:
		return answer_binding(sasl, property);
	default:
		return GSASL_NO_CALLBACK;
	}
}

static void begin_library(void)
{
	CHECK(gsasl_init(&library) == GSASL_OK);
	gsasl_callback_set(library, answer);
}

static bool is_usable(const struct mechanism *m, unsigned able, const struct sasl_peer *peer)
{
	return (m->needs & NEEDS_ABLE & ~able) == 0 && !(m->needs & NEEDS_PRIVACY && !peer->is_private) &&
	       !(m->needs & NEEDS_BINDING && peer->binding == SASL_BINDING_NONE) &&
	       !(m->needs & NEEDS_EXTERNAL && !peer->external);
}

void sasl_put_mechanisms(const struct account_source *source, const struct sasl_peer *peer, struct str_buf *out)
{
	unsigned able = source->able(source);
	const char *blank = "";

	for (size_t i = 0; i < MECHANISMS_N; i++)
		if (is_usable(&mechanisms[i], able, peer)) {
			str_buf_printf(out, "%s%s", blank, mechanisms[i].name);
			blank = " ";
		}
}

static const struct mechanism *find(struct str_view name)
{
	for (size_t i = 0; i < MECHANISMS_N; i++)
		if (str_equal_nocase(name, str_view(mechanisms[i].name, strlen(mechanisms[i].name))))
			return &mechanisms[i];
	return NULL;
}

int sasl_begin(const struct account_source *source, const struct sasl_peer *peer, struct str_view name,
    struct sasl **sasl_r, struct err *e)
{
	const struct mechanism *mechanism = find(name);
	struct sasl *sasl;

	if (!mechanism || !is_usable(mechanism, source->able(source), peer))
		return err_set(e, ERR_UNSUPPORTED, "no such SASL mechanism here");
	pthread_once(&once, begin_library);
	sasl = mem_alloc(sizeof(*sasl));
	sasl->mechanism = mechanism;
	sasl->source = *source;
	sasl->peer = *peer;
	sasl->peer.external = peer->external ? sasl->external = mem_str(peer->external) : NULL;
	CHECK(peer->binding_octets.n <= sizeof sasl->binding);
	if (peer->binding_octets.n)
		memcpy(sasl->binding, peer->binding_octets.p, peer->binding_octets.n);
	sasl->peer.binding_octets.p = sasl->binding;
	starting = sasl;
	if (gsasl_server_start(library, mechanism->name, &sasl->session) != GSASL_OK) {
		free(sasl->external);
		free(sasl);
		return err_set(e, ERR_UNSUPPORTED, "libgsasl does not begin %s", mechanism->name);
	}
	gsasl_session_hook_set(sasl->session, sasl);
	*sasl_r = sasl;
	return 0;
}

static enum sasl_result fail(struct sasl *sasl, enum err_code code)
{
	if (sasl->error.code == ERR_NONE)
		err_set(&sasl->error, code, code == ERR_AUTH ? "it proved nothing" : "no answer of %s",
		    sasl->mechanism->name);
	return SASL_FAILED;
}

/* SCRAM proves its own: what is left to ask is whether the account may come in. */
static bool is_let_in(struct sasl *sasl)
{
	if (sasl->mechanism->needs & NEEDS_SCRAM) {
		int r = sasl->source.proven(&sasl->source, sasl->claimed, &sasl->who, &sasl->error);

		proven(sasl, r, gsasl_property_fast(sasl->session, GSASL_AUTHZID));
	}
	return sasl->is_proven;
}

static enum sasl_result end(struct sasl *sasl, const struct str_buf *last_words)
{
	if (!is_let_in(sasl))
		return fail(sasl, ERR_AUTH);
	if (last_words->n == 0 || sasl->peer.ends_with_words)
		return SASL_DONE;
	sasl->is_last_said = true;
	return SASL_MORE;
}

static enum sasl_result step(struct sasl *sasl, const char *in, struct str_buf *out)
{
	char *words = NULL;
	int result = gsasl_step64(sasl->session, in, &words);

	str_buf_clear(out);
	if (words && (result == GSASL_NEEDS_MORE || result == GSASL_OK))
		str_buf_puts(out, words);
	gsasl_free(words);
	if (result == GSASL_OK)
		return end(sasl, out);
	if (result == GSASL_NEEDS_MORE && ++sasl->steps < SASL_STEPS_MAX)
		return SASL_MORE;
	return fail(sasl, result == GSASL_AUTHENTICATION_ERROR ? ERR_AUTH : ERR_INVALID);
}

enum sasl_result sasl_step(struct sasl *sasl, struct str_view in, struct str_buf *out)
{
	bool is_given = in.p != NULL, is_server_first = sasl->mechanism->server_first;
	enum sasl_result result;
	char *text;

	if (in.n == 1 && in.p[0] == '=') /* said, and empty (RFC 4954 4, RFC 5034 4) */
		in.n = 0;
	if (sasl->is_last_said) {
		str_buf_clear(out);
		return in.n ? fail(sasl, ERR_INVALID) : SASL_DONE;
	}
	if (!is_given && !is_server_first && sasl->steps++ == 0) { /* an empty challenge (RFC 4422 3) */
		str_buf_clear(out);
		return SASL_MORE;
	}
	/* A first word for a mechanism in which the server speaks first answers its first question. */
	if (is_given && sasl->steps == 0 && is_server_first && step(sasl, "", out) != SASL_MORE)
		return SASL_FAILED;
	if (in.n && memchr(in.p, '\0', in.n))
		return fail(sasl, ERR_INVALID);
	text = mem_strn(in.p, in.n);
	result = step(sasl, text, out);
	wipe(&text);
	/* Who sends less than the one message is not asked again (RFC 4616 2). */
	if (result == SASL_MORE && is_given && sasl->mechanism->is_one_message)
		return fail(sasl, ERR_INVALID);
	return result;
}

const struct account *sasl_account(const struct sasl *sasl)
{
	return &sasl->who;
}

const struct err *sasl_error(const struct sasl *sasl)
{
	return &sasl->error;
}

const char *sasl_claimed(const struct sasl *sasl)
{
	return sasl->claimed ? sasl->claimed : "";
}

void sasl_free(struct sasl **sasl)
{
	if (!*sasl)
		return;
	gsasl_finish((*sasl)->session);
	free((*sasl)->claimed);
	free((*sasl)->external);
	explicit_bzero(&(*sasl)->keys, sizeof (*sasl)->keys);
	mem_free(sasl);
}

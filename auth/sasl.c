/*
 * auth/sasl.c - PLAIN (RFC 4616) and LOGIN, at a server's side, by libgsasl: it does the exchange,
 * and we keep what it was told.  Whether the password is right is auth_login's to say, so that there
 * is one way to a session.
 */
#include "auth/sasl.h"
#include "base/check.h"
#include "base/mem.h"

#include <gsasl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A peer that answers every challenge with nothing is not asked for ever. */
#define SASL_STEPS_MAX 4

struct sasl {
	Gsasl_session *session;
	char *user, *password;
	unsigned steps;
	bool server_first; /* LOGIN: the server asks before it hears anything */
};

static const struct mechanism {
	const char *name;
	bool server_first;
} mechanisms[] = {
    {"PLAIN", false},
    {"LOGIN", true},
};

static Gsasl *library;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	mem_free(text);
}

/* libgsasl has the names and the password, and asks whether they are good. */
static int validate(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
	struct sasl *sasl = gsasl_session_hook_get(session);
	const char *authzid, *user, *password;

	(void)gsasl;
	if (property != GSASL_VALIDATE_SIMPLE)
		return GSASL_NO_CALLBACK;
	authzid = gsasl_property_fast(session, GSASL_AUTHZID);
	user = gsasl_property_fast(session, GSASL_AUTHID);
	password = gsasl_property_fast(session, GSASL_PASSWORD);
	/* To act as somebody else is not offered (RFC 4616 2). */
	if (!user || !password || (authzid && *authzid && strcasecmp(authzid, user) != 0))
		return GSASL_AUTHENTICATION_ERROR;
	wipe(&sasl->user);
	wipe(&sasl->password);
	sasl->user = mem_str(user);
	sasl->password = mem_str(password);
	return GSASL_OK;
}

static void begin_library(void)
{
	CHECK(gsasl_init(&library) == GSASL_OK);
	gsasl_callback_set(library, validate);
}

const char *sasl_mechanisms(bool plaintext_allowed)
{
	return plaintext_allowed ? "PLAIN LOGIN" : "";
}

static const struct mechanism *find(struct str_view name)
{
	for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
		if (str_equal_nocase(name, str_view(mechanisms[i].name, strlen(mechanisms[i].name))))
			return &mechanisms[i];
	return NULL;
}

int sasl_begin(struct str_view name, struct sasl **sasl_r, struct err *e)
{
	const struct mechanism *mechanism = find(name);
	struct sasl *sasl;

	if (!mechanism)
		return err_set(e, ERR_UNSUPPORTED, "no such SASL mechanism");
	pthread_once(&once, begin_library);
	sasl = mem_alloc(sizeof(*sasl));
	if (gsasl_server_start(library, mechanism->name, &sasl->session) != GSASL_OK) {
		free(sasl);
		return err_set(e, ERR_UNSUPPORTED, "libgsasl does not know %s", mechanism->name);
	}
	gsasl_session_hook_set(sasl->session, sasl);
	sasl->server_first = mechanism->server_first;
	*sasl_r = sasl;
	return 0;
}

static enum sasl_result step(struct sasl *sasl, const char *in, struct str_buf *out)
{
	char *answer = NULL;
	int result = gsasl_step64(sasl->session, in, &answer);

	str_buf_clear(out);
	if (result == GSASL_NEEDS_MORE && answer)
		str_buf_puts(out, answer);
	gsasl_free(answer);
	if (result == GSASL_NEEDS_MORE)
		return ++sasl->steps < SASL_STEPS_MAX ? SASL_MORE : SASL_FAILED;
	return result == GSASL_OK && sasl->user ? SASL_DONE : SASL_FAILED;
}

enum sasl_result sasl_step(struct sasl *sasl, struct str_view in, struct str_buf *out)
{
	char *text;
	enum sasl_result result;

	/* A first word for a mechanism in which the server speaks first answers its first question. */
	if (in.p && sasl->steps == 0 && sasl->server_first && step(sasl, "", out) != SASL_MORE)
		return SASL_FAILED;
	if (in.n == 1 && in.p[0] == '=') /* said, and empty (RFC 4954 4, RFC 5034 4) */
		in.n = 0;
	if (in.n && memchr(in.p, '\0', in.n))
		return SASL_FAILED;
	text = mem_alloc(in.n + 1);
	if (in.n)
		memcpy(text, in.p, in.n);
	result = step(sasl, text, out);
	wipe(&text);
	/* PLAIN is one message (RFC 4616 2): who sends less is not asked again. */
	if (result == SASL_MORE && in.p && !sasl->server_first)
		return SASL_FAILED;
	return result;
}

const char *sasl_user(const struct sasl *sasl)
{
	return sasl->user;
}

const char *sasl_password(const struct sasl *sasl)
{
	return sasl->password;
}

void sasl_free(struct sasl **sasl)
{
	if (!*sasl)
		return;
	gsasl_finish((*sasl)->session);
	wipe(&(*sasl)->user);
	wipe(&(*sasl)->password);
	mem_free(sasl);
}

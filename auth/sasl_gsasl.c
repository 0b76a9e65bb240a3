/*
 * auth/sasl_gsasl.c - the mechanisms that libgsasl speaks: it does the exchange and asks, and what it asks is the account
 * source's to say.
 */
#include "auth/sasl_priv.h"
#include "base/check.h"
#include "base/mem.h"

#include <gsasl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A peer that answers every challenge with nothing is not asked for ever. */
#define STEPS_MAX 4

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

static int proven(struct sasl *sasl, int r)
{
	return sasl_prove(sasl, r, gsasl_property_fast(sasl->session, GSASL_AUTHZID)) ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
}

static int check_external(struct sasl *sasl)
{
	int r;

	sasl_claim(sasl, sasl->peer.external);
	r = sasl->source.proven(&sasl->source, sasl->peer.external, &sasl->who, &sasl->error);
	return proven(sasl, r);
}

/* Once an exchange: asked again, an account that changes meanwhile would answer out of two. */
static int find_keys(struct sasl *sasl)
{
	const char *name = gsasl_property_fast(sasl->session, GSASL_AUTHID);

	if (sasl->has_asked)
		return sasl->keys.iterations ? 0 : -1;
	if (!name)
		return err_set(&sasl->error, ERR_INVALID, "no user was named");
	sasl_claim(sasl, name);
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

int sasl_gsasl_begin(struct sasl *sasl, struct err *e)
{
	pthread_once(&once, begin_library);
	starting = sasl;
	if (gsasl_server_start(library, sasl->mechanism->name, &sasl->session) != GSASL_OK)
		return err_set(e, ERR_UNSUPPORTED, "libgsasl does not begin %s", sasl->mechanism->name);
	gsasl_session_hook_set(sasl->session, sasl);
	return 0;
}

void sasl_gsasl_end(struct sasl *sasl)
{
	if (sasl->session)
		gsasl_finish(sasl->session);
}

/* SCRAM proves its own: what is left to ask is whether the account may come in. */
static bool is_let_in(struct sasl *sasl)
{
	if (sasl->mechanism->needs & SASL_NEEDS_SCRAM)
		proven(sasl, sasl->source.proven(&sasl->source, sasl->claimed, &sasl->who, &sasl->error));
	return sasl->is_proven;
}

static enum sasl_result end(struct sasl *sasl, const struct str_buf *last_words)
{
	if (!is_let_in(sasl))
		return sasl_fail(sasl, ERR_AUTH);
	if (last_words->n == 0 || sasl->peer.ends_with_words)
		return SASL_DONE;
	sasl->is_last_said = true;
	return SASL_MORE;
}

enum sasl_result sasl_gsasl_step(struct sasl *sasl, const char *in, struct str_buf *out)
{
	char *words = NULL;
	int result = gsasl_step64(sasl->session, in, &words);

	if (words && (result == GSASL_NEEDS_MORE || result == GSASL_OK))
		str_buf_puts(out, words);
	gsasl_free(words);
	if (result == GSASL_OK)
		return end(sasl, out);
	if (result == GSASL_NEEDS_MORE && ++sasl->steps < STEPS_MAX)
		return SASL_MORE;
	return sasl_fail(sasl, result == GSASL_AUTHENTICATION_ERROR ? ERR_AUTH : ERR_INVALID);
}

/* --- base64, for those of our own ---------------------------------------------------------------- */

char *sasl_base64_decode(const char *base64, size_t *n_r)
{
	char *octets = NULL, *ended;

	*n_r = 0;
	if (*base64 == '\0')
		return mem_str("");
	if (gsasl_base64_from(base64, strlen(base64), &octets, n_r) != GSASL_OK)
		return NULL;
	ended = mem_strn(octets, *n_r); /* libgsasl puts no NUL behind */
	explicit_bzero(octets, *n_r);
	gsasl_free(octets);
	return ended;
}

void sasl_base64_put(struct str_buf *out, struct str_view octets)
{
	char *base64 = NULL;

	CHECK(gsasl_base64_to(octets.p, octets.n, &base64, NULL) == GSASL_OK);
	str_buf_puts(out, base64);
	gsasl_free(base64);
}

/*
 * auth/sasl.c - the frame of SASL at a server's side: SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677) and EXTERNAL
 * (RFC 4422 A) by libgsasl (sasl_gsasl.c), PLAIN (RFC 4616) and LOGIN (sasl_plain.c), OAUTHBEARER (RFC 7628) and XOAUTH2
 * (sasl_oauth.c) by us.
 */
#include "auth/sasl_priv.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

_Static_assert(SASL_NEEDS_PASSWORD == (int)ACCOUNT_ABLE_PASSWORD && SASL_NEEDS_SCRAM == (int)ACCOUNT_ABLE_SCRAM &&
	SASL_NEEDS_TOKEN == (int)ACCOUNT_ABLE_TOKEN, "what sources are able to do");

/* The best first: clients take the first that they know. */
static const struct sasl_mechanism mechanisms[] = {
    {"EXTERNAL", SASL_NEEDS_EXTERNAL, false, true, sasl_gsasl_begin, sasl_gsasl_step},
    {"SCRAM-SHA-256-PLUS", SASL_NEEDS_SCRAM | SASL_NEEDS_BINDING, false, false, sasl_gsasl_begin, sasl_gsasl_step},
    {"SCRAM-SHA-256", SASL_NEEDS_SCRAM, false, false, sasl_gsasl_begin, sasl_gsasl_step},
    {"OAUTHBEARER", SASL_NEEDS_TOKEN | SASL_NEEDS_PRIVACY, false, false, NULL, sasl_oauthbearer_step},
    {"XOAUTH2", SASL_NEEDS_TOKEN | SASL_NEEDS_PRIVACY, false, false, NULL, sasl_xoauth2_step},
    {"PLAIN", SASL_NEEDS_PASSWORD | SASL_NEEDS_PRIVACY, false, true, NULL, sasl_plain_step},
    {"LOGIN", SASL_NEEDS_PASSWORD | SASL_NEEDS_PRIVACY, true, false, NULL, sasl_login_step},
};
#define MECHANISMS_N (sizeof mechanisms / sizeof *mechanisms)

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	mem_free(text);
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

bool sasl_prove(struct sasl *sasl, int r, const char *authzid)
{
	sasl->is_proven = r == 0 && is_himself(sasl, authzid) == 0;
	return sasl->is_proven;
}

void sasl_claim(struct sasl *sasl, const char *name)
{
	free(sasl->claimed);
	sasl->claimed = mem_str(name);
}

static bool is_usable(const struct sasl_mechanism *m, unsigned able, const struct sasl_peer *peer)
{
	return (m->needs & SASL_NEEDS_ABLE & ~able) == 0 && !(m->needs & SASL_NEEDS_PRIVACY && !peer->is_private) &&
	       !(m->needs & SASL_NEEDS_BINDING && peer->binding == SASL_BINDING_NONE) &&
	       !(m->needs & SASL_NEEDS_EXTERNAL && !peer->external);
}

void sasl_put_mechanisms(unsigned able, const struct sasl_peer *peer, struct str_buf *out)
{
	const char *blank = "";

	for (size_t i = 0; i < MECHANISMS_N; i++)
		if (is_usable(&mechanisms[i], able, peer)) {
			str_buf_printf(out, "%s%s", blank, mechanisms[i].name);
			blank = " ";
		}
}

static const struct sasl_mechanism *find(struct str_view name)
{
	for (size_t i = 0; i < MECHANISMS_N; i++)
		if (str_equal_nocase(name, str_view(mechanisms[i].name, strlen(mechanisms[i].name))))
			return &mechanisms[i];
	return NULL;
}

bool sasl_is_usable(unsigned able, const struct sasl_peer *peer, struct str_view name)
{
	const struct sasl_mechanism *mechanism = find(name);

	return mechanism && is_usable(mechanism, able, peer);
}

unsigned sasl_able_of(struct str_view name)
{
	const struct sasl_mechanism *mechanism = find(name);

	return mechanism ? mechanism->needs & SASL_NEEDS_ABLE : 0;
}

int sasl_begin(const struct account_source *source, const struct sasl_peer *peer, struct str_view name,
    struct sasl **sasl_r, struct err *e)
{
	const struct sasl_mechanism *mechanism = find(name);
	struct sasl *sasl;

	if (!mechanism || !is_usable(mechanism, source->able(source), peer))
		return err_set(e, ERR_UNSUPPORTED, "no such SASL mechanism here");
	sasl = mem_alloc(sizeof(*sasl));
	sasl->mechanism = mechanism;
	sasl->source = *source;
	sasl->peer = *peer;
	sasl->peer.external = peer->external ? sasl->external = mem_str(peer->external) : NULL;
	CHECK(peer->binding_octets.n <= sizeof sasl->binding);
	if (peer->binding_octets.n)
		memcpy(sasl->binding, peer->binding_octets.p, peer->binding_octets.n);
	sasl->peer.binding_octets.p = sasl->binding;
	if (mechanism->begin && mechanism->begin(sasl, e) < 0) {
		free(sasl->external);
		free(sasl);
		return -1;
	}
	*sasl_r = sasl;
	return 0;
}

enum sasl_result sasl_fail(struct sasl *sasl, enum err_code code)
{
	if (sasl->error.code == ERR_NONE)
		err_set(&sasl->error, code, code == ERR_AUTH ? "it proved nothing" : "no answer of %s",
		    sasl->mechanism->name);
	return SASL_FAILED;
}

static enum sasl_result step(struct sasl *sasl, const char *in, struct str_buf *out)
{
	str_buf_clear(out);
	return sasl->mechanism->step(sasl, in, out);
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
		return in.n ? sasl_fail(sasl, ERR_INVALID) : SASL_DONE;
	}
	if (!is_given && !is_server_first && sasl->steps++ == 0) { /* an empty challenge (RFC 4422 3) */
		str_buf_clear(out);
		return SASL_MORE;
	}
	/* A first word for a mechanism in which the server speaks first answers its first question. */
	if (is_given && sasl->steps == 0 && is_server_first && step(sasl, "", out) != SASL_MORE)
		return SASL_FAILED;
	if (in.n && memchr(in.p, '\0', in.n))
		return sasl_fail(sasl, ERR_INVALID);
	text = mem_strn(in.p, in.n);
	result = step(sasl, text, out);
	wipe(&text);
	/* Who sends less than the one message is not asked again (RFC 4616 2). */
	if (result == SASL_MORE && is_given && sasl->mechanism->is_one_message)
		return sasl_fail(sasl, ERR_INVALID);
	return result;
}

void sasl_again(struct sasl *sasl)
{
	sasl->error = (struct err){0};
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
	sasl_gsasl_end(*sasl);
	free((*sasl)->claimed);
	free((*sasl)->external);
	explicit_bzero(&(*sasl)->keys, sizeof (*sasl)->keys);
	mem_free(sasl);
}

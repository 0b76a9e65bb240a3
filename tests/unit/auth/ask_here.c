/* ask_here.c - see ask_here.h. */
#include "ask_here.h"

#include "auth/ask.h"

#include "base/mem.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

static struct site *asked_of;

void ask_here_in(struct site *site)
{
	asked_of = site;
}

struct ask {
	struct sasl *sasl;
	struct str_buf challenge;
	enum ask_state state;
	struct err error;
};

static void step(struct ask *ask, struct str_view in)
{
	switch (sasl_step(ask->sasl, in, &ask->challenge)) {
	case SASL_MORE:
		ask->state = ASK_MORE;
		break;
	case SASL_DONE:
		ask->state = ASK_DONE;
		break;
	case SASL_FAILED:
		ask->state = ASK_FAILED;
		ask->error = *sasl_error(ask->sasl);
	}
}

struct ask *ask_sasl(struct conn *conn, const struct sasl_peer *peer, struct str_view mechanism, struct str_view base64)
{
	const struct account_source source = account_source(asked_of);
	struct ask *ask = mem_alloc(sizeof *ask);

	(void)conn;
	ask->state = ASK_FAILED;
	if (sasl_begin(&source, peer, mechanism, &ask->sasl, &ask->error) == 0)
		step(ask, base64);
	return ask;
}

struct ask *ask_password(struct conn *conn, const struct sasl_peer *peer, const char *user, const char *password)
{
	struct str_buf plain = {0};
	struct ask *ask;
	char *base64 = NULL;

	str_buf_putc(&plain, '\0');
	str_buf_puts(&plain, user);
	str_buf_putc(&plain, '\0');
	str_buf_puts(&plain, password);
	if (gsasl_base64_to(plain.p, plain.n, &base64, NULL) != GSASL_OK)
		abort();
	ask = ask_sasl(conn, peer, SV("PLAIN"), str_view(base64, strlen(base64)));
	gsasl_free(base64);
	str_buf_fini(&plain);
	return ask;
}

void ask_more(struct ask *ask, struct str_view base64)
{
	step(ask, base64);
}

enum ask_state ask_look(struct ask *ask)
{
	return ask->state;
}

struct str_view ask_challenge(const struct ask *ask)
{
	return str_buf_view(&ask->challenge);
}

const char *ask_user(const struct ask *ask)
{
	return ask->state == ASK_DONE ? sasl_account(ask->sasl)->name : "";
}

const char *ask_application(const struct ask *ask)
{
	(void)ask;
	return NULL;
}

const struct err *ask_error(const struct ask *ask)
{
	return &ask->error;
}

void ask_end(struct ask **ask)
{
	if (!*ask)
		return;
	sasl_free(&(*ask)->sasl);
	str_buf_fini(&(*ask)->challenge);
	mem_free(ask);
}

unsigned ask_able(void)
{
	const struct account_source source = account_source(asked_of);

	return source.able(&source);
}

bool ask_able_is_known(struct conn *conn, struct ask **ask)
{
	(void)conn, (void)ask;
	return true;
}

/*
 * auth/sasl_plain.c - PLAIN (RFC 4616) and LOGIN: the mechanisms in which the password itself is said.
 *
 * By us, since libgsasl prepares both with SASLprep: it refuses what PRECIS (RFC 8265) takes, and changes what a
 * verifier was made of.  Names and passwords go on as they were typed; who compares them prepares them.
 */
#include "auth/sasl_priv.h"
#include "base/mem.h"
#include "mime/decode.h"

#include <stdlib.h>
#include <string.h>

/* A NUL-terminated text in the message; false: there is none, or it is not in UTF-8. */
static bool cut(struct str_view *rest, struct str_view *text_r)
{
	const char *end = memchr(rest->p, '\0', rest->n);

	if (!end)
		return false;
	*text_r = str_view(rest->p, (size_t)(end - rest->p));
	*rest = str_view(end + 1, rest->n - text_r->n - 1);
	return text_r->n < ACCOUNT_NAME_SIZE && mime_utf8_valid(*text_r);
}

/* How long a password is, the bounds of lines say. */
static bool is_text(struct str_view text)
{
	return text.n > 0 && !memchr(text.p, '\0', text.n) && mime_utf8_valid(text);
}

/* All end with NUL where they lie. */
static enum sasl_result check(struct sasl *sasl, const char *authzid, const char *name, const char *password)
{
	int r;

	sasl_claim(sasl, name);
	r = sasl->source.password(&sasl->source, sasl->peer.door, name, password, &sasl->who, &sasl->error);
	return sasl_prove(sasl, r, authzid) ? SASL_DONE : sasl_fail(sasl, ERR_AUTH);
}

/* [authzid] NUL authcid NUL passwd; the octets end with one NUL more. */
static enum sasl_result judge(struct sasl *sasl, struct str_view message)
{
	struct str_view authzid, name;

	if (!cut(&message, &authzid) || !cut(&message, &name) ||
	    name.n == 0 || !is_text(message))
		return sasl_fail(sasl, ERR_INVALID);
	return check(sasl, authzid.p, name.p, message.p);
}

static void wipe(char *octets, size_t n)
{
	if (octets)
		explicit_bzero(octets, n);
	free(octets);
}

enum sasl_result sasl_plain_step(struct sasl *sasl, const char *in_base64, struct str_buf *out)
{
	size_t n;
	char *octets = sasl_base64_decode(in_base64, &n);
	enum sasl_result result = octets ? judge(sasl, str_view(octets, n)) : sasl_fail(sasl, ERR_INVALID);

	(void)out;
	wipe(octets, n);
	return result;
}

static enum sasl_result ask(struct sasl *sasl, struct str_view what, struct str_buf *out)
{
	sasl_base64_put(out, what);
	sasl->steps++;
	return SASL_MORE;
}

static enum sasl_result take_name(struct sasl *sasl, struct str_view name, struct str_buf *out)
{
	if (!is_text(name) || name.n >= ACCOUNT_NAME_SIZE)
		return sasl_fail(sasl, ERR_INVALID);
	sasl_claim(sasl, name.p);
	return ask(sasl, SV("Password"), out);
}

static enum sasl_result take_password(struct sasl *sasl, struct str_view password)
{
	enum sasl_result result;
	char *name;

	if (!is_text(password))
		return sasl_fail(sasl, ERR_INVALID);
	name = mem_str(sasl->claimed);
	result = check(sasl, NULL, name, password.p);
	free(name);
	return result;
}

/* No RFC has it; the questions are those of draft-murchison-sasl-login. */
enum sasl_result sasl_login_step(struct sasl *sasl, const char *in_base64, struct str_buf *out)
{
	enum sasl_result result;
	char *octets;
	size_t n;

	if (sasl->steps == 0)
		return ask(sasl, SV("User Name"), out);
	octets = sasl_base64_decode(in_base64, &n);
	if (!octets)
		return sasl_fail(sasl, ERR_INVALID);
	result = sasl->claimed ? take_password(sasl, str_view(octets, n)) : take_name(sasl, str_view(octets, n), out);
	wipe(octets, n);
	return result;
}

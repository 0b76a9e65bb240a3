/*
 * auth/sasl_oauth.c - OAUTHBEARER (RFC 7628) and XOAUTH2, what large providers' clients said before there was an RFC.
 *
 * Both are one message with a token in it.  Who is refused is told why in JSON, as a challenge, and says that he heard it;
 * only then it has failed (RFC 7628 3.2.3).
 */
#include "auth/sasl_priv.h"
#include "auth/token.h"
#include "base/check.h"
#include "base/mem.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define SOH '\001'

/* What a message says; token p NULL: it has no field for one. */
struct message {
	char *name; /* NULL: nobody was named */
	struct str_view token;
};

/* --- reading: all within the octets of the message ------------------------------------------------ */

/* Up to the separator, which goes too; false: there is none. */
static bool cut(struct str_view *rest, char separator, struct str_view *part_r)
{
	const char *end = rest->n ? memchr(rest->p, separator, rest->n) : NULL;

	if (!end)
		return false;
	*part_r = str_view(rest->p, (size_t)(end - rest->p));
	*rest = str_view(end + 1, rest->n - part_r->n - 1);
	return true;
}

/* saslname (RFC 5801 4): "=2C" and "=3D" stand for a comma and an equals sign, which can't. */
static char *unescape(struct str_view name)
{
	char *out = mem_alloc(name.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		struct str_view escape = str_view(name.p + i, name.n - i < 3 ? name.n - i : 3);

		if (name.p[i] != '=') {
			out[n++] = name.p[i];
			continue;
		}
		if (!str_equal_nocase(escape, SV("=2C")) && !str_equal_nocase(escape, SV("=3D"))) {
			free(out);
			return NULL;
		}
		out[n++] = escape.p[1] == '2' ? ',' : '=';
		i += 2;
	}
	return out;
}

/* "n,a=NAME," (RFC 7628 3.1); who asks for channel binding, "p=", asks for what there isn't. */
static bool read_gs2(struct str_view *rest, char **name_r)
{
	struct str_view flag, name;

	if (!cut(rest, ',', &flag) || !cut(rest, ',', &name) || (!str_equal(flag, SV("n")) && !str_equal(flag, SV("y"))))
		return false;
	if (name.n == 0)
		return true;
	return name.n > 2 && str_begins_nocase(name, SV("a=")) &&
	       (*name_r = unescape(str_view(name.p + 2, name.n - 2))) != NULL;
}

/* "Bearer TOKEN" (RFC 6750 2.1); nothing at all asks what would be needed (RFC 7628 4.3). */
static bool read_credentials(struct str_view value, struct str_view *token_r)
{
	const struct str_view scheme = SV("Bearer ");

	if (token_r->p || (value.n && !str_begins_nocase(value, scheme)))
		return false;
	*token_r = value.n ? str_trim(str_view(value.p + scheme.n, value.n - scheme.n)) : SV("");
	return true;
}

/* "key=value" and SOH, each; one SOH more ends it.  names: whether "user" is who it is. */
static bool read_fields(struct str_view rest, bool names, struct message *message)
{
	struct str_view field, key;

	while (cut(&rest, SOH, &field)) {
		if (field.n == 0)
			return rest.n == 0 && message->token.p;
		if (!cut(&field, '=', &key))
			return false;
		if (str_equal(key, SV("auth")) && !read_credentials(field, &message->token))
			return false;
		if (names && str_equal(key, SV("user")) && !message->name)
			message->name = mem_strn(field.p, field.n);
	}
	return false;
}

/* --- answering ------------------------------------------------------------------------------------ */

static void add(cJSON *object, const char *name, const char *value)
{
	if (value && *value)
		CHECK(cJSON_AddStringToObject(object, name, value));
}

static void put_refusal(const struct sasl *sasl, bool is_standard, struct str_buf *out)
{
	const struct site *site = sasl->source.site;
	cJSON *object = cJSON_CreateObject();
	char *text;

	add(object, "status", is_standard ? "invalid_token" : "401");
	if (!is_standard)
		add(object, "schemes", "bearer");
	if (site)
		add(object, "scope", token_scope(site, sasl->peer.door));
	if (site && is_standard)
		add(object, "openid-configuration", token_discovery(site));
	CHECK((text = cJSON_PrintUnformatted(object)));
	sasl_base64_put(out, str_view(text, strlen(text)));
	cJSON_free(text);
	cJSON_Delete(object);
}

/* Whom it is about, before that is known: who was named, else whom the token says. */
static void claim(struct sasl *sasl, const struct message *message, const char *token)
{
	char name[ACCOUNT_NAME_SIZE];

	if (message->name)
		sasl_claim(sasl, message->name);
	else if (sasl->source.site && token_says(sasl->source.site, token, name))
		sasl_claim(sasl, name);
}

static void check(struct sasl *sasl, const struct message *message)
{
	char *token = mem_strn(message->token.p, message->token.n);
	int r;

	claim(sasl, message, token);
	r = *token ? sasl->source.token(&sasl->source, sasl->peer.door, sasl_claimed(sasl), token, &sasl->who, &sasl->error)
		   : err_set(&sasl->error, ERR_AUTH, "there is no token");
	sasl_prove(sasl, r, NULL); /* whether he is who was named, the source has judged */
	explicit_bzero(token, message->token.n);
	free(token);
}

static enum sasl_result judge(struct sasl *sasl, const struct message *message, bool is_standard, struct str_buf *out)
{
	check(sasl, message);
	if (sasl->is_proven)
		return SASL_DONE;
	if (sasl->error.code != ERR_AUTH)
		return SASL_FAILED;
	put_refusal(sasl, is_standard, out);
	sasl->is_lost = true;
	return SASL_MORE;
}

static bool read_message(struct str_view rest, bool is_standard, struct message *message)
{
	struct str_view nothing;

	if (rest.n == 0 || memchr(rest.p, '\0', rest.n))
		return false;
	if (!is_standard)
		return read_fields(rest, true, message) && message->name;
	return read_gs2(&rest, &message->name) && cut(&rest, SOH, &nothing) && nothing.n == 0 &&
	       read_fields(rest, false, message);
}

static enum sasl_result step(struct sasl *sasl, const char *in_base64, bool is_standard, struct str_buf *out)
{
	struct message message = {0};
	enum sasl_result result;
	char *octets;
	size_t n;

	if (sasl->is_lost) /* SOH, or nothing at all: what is said changes nothing */
		return SASL_FAILED;
	octets = sasl_base64_decode(in_base64, &n);
	result = octets && read_message(str_view(octets, n), is_standard, &message)
		     ? judge(sasl, &message, is_standard, out)
		     : sasl_fail(sasl, ERR_INVALID);
	if (octets)
		explicit_bzero(octets, n);
	free(octets);
	free(message.name);
	return result;
}

enum sasl_result sasl_oauthbearer_step(struct sasl *sasl, const char *in_base64, struct str_buf *out)
{
	return step(sasl, in_base64, true, out);
}

enum sasl_result sasl_xoauth2_step(struct sasl *sasl, const char *in_base64, struct str_buf *out)
{
	return step(sasl, in_base64, false, out);
}

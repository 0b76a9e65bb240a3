/*
 * auth/jwt.c - a token's three parts (RFC 7515 7.1), and its signature by libcjose.
 *
 * What a token says of itself chooses nothing: it may be of RS256 or of ES256, and is checked by keys of that
 * algorithm alone (RFC 8725 3.1).
 */
#include "auth/jwt_priv.h"

#include <cjose/cjose.h>
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_AUTH, "%s", why);
}

bool jwt_is_base64url(struct str_view text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return text.n && text.n % 4 != 1;
}

/* "header.payload.signature", none empty, and nothing else: before a library sees it. */
static bool cut(const char *token, size_t octets_max, struct str_view parts_r[3])
{
	size_t n = strnlen(token, octets_max + 1), begin = 0, part = 0;

	if (n > octets_max)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && token[i] != '.')
			continue;
		if (part == 3 || !jwt_is_base64url(parts_r[part] = str_view(token + begin, i - begin)))
			return false;
		part++;
		begin = i + 1;
	}
	return part == 3;
}

static bool algorithm_of(cjose_header_t *header, enum jwt_algorithm *algorithm_r)
{
	const char *name = cjose_header_get(header, CJOSE_HDR_ALG, NULL);

	*algorithm_r = name && strcmp(name, "ES256") == 0 ? JWT_ES256 : JWT_RS256;
	return name && (*algorithm_r == JWT_ES256 || strcmp(name, "RS256") == 0);
}

static bool has_member(cjose_header_t *header, const char *name)
{
	char *text = cjose_header_get_raw(header, name, NULL);
	bool has = text != NULL;

	free(text);
	return has;
}

/* A logout token, say, is signed by the same keys (RFC 8725 3.11). */
static bool is_access_token(cjose_header_t *header)
{
	const char *type = cjose_header_get(header, "typ", NULL);

	if (!type)
		return !has_member(header, "typ");
	if (strncasecmp(type, "application/", 12) == 0)
		type += 12;
	return strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0;
}

static int judge_header(cjose_header_t *header, enum jwt_algorithm *algorithm_r, struct err *e)
{
	if (!algorithm_of(header, algorithm_r))
		return refuse(e, "the token is signed neither by RS256 nor by ES256");
	if (has_member(header, "crit") || has_member(header, "b64"))
		return refuse(e, "the token's header asks for what is not understood (crit)");
	if (!is_access_token(header))
		return refuse(e, "the token is of a type that lets nobody in (typ)");
	return 0;
}

static int verify(const struct jwt_keys *keys, const struct jwt_rules *rules, cjose_jws_t *jws, int64_t now_s,
    char *name_r, struct err *e)
{
	cjose_header_t *header = cjose_jws_get_protected(jws);
	enum jwt_algorithm algorithm;
	uint8_t *payload;
	size_t n;

	if (judge_header(header, &algorithm, e) < 0)
		return -1;
	if (!jwt_keys_verify(keys, algorithm, cjose_header_get(header, CJOSE_HDR_KID, NULL), jws))
		return refuse(e, "the token is signed by no key that is known here");
	if (!cjose_jws_get_plaintext(jws, &payload, &n, NULL))
		return refuse(e, "the token is empty");
	return jwt_judge(rules, str_view((const char *)payload, n), now_s, name_r, e);
}

int jwt_verify(const struct jwt_keys *keys, const struct jwt_rules *rules, const char *token, int64_t now_s,
    char name_r[ACCOUNT_NAME_SIZE], struct err *e)
{
	struct str_view parts[3];
	cjose_jws_t *jws;
	int r;

	if (!cut(token, rules->octets_max, parts))
		return err_set(e, ERR_AUTH, "that is no signed token of at most %u octets", rules->octets_max);
	jws = cjose_jws_import(token, strlen(token), NULL);
	if (!jws)
		return refuse(e, "that is no signed token that libcjose reads");
	r = verify(keys, rules, jws, now_s, name_r, e);
	cjose_jws_release(jws);
	return r;
}

bool jwt_says(const struct jwt_rules *rules, const char *token, char name_r[ACCOUNT_NAME_SIZE])
{
	struct str_view parts[3];
	uint8_t *payload = NULL;
	cJSON *claims;
	size_t n = 0;
	bool says;

	if (!cut(token, rules->octets_max, parts) ||
	    !cjose_base64url_decode(parts[1].p, parts[1].n, &payload, &n, NULL))
		return false;
	claims = jwt_parse(str_view((const char *)payload, n));
	says = jwt_name(rules, claims, name_r);
	cJSON_Delete(claims);
	free(payload);
	return says;
}

/*
 * auth/jwt_keys.c - keys that tokens are signed by: JWK sets as providers publish them, or PEM.
 *
 * A key knows its algorithm, whatever a token says of itself; so a public key never serves as the secret of HS256
 * (RFC 8725 2.1).
 */
#include "auth/jwt_priv.h"
#include "base/mem.h"
#include "net/public_key.h"

#include <cjose/cjose.h>
#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_MIN 2048 /* RFC 7518 3.3 */

struct jwt_key {
	cjose_jwk_t *jwk;
	char *kid; /* NULL: it has no name */
	enum jwt_algorithm algorithm;
};

struct jwt_keys {
	atomic_uint refs;
	size_t n;
	struct jwt_key keys[JWT_KEYS_MAX];
};

static int add(struct jwt_keys *keys, cjose_jwk_t *jwk, const char *kid, enum jwt_algorithm algorithm, struct err *e)
{
	if (keys->n == JWT_KEYS_MAX) {
		cjose_jwk_release(jwk);
		return err_set(e, ERR_INVALID, "there are more than %d keys in it", JWT_KEYS_MAX);
	}
	keys->keys[keys->n++] = (struct jwt_key){jwk, kid ? mem_str(kid) : NULL, algorithm};
	return 0;
}

/* --- JWK (RFC 7517) ---------------------------------------------------------------------------- */

static const char *text_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static bool is_absent_or(const cJSON *jwk, const char *name, const char *wanted)
{
	const char *text = text_of(jwk, name);

	return text ? strcmp(text, wanted) == 0 : !cJSON_HasObjectItem(jwk, name);
}

static bool may_verify(const cJSON *jwk)
{
	const cJSON *operations = cJSON_GetObjectItemCaseSensitive(jwk, "key_ops"), *operation;

	if (!is_absent_or(jwk, "use", "sig"))
		return false;
	if (!operations)
		return true;
	cJSON_ArrayForEach(operation, operations)
		if (cJSON_IsString(operation) && strcmp(operation->valuestring, "verify") == 0)
			return true;
	return false;
}

/* False: it is a key for something else. */
static bool algorithm_of(const cJSON *jwk, enum jwt_algorithm *algorithm_r)
{
	const char *type = text_of(jwk, "kty"), *curve = text_of(jwk, "crv");

	if (!type || !may_verify(jwk))
		return false;
	if (strcmp(type, "RSA") == 0) {
		*algorithm_r = JWT_RS256;
		return is_absent_or(jwk, "alg", "RS256");
	}
	*algorithm_r = JWT_ES256;
	return strcmp(type, "EC") == 0 && curve && strcmp(curve, "P-256") == 0 && is_absent_or(jwk, "alg", "ES256");
}

static bool is_number(const cJSON *jwk, const char *name)
{
	const char *text = text_of(jwk, name);

	return text && jwt_is_base64url(str_view(text, strlen(text)));
}

static bool has_numbers(const cJSON *jwk, enum jwt_algorithm algorithm)
{
	return algorithm == JWT_RS256 ? is_number(jwk, "n") && is_number(jwk, "e") : is_number(jwk, "x") && is_number(jwk, "y");
}

static cjose_jwk_t *import(const cJSON *item, enum jwt_algorithm algorithm)
{
	char *text = has_numbers(item, algorithm) ? cJSON_PrintUnformatted(item) : NULL;
	cjose_jwk_t *jwk = text ? cjose_jwk_import(text, strlen(text), NULL) : NULL;

	cJSON_free(text);
	if (jwk && algorithm == JWT_RS256 && cjose_jwk_get_keysize(jwk, NULL) < RSA_BITS_MIN) {
		cjose_jwk_release(jwk);
		jwk = NULL;
	}
	return jwk;
}

/* libcjose would read them, too. */
static bool is_private(const cJSON *jwk)
{
	static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi"};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (cJSON_HasObjectItem(jwk, members[i]))
			return true;
	return false;
}

static int add_jwk(struct jwt_keys *keys, const cJSON *item, struct err *e)
{
	enum jwt_algorithm algorithm;
	cjose_jwk_t *jwk;

	if (is_private(item))
		return err_set(e, ERR_INVALID, "there is a private key in it");
	if (jwt_has_twice(item) || !algorithm_of(item, &algorithm) || !(jwk = import(item, algorithm)))
		return 0;
	return add(keys, jwk, text_of(item, "kid"), algorithm, e);
}

static int parse_jwks(struct jwt_keys *keys, struct str_view text, struct err *e)
{
	cJSON *root = cJSON_ParseWithLength(text.p, text.n);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "keys"), *item;
	int r = 0;

	if (!cJSON_IsObject(root) || (list && !cJSON_IsArray(list)))
		r = err_set(e, ERR_INVALID, "it is neither a JWK set nor PEM");
	else if (!list)
		r = add_jwk(keys, root, e);
	else
		cJSON_ArrayForEach(item, list)
			if ((r = add_jwk(keys, item, e)) < 0)
				break;
	cJSON_Delete(root);
	return r;
}

/* --- PEM --------------------------------------------------------------------------------------- */

static cjose_jwk_t *of_numbers(struct net_public_key *key)
{
	const cjose_jwk_rsa_keyspec rsa = {.n = key->first, .nlen = key->first_n, .e = key->second, .elen = key->second_n};
	const cjose_jwk_ec_keyspec ec = {
	    .crv = CJOSE_JWK_EC_P_256, .x = key->first, .xlen = key->first_n, .y = key->second, .ylen = key->second_n};

	switch (key->kind) {
	case NET_PUBLIC_KEY_RSA:
		return key->first_n * 8 < RSA_BITS_MIN ? NULL : cjose_jwk_create_RSA_spec(&rsa, NULL);
	case NET_PUBLIC_KEY_P256:
		return cjose_jwk_create_EC_spec(&ec, NULL);
	case NET_PUBLIC_KEY_OTHER:
		break;
	}
	return NULL;
}

static int parse_pem(struct jwt_keys *keys, struct str_view text, struct err *e)
{
	struct net_public_key *key = mem_alloc(sizeof *key);
	cjose_jwk_t *jwk;
	int r;

	while ((r = net_public_key_next(&text, key, e)) > 0)
		if ((jwk = of_numbers(key)) &&
		    (r = add(keys, jwk, NULL, key->kind == NET_PUBLIC_KEY_RSA ? JWT_RS256 : JWT_ES256, e)) < 0)
			break;
	free(key);
	return r;
}

/* --- the set ----------------------------------------------------------------------------------- */

int jwt_keys_parse(struct str_view text, struct jwt_keys **keys_r, struct err *e)
{
	struct jwt_keys *keys = mem_alloc(sizeof *keys);
	int r;

	atomic_init(&keys->refs, 1);
	text = str_trim(text);
	r = text.n && text.p[0] == '{' ? parse_jwks(keys, text, e) : parse_pem(keys, text, e);
	if (r == 0 && keys->n == 0)
		r = err_set(e, ERR_INVALID, "there is no public key of RS256 (2048 bits or more) or ES256 in it");
	if (r < 0)
		jwt_keys_free(&keys);
	else
		*keys_r = keys;
	return r;
}

size_t jwt_keys_n(const struct jwt_keys *keys)
{
	return keys->n;
}

struct jwt_keys *jwt_keys_ref(struct jwt_keys *keys)
{
	atomic_fetch_add(&keys->refs, 1);
	return keys;
}

void jwt_keys_free(struct jwt_keys **keys)
{
	struct jwt_keys *k = *keys;

	*keys = NULL;
	if (!k || atomic_fetch_sub(&k->refs, 1) > 1)
		return;
	for (size_t i = 0; i < k->n; i++) {
		cjose_jwk_release(k->keys[i].jwk);
		free(k->keys[i].kid);
	}
	free(k);
}

/* A key without a name may be the one that a token names: PEM has no place for names. */
static bool may_be(const struct jwt_key *key, enum jwt_algorithm algorithm, const char *kid)
{
	return key->algorithm == algorithm && (!kid || !key->kid || strcmp(kid, key->kid) == 0);
}

bool jwt_keys_verify(const struct jwt_keys *keys, enum jwt_algorithm algorithm, const char *kid, cjose_jws_t *jws)
{
	for (size_t i = 0; i < keys->n; i++)
		if (may_be(&keys->keys[i], algorithm, kid) && cjose_jws_verify(jws, keys->keys[i].jwk, NULL))
			return true;
	return false;
}

/*
 * auth/jwt_claims.c - what a token claims (RFC 7519 4.1), held against what the site asks for.
 *
 * It was signed by who may, and still is read with suspicion: some of what a provider signs is what its users typed.
 */
#include "auth/jwt_priv.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define DATE_MAX 1e12 /* of a NumericDate; beyond, it is no date */

static const cJSON *claim(const cJSON *claims, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(claims, name);
}

bool jwt_has_twice(const cJSON *object)
{
	const cJSON *a, *b;

	cJSON_ArrayForEach(a, object)
		for (b = a->next; b; b = b->next)
			if (strcmp(a->string, b->string) == 0)
				return true;
	return false;
}

/* cJSON's strings end at the first NUL. */
cJSON *jwt_parse(struct str_view payload)
{
	cJSON *claims;

	if (payload.n == 0 || memchr(payload.p, '\0', payload.n) || memmem(payload.p, payload.n, "\\u0000", 6))
		return NULL;
	claims = cJSON_ParseWithLength(payload.p, payload.n);
	if (cJSON_IsObject(claims) && !jwt_has_twice(claims))
		return claims;
	cJSON_Delete(claims);
	return NULL;
}

static bool is_word_of(const char *word, const char *words)
{
	struct str_view rest = str_view(words, strlen(words)), one;

	while ((one = str_word(&rest)).n)
		if (str_equal(one, str_view(word, strlen(word))))
			return true;
	return false;
}

static bool is_for_us(const cJSON *audience, const char *words)
{
	const cJSON *one;

	if (cJSON_IsString(audience))
		return is_word_of(audience->valuestring, words);
	cJSON_ArrayForEach(one, audience)
		if (cJSON_IsString(one) && is_word_of(one->valuestring, words))
			return true;
	return false;
}

/* A claim that holds words, in one string or in a list. */
static bool has_word(const cJSON *item, struct str_view word)
{
	const cJSON *one;

	if (cJSON_IsString(item)) {
		struct str_view rest = str_view(item->valuestring, strlen(item->valuestring)), had;

		while ((had = str_word(&rest)).n)
			if (str_equal(had, word))
				return true;
	}
	if (cJSON_IsArray(item))
		cJSON_ArrayForEach(one, item)
			if (cJSON_IsString(one) && str_equal(str_view(one->valuestring, strlen(one->valuestring)), word))
				return true;
	return false;
}

/* scope (RFC 9068 2.2.3), or scp, as some providers call it. */
static bool has_scope(const cJSON *claims, const char *words)
{
	struct str_view rest = str_view(words, strlen(words)), word;

	while ((word = str_word(&rest)).n)
		if (!has_word(claim(claims, "scope"), word) && !has_word(claim(claims, "scp"), word))
			return false;
	return true;
}

static bool date(const cJSON *item, double *date_r)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= DATE_MAX))
		return false;
	*date_r = item->valuedouble;
	return true;
}

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_AUTH, "%s", why);
}

static int judge_time(const struct jwt_rules *rules, const cJSON *claims, int64_t now_s, struct err *e)
{
	const cJSON *not_before = claim(claims, "nbf");
	double from = 0, until;

	if (!date(claim(claims, "exp"), &until))
		return refuse(e, "the token does not say until when it is good (exp)");
	if (not_before && !date(not_before, &from))
		return refuse(e, "the token's nbf is no date");
	if ((double)now_s >= until + rules->skew_s)
		return err_set(e, ERR_AUTH, "the token expired %.0f s ago", (double)now_s - until);
	if ((double)now_s < from - rules->skew_s)
		return err_set(e, ERR_AUTH, "the token is good in %.0f s only", from - (double)now_s);
	return 0;
}

/* An address that the provider says it never checked is whatever somebody typed. */
static bool is_unverified(const struct jwt_rules *rules, const cJSON *claims)
{
	const cJSON *verified = claim(claims, "email_verified");

	return strcmp(rules->user_claim, "email") == 0 && verified && !cJSON_IsTrue(verified) &&
	       !(cJSON_IsString(verified) && strcmp(verified->valuestring, "true") == 0);
}

bool jwt_name(const struct jwt_rules *rules, const cJSON *claims, char name_r[ACCOUNT_NAME_SIZE])
{
	const char *name = cJSON_GetStringValue(claim(claims, rules->user_claim));
	size_t n = name ? strlen(name) : 0;

	if (n == 0 || n >= ACCOUNT_NAME_SIZE)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	snprintf(name_r, ACCOUNT_NAME_SIZE, "%s", name);
	return true;
}

static int judge(const struct jwt_rules *rules, const cJSON *claims, int64_t now_s, char *name_r, struct err *e)
{
	const char *issuer = cJSON_GetStringValue(claim(claims, "iss"));

	if (!issuer || strcmp(issuer, rules->issuer) != 0)
		return refuse(e, "the token is another issuer's (iss)");
	if (!is_for_us(claim(claims, "aud"), rules->audience))
		return refuse(e, "the token is for another audience (aud)");
	if (judge_time(rules, claims, now_s, e) < 0)
		return -1;
	/* Who has it must prove that he has a key as well (RFC 7800, RFC 9449), which no mechanism here asks for. */
	if (claim(claims, "cnf"))
		return refuse(e, "the token is bound to a key of the client's (cnf)");
	if (!has_scope(claims, rules->scope))
		return refuse(e, "the token lacks the scope");
	if (is_unverified(rules, claims))
		return refuse(e, "the token's address was never verified (email_verified)");
	if (!jwt_name(rules, claims, name_r))
		return err_set(e, ERR_AUTH, "the token names no user (%s)", rules->user_claim);
	return 0;
}

int jwt_judge(const struct jwt_rules *rules, struct str_view payload, int64_t now_s, char name_r[ACCOUNT_NAME_SIZE],
    struct err *e)
{
	cJSON *claims = jwt_parse(payload);
	int r = claims ? judge(rules, claims, now_s, name_r, e) : refuse(e, "what is in the token is no set of claims");

	cJSON_Delete(claims);
	return r;
}

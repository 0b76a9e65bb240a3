/*
 * Fuzz target for tokens: the first octet says what the rest is.  't': a token, held against one key; 'c': claims, as if their
 * signature had been good; 'k': a file of keys.
 */
#include "auth/jwt_priv.h"
#include "base/check.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000

static const char key[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqVO2lBhEw2nJBI8ASnrmmjJnEcVz\n"
    "zeQFRgupl41gJH8oGXsZoMU7J8ugqlemwDVmT6/w6TXT47aTRCMKLF3dRQ==\n"
    "-----END PUBLIC KEY-----\n";
static const struct jwt_rules rules = {"https://id.example", "postern", "", "email", 60, 8192};

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void check_name(const char *name)
{
	CHECK(*name && strlen(name) < ACCOUNT_NAME_SIZE);
	for (; *name; name++)
		CHECK((unsigned char)*name >= 0x20 && *name != 0x7f);
}

static void try_token(struct str_view text)
{
	static struct jwt_keys *keys;
	char *token = mem_strn(text.p, text.n), name[ACCOUNT_NAME_SIZE], said[ACCOUNT_NAME_SIZE];
	struct err e;

	if (!keys)
		CHECK(jwt_keys_parse(SV(key), &keys, &e) == 0);
	if (jwt_verify(keys, &rules, token, NOW, name, &e) == 0) {
		check_name(name);
		CHECK(jwt_says(&rules, token, said) && strcmp(said, name) == 0);
	} else {
		CHECK(e.code == ERR_AUTH);
		if (jwt_says(&rules, token, said))
			check_name(said);
	}
	free(token);
}

static void try_claims(struct str_view text)
{
	char name[ACCOUNT_NAME_SIZE];
	struct err e;

	if (jwt_judge(&rules, text, NOW, name, &e) == 0)
		check_name(name);
	else
		CHECK(e.code == ERR_AUTH);
}

static void try_keys(struct str_view text)
{
	struct jwt_keys *keys;
	struct err e;

	if (jwt_keys_parse(text, &keys, &e) < 0) {
		CHECK(e.code == ERR_INVALID);
		return;
	}
	CHECK(jwt_keys_n(keys) > 0 && jwt_keys_n(keys) <= JWT_KEYS_MAX);
	jwt_keys_free(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct str_view text = {(const char *)octets + 1, n - 1};

	if (n == 0)
		return 0;
	if (octets[0] == 't')
		try_token(text);
	else if (octets[0] == 'c')
		try_claims(text);
	else if (octets[0] == 'k')
		try_keys(text);
	return 0;
}

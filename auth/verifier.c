/*
 * auth/verifier.c - passwords and their verifiers, by libxcrypt (crypt(5)) and libargon2.
 *
 * Verifiers that another server made are taken in its spelling, a scheme in braces in front.  Those of
 * crypt(3) and of argon2 are kept without it; {PLAIN}, the password itself, is the one scheme that is kept as it
 * is written, and the one that protects nothing once auth.db is read by somebody else.
 */
#include "auth/verifier.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "limits/registry.h"

#include <argon2.h>
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char plain_scheme[] = "{PLAIN}";

#define ARGON2_SALT_OCTETS 16
#define ARGON2_HASH_OCTETS 32
/* One that would take more to check is not taken: 1 GiB, and passes as many as the setting may be. */
#define ARGON2_KILOBYTES_MAX 1048576u
#define ARGON2_PASSES_MAX 100u

/* What others write before what crypt(3) made. */
static const char *const crypt_schemes[] = {
    "CRYPT", "ARGON2ID", "ARGON2I", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "DES-CRYPT",
};

/* Hashes into out (CRYPT_OUTPUT_SIZE); false: no such method, or a malformed setting. */
static bool hash(const char *password, const char *setting, char *out)
{
	struct crypt_data *data = mem_alloc(sizeof(*data)); /* 32 KB: not on a thread's stack */
	const char *hashed = crypt_r(password, setting, data);
	bool good = hashed && hashed[0] != '*';

	if (good)
		snprintf(out, CRYPT_OUTPUT_SIZE, "%s", hashed);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return good;
}

struct verifier_policy verifier_policy(struct site *site)
{
	return (struct verifier_policy){
	    .method = (enum verifier_method)setting_get(site, SETTING_PASSWORD_HASH),
	    .yescrypt_cost = setting_get(site, SETTING_YESCRYPT_COST),
	    .argon2_kilobytes = setting_get(site, SETTING_ARGON2_MEMORY),
	    .argon2_passes = setting_get(site, SETTING_ARGON2_PASSES),
	};
}

/* "$y$PARAMETERS$SALT": what crypt(3) makes a new one with. */
static bool yescrypt_setting(const struct verifier_policy *policy, char out[CRYPT_GENSALT_OUTPUT_SIZE])
{
	char random[16];

	io_random(random, sizeof random);
	return crypt_gensalt_rn("$y$", policy->yescrypt_cost, random, sizeof random, out, CRYPT_GENSALT_OUTPUT_SIZE);
}

static int make_yescrypt(const struct verifier_policy *policy, const char *password, char *out, struct err *e)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];

	_Static_assert(CRYPT_OUTPUT_SIZE <= AUTH_VERIFIER_SIZE, "room for a verifier");
	if (!yescrypt_setting(policy, salt) || !hash(password, salt, out))
		return err_set(e, ERR_UNAVAILABLE, "libxcrypt makes no yescrypt verifier of that password");
	return 0;
}

/* One lane: a login has one core. */
static int make_argon2id(const struct verifier_policy *policy, const char *password, char *out, struct err *e)
{
	unsigned char salt[ARGON2_SALT_OCTETS];
	int result;

	io_random(salt, sizeof salt);
	result = argon2id_hash_encoded(policy->argon2_passes, policy->argon2_kilobytes, 1, password, strlen(password), salt,
	    sizeof salt, ARGON2_HASH_OCTETS, out, AUTH_VERIFIER_SIZE);
	return result == ARGON2_OK ? 0 : err_set(e, ERR_UNAVAILABLE, "libargon2: %s", argon2_error_message(result));
}

int auth_verifier_make(const struct verifier_policy *policy, const char *password, char out[AUTH_VERIFIER_SIZE],
    struct err *e)
{
	return policy->method == VERIFIER_ARGON2ID ? make_argon2id(policy, password, out, e)
						   : make_yescrypt(policy, password, out, e);
}

const char *auth_verifier_plain(const char *verifier)
{
	size_t n = sizeof plain_scheme - 1;

	return strncmp(verifier, plain_scheme, n) == 0 ? verifier + n : NULL;
}

bool auth_verifier_is_current(const struct verifier_policy *policy, const char *verifier)
{
	char front[CRYPT_GENSALT_OUTPUT_SIZE];

	if (auth_verifier_plain(verifier))
		return true;
	if (policy->method == VERIFIER_ARGON2ID)
		snprintf(front, sizeof front, "$argon2id$v=%d$m=%u,t=%u,p=1$", (int)ARGON2_VERSION_NUMBER,
		    policy->argon2_kilobytes, policy->argon2_passes);
	else if (yescrypt_setting(policy, front))
		strrchr(front, '$')[1] = '\0';
	else
		return true;
	return strncmp(verifier, front, strlen(front)) == 0;
}

static bool is_argon2(const char *verifier)
{
	return strncmp(verifier, "$argon2", 7) == 0;
}

static bool is_crypt_scheme(struct str_view scheme)
{
	for (size_t i = 0; i < sizeof crypt_schemes / sizeof *crypt_schemes; i++)
		if (str_equal_nocase(scheme, str_view(crypt_schemes[i], strlen(crypt_schemes[i]))))
			return true;
	return false;
}

/* "$argon2id$v=19$m=65536,t=2,p=1$SALT$HASH".  A check of it must not take what a process has not. */
static int take_argon2(const char *hashed, char out[AUTH_VERIFIER_SIZE], struct err *e)
{
	const char *memory = strstr(hashed, "$m=");
	unsigned kilobytes = 0, passes = 0, lanes = 0;

	if (!memory || sscanf(memory, "$m=%u,t=%u,p=%u$", &kilobytes, &passes, &lanes) != 3 ||
	    (strncmp(hashed, "$argon2id$", 10) != 0 && strncmp(hashed, "$argon2i$", 9) != 0) ||
	    strlen(hashed) >= AUTH_VERIFIER_SIZE)
		return err_set(e, ERR_INVALID, "that is no hash of argon2id's or argon2i's");
	if (kilobytes > ARGON2_KILOBYTES_MAX || passes > ARGON2_PASSES_MAX)
		return err_set(e, ERR_INVALID, "a check of that hash would take more than %u KiB or %u passes",
		    ARGON2_KILOBYTES_MAX, ARGON2_PASSES_MAX);
	snprintf(out, AUTH_VERIFIER_SIZE, "%s", hashed);
	return 0;
}

/* A hash that no password can match is refused here rather than at every login. */
static int take_crypt(const char *hashed, char out[AUTH_VERIFIER_SIZE], struct err *e)
{
	int salt;

	if (is_argon2(hashed))
		return take_argon2(hashed, out, e);
	salt = crypt_checksalt(hashed);
	/* Any two letters are a salt of DES, whose hashes have 13: else a password would pass for one. */
	if (!strchr("$_", *hashed) && strlen(hashed) != 13)
		salt = CRYPT_SALT_INVALID;
	if (salt == CRYPT_SALT_INVALID || salt == CRYPT_SALT_METHOD_DISABLED ||
	    strlen(hashed) >= AUTH_VERIFIER_SIZE)
		return err_set(e, ERR_INVALID, "that is no hash that crypt(5) knows");
	snprintf(out, AUTH_VERIFIER_SIZE, "%s", hashed);
	return 0;
}

int auth_verifier_from_plain(const char *password, char out[AUTH_VERIFIER_SIZE], struct err *e)
{
	if (!*password || strlen(password) + sizeof plain_scheme > AUTH_VERIFIER_SIZE)
		return err_set(e, ERR_INVALID, "a password in {PLAIN} has 1 to %zu octets",
		    AUTH_VERIFIER_SIZE - sizeof plain_scheme);
	snprintf(out, AUTH_VERIFIER_SIZE, "%s%s", plain_scheme, password);
	return 0;
}

int auth_verifier_take(const char *text, char out[AUTH_VERIFIER_SIZE], struct err *e)
{
	const char *end = text[0] == '{' ? strchr(text, '}') : NULL;
	struct str_view scheme;

	if (!end)
		return take_crypt(text, out, e);
	scheme = str_view(text + 1, (size_t)(end - text) - 1);
	if (str_equal_nocase(scheme, SV("PLAIN")) || str_equal_nocase(scheme, SV("CLEARTEXT")))
		return auth_verifier_from_plain(end + 1, out, e);
	if (is_crypt_scheme(scheme))
		return take_crypt(end + 1, out, e);
	return err_set(e, ERR_UNSUPPORTED, "verifiers are {PLAIN}, {CRYPT}, {ARGON2ID} and the schemes of crypt(5)");
}

/* The time it takes says how long what is offered is, which whoever offers it knows. */
static bool equal(const char *kept, const char *offered)
{
	size_t kept_n = strlen(kept), n = strlen(offered);
	unsigned differ = kept_n != n;

	for (size_t i = 0; i < n; i++)
		differ |= (unsigned char)(offered[i] ^ kept[i < kept_n ? i : kept_n]);
	return differ == 0;
}

static bool argon2_matches(const char *verifier, const char *password)
{
	return (strncmp(verifier, "$argon2id$", 10) == 0 ? argon2id_verify(verifier, password, strlen(password))
							 : argon2i_verify(verifier, password, strlen(password))) == ARGON2_OK;
}

bool auth_verifier_matches(const char *verifier, const char *password)
{
	const char *plain = auth_verifier_plain(verifier);
	char hashed[CRYPT_OUTPUT_SIZE];
	bool matches;

	if (plain)
		return equal(plain, password);
	if (is_argon2(verifier))
		return argon2_matches(verifier, password);
	if (!hash(password, verifier, hashed))
		return false;
	matches = equal(verifier, hashed);
	explicit_bzero(hashed, sizeof hashed);
	return matches;
}

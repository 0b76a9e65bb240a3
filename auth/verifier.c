/*
 * auth/verifier.c - passwords and their verifiers, by libxcrypt (crypt(5)): yescrypt for new ones.
 *
 * Verifiers that another server made are taken in its spelling, a scheme in braces in front.  Those of
 * crypt(3) are kept without it; {PLAIN}, the password itself, is the one scheme that is kept as it is
 * written, and the one that protects nothing once the directory is read by somebody else.
 */
#include "auth/login.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char plain_scheme[] = "{PLAIN}";

/* What others write before what crypt(3) made. */
static const char *const crypt_schemes[] = {
    "CRYPT", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "DES-CRYPT",
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

int auth_verifier_make(const char *password, char out[AUTH_VERIFIER_SIZE], struct err *e)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE], random[16];

	_Static_assert(CRYPT_OUTPUT_SIZE <= AUTH_VERIFIER_SIZE, "room for a verifier");
	io_random(random, sizeof random);
	if (!crypt_gensalt_rn("$y$", 0, random, sizeof random, salt, sizeof salt) ||
	    !hash(password, salt, out))
		return err_set(e, ERR_UNAVAILABLE, "libxcrypt makes no yescrypt verifier of that password");
	return 0;
}

bool auth_verifier_is_plain(const char *verifier)
{
	return strncmp(verifier, plain_scheme, sizeof plain_scheme - 1) == 0;
}

static bool is_crypt_scheme(struct str_view scheme)
{
	for (size_t i = 0; i < sizeof crypt_schemes / sizeof *crypt_schemes; i++)
		if (str_equal_nocase(scheme, str_view(crypt_schemes[i], strlen(crypt_schemes[i]))))
			return true;
	return false;
}

/* A hash that no password can match is refused here rather than at every login. */
static int take_crypt(const char *hashed, char out[AUTH_VERIFIER_SIZE], struct err *e)
{
	int salt = crypt_checksalt(hashed);

	/* Any two letters are a salt of DES, whose hashes have 13: else a password would pass for one. */
	if (!strchr("$_", *hashed) && strlen(hashed) != 13)
		salt = CRYPT_SALT_INVALID;
	if (salt == CRYPT_SALT_INVALID || salt == CRYPT_SALT_METHOD_DISABLED ||
	    strlen(hashed) >= AUTH_VERIFIER_SIZE)
		return err_set(e, ERR_INVALID, "that is no hash that crypt(5) knows");
	snprintf(out, AUTH_VERIFIER_SIZE, "%s", hashed);
	return 0;
}

static int take_plain(const char *password, char out[AUTH_VERIFIER_SIZE], struct err *e)
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
		return take_plain(end + 1, out, e);
	if (is_crypt_scheme(scheme))
		return take_crypt(end + 1, out, e);
	return err_set(e, ERR_UNSUPPORTED, "verifiers are {PLAIN}, {CRYPT} and the schemes of crypt(5)");
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

bool auth_verifier_matches(const char *verifier, const char *password)
{
	char hashed[CRYPT_OUTPUT_SIZE];
	bool matches;

	if (auth_verifier_is_plain(verifier))
		return equal(verifier + sizeof plain_scheme - 1, password);
	if (!hash(password, verifier, hashed))
		return false;
	matches = equal(verifier, hashed);
	explicit_bzero(hashed, sizeof hashed);
	return matches;
}

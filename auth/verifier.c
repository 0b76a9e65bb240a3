/* auth/verifier.c - passwords and their verifiers, by libxcrypt (crypt(5)): yescrypt for new ones. */
#include "auth/login.h"
#include "base/io.h"
#include "base/mem.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int auth_verifier_make(const char *password, char out[384], struct err *e)
{
	char salt[CRYPT_GENSALT_OUTPUT_SIZE], random[16];

	_Static_assert(CRYPT_OUTPUT_SIZE <= 384, "room for a verifier");
	io_random(random, sizeof random);
	if (!crypt_gensalt_rn("$y$", 0, random, sizeof random, salt, sizeof salt) ||
	    !hash(password, salt, out))
		return err_set(e, ERR_UNAVAILABLE, "libxcrypt makes no yescrypt verifier of that password");
	return 0;
}

bool auth_verifier_matches(const char *verifier, const char *password)
{
	char hashed[CRYPT_OUTPUT_SIZE];
	unsigned char differ;
	size_t n;

	if (!hash(password, verifier, hashed))
		return false;
	n = strlen(hashed);
	if (strlen(verifier) != n)
		return false;
	differ = 0;
	for (size_t i = 0; i < n; i++) /* in equal time */
		differ |= (unsigned char)(hashed[i] ^ verifier[i]);
	explicit_bzero(hashed, sizeof hashed);
	return differ == 0;
}

/* auth/scram.c - what SCRAM-SHA-256 checks with (RFC 5802 3, RFC 7677): of a password, or of nobody. */
#include "auth/account_priv.h"
#include "base/io.h"
#include "net/digest.h"

#include <gsasl.h>
#include <string.h>

#define SALT_OCTETS 16

int scram_make(const char *password, uint32_t iterations, struct credential_scram *scram_r, struct err *e)
{
	struct credential_scram scram = {.salt_n = SALT_OCTETS, .iterations = iterations};
	char salted[CREDENTIAL_KEY_OCTETS], client_key[CREDENTIAL_KEY_OCTETS];
	int result;

	io_random(scram.salt, scram.salt_n);
	result = gsasl_scram_secrets_from_password(GSASL_HASH_SHA256, password, iterations, (char *)scram.salt, scram.salt_n,
	    salted, client_key, (char *)scram.server_key, (char *)scram.stored_key);
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client_key, sizeof client_key);
	if (result != GSASL_OK)
		return err_set(e, ERR_UNAVAILABLE, "libgsasl: %s", gsasl_strerror(result));
	*scram_r = scram;
	explicit_bzero(&scram, sizeof scram);
	return 0;
}

void scram_pretend(const unsigned char secret[CREDENTIAL_KEY_OCTETS], const char *name, uint32_t iterations,
    struct credential_scram *scram_r)
{
	const struct str_view parts[] = {SV("a salt for nobody"), str_view(name, strlen(name))};
	unsigned char digest[NET_DIGEST_OCTETS];

	net_digest(secret, parts, 2, digest);
	*scram_r = (struct credential_scram){.salt_n = SALT_OCTETS, .iterations = iterations};
	memcpy(scram_r->salt, digest, SALT_OCTETS);
	/* Random, so that not even who knows the secret has a password for them. */
	io_random(scram_r->stored_key, sizeof scram_r->stored_key);
	io_random(scram_r->server_key, sizeof scram_r->server_key);
}

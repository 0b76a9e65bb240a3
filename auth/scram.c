/* auth/scram.c - what SCRAM-SHA-256 checks with (RFC 5802 3, RFC 7677): of a password, or of nobody. */
#include "auth/account_priv.h"
#include "base/io.h"
#include "net/digest.h"

#include <gsasl.h>
#include <string.h>

#define SALT_OCTETS 16

/* The password as clients prepare it (RFC 5802 5.1, SASLprep), or where that refuses it, as it is: so do clients, too. */
static int secrets(const char *password, struct credential_scram *scram, char salted[CREDENTIAL_KEY_OCTETS],
    char client_key[CREDENTIAL_KEY_OCTETS])
{
	int result = gsasl_scram_secrets_from_password(GSASL_HASH_SHA256, password, scram->iterations, (char *)scram->salt,
	    scram->salt_n, salted, client_key, (char *)scram->server_key, (char *)scram->stored_key);

	if (result != GSASL_SASLPREP_ERROR)
		return result;
	net_pbkdf2(str_view(password, strlen(password)), str_view((const char *)scram->salt, scram->salt_n), scram->iterations,
	    (unsigned char *)salted);
	return gsasl_scram_secrets_from_salted_password(GSASL_HASH_SHA256, salted, client_key, (char *)scram->server_key,
	    (char *)scram->stored_key);
}

int scram_fill(const char *password, struct credential_scram *scram, struct err *e)
{
	char salted[CREDENTIAL_KEY_OCTETS], client_key[CREDENTIAL_KEY_OCTETS];
	int result = secrets(password, scram, salted, client_key);

	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client_key, sizeof client_key);
	return result == GSASL_OK ? 0 : err_set(e, ERR_UNAVAILABLE, "libgsasl: %s", gsasl_strerror(result));
}

int scram_make(const char *password, uint32_t iterations, struct credential_scram *scram_r, struct err *e)
{
	struct credential_scram scram = {.salt_n = SALT_OCTETS, .iterations = iterations};

	io_random(scram.salt, scram.salt_n);
	if (scram_fill(password, &scram, e) < 0)
		return -1;
	*scram_r = scram;
	explicit_bzero(&scram, sizeof scram);
	return 0;
}

/* Keys stand in a row, those of now first; where a name's number points into it, its iterations are. */
static uint32_t pretended_iterations(const struct credential_scram_state *state, uint32_t current, uint32_t number)
{
	uint64_t all = 0, passed = 0, at;

	for (size_t i = 0; i < state->counts_n; i++) {
		all += state->counts[i].keys_n;
		if (state->counts[i].iterations == current)
			passed = state->counts[i].keys_n;
	}
	at = all * number >> 32;
	if (at < passed)
		return current;
	for (size_t i = 0; i < state->counts_n; i++) {
		if (state->counts[i].iterations == current)
			continue;
		passed += state->counts[i].keys_n;
		if (at < passed)
			return state->counts[i].iterations;
	}
	return current;
}

void scram_pretend(const unsigned char secret[CREDENTIAL_KEY_OCTETS], const char *name,
    const struct credential_scram_state *state, uint32_t current, struct credential_scram *scram_r)
{
	const struct str_view parts[] = {SV("a salt for nobody"), str_view(name, strlen(name))};
	unsigned char digest[NET_DIGEST_OCTETS];
	uint32_t number;

	net_digest(secret, parts, 2, digest);
	memcpy(&number, digest + SALT_OCTETS, sizeof number);
	*scram_r = (struct credential_scram){.salt_n = SALT_OCTETS, .iterations = pretended_iterations(state, current, number)};
	memcpy(scram_r->salt, digest, SALT_OCTETS);
	/* Random, so that not even who knows the secret has a password for them. */
	io_random(scram_r->stored_key, sizeof scram_r->stored_key);
	io_random(scram_r->server_key, sizeof scram_r->server_key);
}

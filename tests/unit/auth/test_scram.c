/*
 * SCRAM-SHA-256 to the letter: RFC 7677 3's exchange through our own code, and what nobody's keys look like.
 *
 * The server's nonce there is none that libgsasl would make, which is base64 of 18 random octets: that one call is ours here.
 */
#include "auth/account_priv.h"
#include "auth/sasl.h"

#include <dlfcn.h>
#include <gsasl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONCE_OCTETS 18
static bool is_nonce_fixed;

/* Found by libgsasl in place of its own. */
int gsasl_base64_to(const char *in, size_t n, char **out, size_t *out_n)
{
	static int (*original)(const char *, size_t, char **, size_t *);

	if (is_nonce_fixed && n == NONCE_OCTETS) {
		*out = strdup("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
		return GSASL_OK;
	}
	if (!original)
		*(void **)&original = dlsym(RTLD_NEXT, "gsasl_base64_to");
	return original(in, n, out, out_n);
}

static unsigned able(const struct account_source *source)
{
	(void)source;
	return ACCOUNT_ABLE_SCRAM;
}

static int proven(const struct account_source *source, const char *name, struct account *who_r, struct err *e)
{
	(void)source;
	if (strcmp(name, "user") != 0)
		return err_set(e, ERR_AUTH, "nobody");
	who_r->id.n = 1;
	snprintf(who_r->name, sizeof who_r->name, "%s", name);
	return 0;
}

/* Salt W22ZaJ0SNY7soEsUEjb6gQ==, 4096 iterations, password "pencil". */
static int keys_of(const struct account_source *source, const char *name, struct credential_scram *keys_r, struct err *e)
{
	static const unsigned char salt[] = {
	    0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81};

	(void)source;
	assert_string_equal(name, "user");
	memset(keys_r, 0, sizeof *keys_r);
	memcpy(keys_r->salt, salt, keys_r->salt_n = sizeof salt);
	keys_r->iterations = 4096;
	return scram_fill("pencil", keys_r, e);
}

static const struct account_source source = {.able = able, .scram = keys_of, .proven = proven};

/* What is said is given and told as it is, not in base64. */
static enum sasl_result say(struct sasl *sasl, const char *said, char **answer_r)
{
	struct str_buf out = {0};
	enum sasl_result result;
	char *base64;
	size_t n;

	assert_int_equal(gsasl_base64_to(said, strlen(said), &base64, NULL), GSASL_OK);
	result = sasl_step(sasl, str_view(base64, strlen(base64)), &out);
	free(base64);
	assert_int_equal(out.n ? gsasl_base64_from(out.p, out.n, answer_r, &n) : GSASL_OK, GSASL_OK);
	str_buf_fini(&out);
	return result;
}

static void exchange(const char *proof, enum sasl_result wanted, const char *last)
{
	static const char server_first[] =
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
	const struct sasl_peer peer = {.door = ACCOUNT_DOOR_IMAP, .ends_with_words = true};
	char *answer = NULL, *end = NULL, final[256];
	struct sasl *sasl;
	struct err e;

	is_nonce_fixed = true;
	assert_int_equal(sasl_begin(&source, &peer, SV("SCRAM-SHA-256"), &sasl, &e), 0);
	assert_int_equal(say(sasl, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", &answer), SASL_MORE);
	assert_memory_equal(answer, server_first, sizeof server_first - 1);
	snprintf(final, sizeof final, "c=biws,r=rOprNGfwEbeRWgbNEkqO%%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=%s", proof);
	assert_int_equal(say(sasl, final, &end), wanted);
	is_nonce_fixed = false;
	if (last)
		assert_memory_equal(end, last, strlen(last));
	sasl_free(&sasl);
	free(answer);
	free(end);
}

static void the_exchange_of_rfc_7677(void **state)
{
	(void)state;
	exchange("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", SASL_DONE, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
	exchange("eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", SASL_FAILED, NULL);
}

static uint32_t pretended(const struct credential_scram_state *state, uint32_t current, int number)
{
	static const unsigned char secret[CREDENTIAL_KEY_OCTETS] = "of this store";
	struct credential_scram scram;
	char name[16];

	snprintf(name, sizeof name, "nobody%d", number);
	scram_pretend(secret, name, state, current, &scram);
	assert_int_equal(scram.salt_n, 16);
	return scram.iterations;
}

static void nobody_has_as_many_iterations_as_anybody(void **state)
{
	struct credential_scram_state keys = {.counts_n = 2, .counts = {{4096, 100}, {20000, 0}}};
	int before = 0;

	(void)state;
	for (int n = 0; n < 200; n++) /* nobody has gone over yet: nobody shows it */
		assert_int_equal(pretended(&keys, 20000, n), 4096);
	for (uint64_t gone_over = 0; gone_over <= 100; gone_over += 10) {
		int now = 0;

		keys.counts[0].keys_n = 100 - gone_over;
		keys.counts[1].keys_n = gone_over;
		for (int n = 0; n < 1000; n++)
			now += pretended(&keys, 20000, n) == 20000;
		assert_true(now >= before); /* and who has does not go back */
		assert_in_range(now, gone_over * 10 > 60 ? gone_over * 10 - 60 : 0, gone_over * 10 + 60);
		before = now;
	}
	assert_int_equal(before, 1000);
	keys.counts_n = 0;
	assert_int_equal(pretended(&keys, 20000, 1), 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_exchange_of_rfc_7677),
	    cmocka_unit_test(nobody_has_as_many_iterations_as_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

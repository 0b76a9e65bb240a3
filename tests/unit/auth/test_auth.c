/* What auth/ does without a store: verifiers, the verification cache, SASL. */
#include "auth/cache_priv.h"
#include "auth/login.h"
#include "auth/sasl.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct user_id alice = {0x1234567890abcdefu}, bob = {0xfedcba0987654321u};

/* --- verifiers ------------------------------------------------------------------------------- */

static void verifier_matches_its_password_only(void **state)
{
	char verifier[AUTH_VERIFIER_SIZE], other[AUTH_VERIFIER_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(auth_verifier_make("postern", verifier, &e), 0);
	assert_int_equal(auth_verifier_make("postern", other, &e), 0);
	assert_string_not_equal(verifier, other); /* salted */
	assert_memory_equal(verifier, "$y$", 3);
	assert_true(auth_verifier_matches(verifier, "postern"));
	assert_false(auth_verifier_matches(verifier, "Postern"));
	assert_false(auth_verifier_matches(verifier, ""));
	assert_false(auth_verifier_matches(verifier, "postern "));
}

static void malformed_verifier_matches_nothing(void **state)
{
	static const char *const verifiers[] = {"", "*", "!", "x", "$y$", "$nonsense$x$y", "postern"};

	(void)state;
	for (size_t i = 0; i < sizeof verifiers / sizeof *verifiers; i++) {
		assert_false(auth_verifier_matches(verifiers[i], "postern"));
		assert_false(auth_verifier_matches(verifiers[i], ""));
	}
}

static void verifier_from_elsewhere_is_taken(void **state)
{
	static const struct {
		const char *text, *kept;
	} good[] = {
	    {"{PLAIN}postern", "{PLAIN}postern"},
	    {"{cleartext}postern", "{PLAIN}postern"},
	    {"{CRYPT}$6$saltstring$abc", "$6$saltstring$abc"},
	    {"{SHA512-CRYPT}$6$saltstring$abc", "$6$saltstring$abc"},
	    {"$y$j9T$abc$def", "$y$j9T$abc$def"},
	};
	static const char *const bad[] = {
	    "{PLAIN}", "{CRYPT}", "{CRYPT}*", "{CRYPT}!", "{SSHA}nonsense", "{PLAIN", "postern:", "secret", ""};
	char kept[AUTH_VERIFIER_SIZE], longest[AUTH_VERIFIER_SIZE + 1];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(auth_verifier_take(good[i].text, kept, &e), 0);
		assert_string_equal(kept, good[i].kept);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(auth_verifier_take(bad[i], kept, &e), -1);
	snprintf(longest, sizeof longest, "{PLAIN}%0*d", AUTH_VERIFIER_SIZE - 8, 7);
	assert_int_equal(auth_verifier_take(longest, kept, &e), 0);
	assert_true(auth_verifier_matches(kept, longest + 7));
	snprintf(longest, sizeof longest, "{PLAIN}%0*d", AUTH_VERIFIER_SIZE - 7, 7);
	assert_int_equal(auth_verifier_take(longest, kept, &e), -1);
}

static void plain_verifier_matches_its_password_only(void **state)
{
	(void)state;
	assert_true(auth_verifier_is_plain("{PLAIN}postern"));
	assert_false(auth_verifier_is_plain("$y$j9T$abc$def"));
	assert_true(auth_verifier_matches("{PLAIN}postern", "postern"));
	assert_false(auth_verifier_matches("{PLAIN}postern", ""));
	assert_false(auth_verifier_matches("{PLAIN}postern", "poster"));
	assert_false(auth_verifier_matches("{PLAIN}postern", "posternX"));
	assert_false(auth_verifier_matches("{PLAIN}postern", "{PLAIN}postern"));
	assert_false(auth_verifier_matches("{PLAIN}", "x"));
}

/* The method's own test vector. */
static void verifier_of_sha512_crypt_matches(void **state)
{
	char kept[AUTH_VERIFIER_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(auth_verifier_take("{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O81"
	    "7G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", kept, &e), 0);
	assert_true(auth_verifier_matches(kept, "Hello world!"));
	assert_false(auth_verifier_matches(kept, "Hello world"));
}

/* --- the cache ------------------------------------------------------------------------------- */

static void cache_knows_what_was_right(void **state)
{
	(void)state;
	assert_false(auth_cache_has(alice, "v1", "secret"));
	auth_cache_put(alice, "v1", "secret", 1000);
	assert_true(auth_cache_has(alice, "v1", "secret"));
	assert_false(auth_cache_has(alice, "v1", "Secret"));
	assert_false(auth_cache_has(alice, "v1s", "ecret"));
	assert_false(auth_cache_has(bob, "v1", "secret"));
}

static void cache_forgets_when_the_verifier_changes(void **state)
{
	(void)state;
	auth_cache_put(alice, "v1", "secret", 1000);
	assert_false(auth_cache_has(alice, "v2", "secret"));
}

static void cache_forgets_after_its_time(void **state)
{
	(void)state;
	auth_cache_put(alice, "v3", "secret", 1000);
	clock_advance(999);
	assert_true(auth_cache_has(alice, "v3", "secret"));
	clock_advance(1);
	assert_false(auth_cache_has(alice, "v3", "secret"));
	auth_cache_put(alice, "v4", "secret", 0);
	assert_false(auth_cache_has(alice, "v4", "secret"));
}

/* --- SASL ------------------------------------------------------------------------------------ */

static struct sasl *begin(const char *mechanism)
{
	struct sasl *sasl;
	struct err e;

	assert_int_equal(sasl_begin(str_view(mechanism, strlen(mechanism)), &sasl, &e), 0);
	return sasl;
}

static enum sasl_result step(struct sasl *sasl, const char *in, struct str_buf *out)
{
	return sasl_step(sasl, str_view(in, in ? strlen(in) : 0), out);
}

static void plain_takes_an_initial_response(void **state)
{
	struct sasl *sasl = begin("plain");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(step(sasl, "AGFsaWNlAHBvc3Rlcm4=", &out), SASL_DONE);
	assert_string_equal(sasl_user(sasl), "alice");
	assert_string_equal(sasl_password(sasl), "postern");
	assert_int_equal(out.n, 0);
	sasl_free(&sasl);
	assert_null(sasl);
	str_buf_fini(&out);
}

static void plain_asks_when_nothing_was_said(void **state)
{
	struct sasl *sasl = begin("PLAIN");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(step(sasl, NULL, &out), SASL_MORE);
	assert_int_equal(out.n, 0);
	assert_int_equal(step(sasl, "AGFsaWNlAHBvc3Rlcm4=", &out), SASL_DONE);
	assert_string_equal(sasl_user(sasl), "alice");
	sasl_free(&sasl);
	str_buf_fini(&out);
}

/* An empty message is a message, and not one of PLAIN's (RFC 4616 2). */
static void plain_refuses_an_empty_answer(void **state)
{
	static const char *const nothing[] = {"", "="};

	(void)state;
	for (int i = 0; i < 2; i++)
		for (int asked = 0; asked < 2; asked++) {
			struct sasl *sasl = begin("PLAIN");
			struct str_buf out = {0};

			if (asked)
				assert_int_equal(step(sasl, NULL, &out), SASL_MORE);
			assert_int_equal(step(sasl, nothing[i], &out), SASL_FAILED);
			sasl_free(&sasl);
			str_buf_fini(&out);
		}
}

static void plain_lets_nobody_act_as_another(void **state)
{
	struct sasl *sasl = begin("PLAIN");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(step(sasl, "Ym9iAGFsaWNlAHBvc3Rlcm4=", &out), SASL_FAILED);
	sasl_free(&sasl);
	sasl = begin("PLAIN"); /* himself, by name, he may */
	assert_int_equal(step(sasl, "YWxpY2UAYWxpY2UAcG9zdGVybg==", &out), SASL_DONE);
	assert_string_equal(sasl_user(sasl), "alice");
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void nonsense_fails(void **state)
{
	/* not base64; base64 of no NUL at all; of one only; of a NUL within the password */
	static const char *const nonsense[] = {
	    "%%%", "AGFsaWNl=", "YWxpY2U=", "AGFsaWNl", "AGFsaWNlAHBvc3Rlcm4AeA==", "A"};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		struct sasl *sasl = begin("PLAIN");

		print_message("%s\n", nonsense[i]);
		assert_int_equal(step(sasl, nonsense[i], &out), SASL_FAILED);
		sasl_free(&sasl);
	}
	str_buf_fini(&out);
}

static void nul_in_the_line_fails(void **state)
{
	struct sasl *sasl = begin("PLAIN");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(sasl_step(sasl, SV("AGFs\0aWNl"), &out), SASL_FAILED);
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void peer_that_answers_nothing_is_not_asked_for_ever(void **state)
{
	struct sasl *sasl = begin("PLAIN");
	struct str_buf out = {0};
	int steps = 0;

	(void)state;
	while (step(sasl, "", &out) == SASL_MORE)
		assert_true(++steps < 10);
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void login_asks_for_both(void **state)
{
	struct sasl *sasl = begin("LOGIN");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(step(sasl, NULL, &out), SASL_MORE);
	assert_string_equal(out.p, "VXNlciBOYW1l"); /* "User Name" */
	assert_int_equal(step(sasl, "YWxpY2U=", &out), SASL_MORE);
	assert_string_equal(out.p, "UGFzc3dvcmQ="); /* "Password" */
	assert_int_equal(step(sasl, "cG9zdGVybg==", &out), SASL_DONE);
	assert_string_equal(sasl_user(sasl), "alice");
	assert_string_equal(sasl_password(sasl), "postern");
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void login_takes_the_name_as_initial_response(void **state)
{
	struct sasl *sasl = begin("LOGIN");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(step(sasl, "YWxpY2U=", &out), SASL_MORE);
	assert_string_equal(out.p, "UGFzc3dvcmQ=");
	assert_int_equal(step(sasl, "cG9zdGVybg==", &out), SASL_DONE);
	assert_string_equal(sasl_user(sasl), "alice");
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void password_in_utf8_arrives_as_it_is(void **state)
{
	struct sasl *sasl = begin("PLAIN");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(step(sasl, "AGFsaWNlAMOpdMOp", &out), SASL_DONE);
	assert_string_equal(sasl_password(sasl), "\xc3\xa9t\xc3\xa9");
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void unknown_mechanism_is_unsupported(void **state)
{
	struct sasl *sasl;
	struct err e;

	(void)state;
	assert_int_equal(sasl_begin(SV("CRAM-MD5"), &sasl, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_int_equal(sasl_begin(SV(""), &sasl, &e), -1);
	assert_string_equal(sasl_mechanisms(true), "PLAIN LOGIN");
	assert_string_equal(sasl_mechanisms(false), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verifier_matches_its_password_only),
	    cmocka_unit_test(malformed_verifier_matches_nothing),
	    cmocka_unit_test(verifier_from_elsewhere_is_taken),
	    cmocka_unit_test(plain_verifier_matches_its_password_only),
	    cmocka_unit_test(verifier_of_sha512_crypt_matches),
	    cmocka_unit_test(cache_knows_what_was_right),
	    cmocka_unit_test(cache_forgets_when_the_verifier_changes),
	    cmocka_unit_test(cache_forgets_after_its_time),
	    cmocka_unit_test(plain_takes_an_initial_response),
	    cmocka_unit_test(plain_asks_when_nothing_was_said),
	    cmocka_unit_test(plain_refuses_an_empty_answer),
	    cmocka_unit_test(plain_lets_nobody_act_as_another),
	    cmocka_unit_test(nonsense_fails),
	    cmocka_unit_test(nul_in_the_line_fails),
	    cmocka_unit_test(peer_that_answers_nothing_is_not_asked_for_ever),
	    cmocka_unit_test(login_asks_for_both),
	    cmocka_unit_test(login_takes_the_name_as_initial_response),
	    cmocka_unit_test(password_in_utf8_arrives_as_it_is),
	    cmocka_unit_test(unknown_mechanism_is_unsupported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

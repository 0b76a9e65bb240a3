/* What auth/ does without a store: verifiers, the verification cache. */
#include "auth/cache_priv.h"
#include "auth/verifier.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct verifier_policy yescrypt = {VERIFIER_YESCRYPT, 5, 19456, 2}, argon2id = {VERIFIER_ARGON2ID, 5, 64, 1};
static const struct user_id alice = {0x1234567890abcdefu}, bob = {0xfedcba0987654321u};

/* --- verifiers ------------------------------------------------------------------------------- */

static void verifier_matches_its_password_only(void **state)
{
	char verifier[AUTH_VERIFIER_SIZE], other[AUTH_VERIFIER_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(auth_verifier_make(&yescrypt, "postern", verifier, &e), 0);
	assert_int_equal(auth_verifier_make(&yescrypt, "postern", other, &e), 0);
	assert_string_not_equal(verifier, other); /* salted */
	assert_memory_equal(verifier, "$y$", 3);
	assert_true(auth_verifier_matches(verifier, "postern"));
	assert_false(auth_verifier_matches(verifier, "Postern"));
	assert_false(auth_verifier_matches(verifier, ""));
	assert_false(auth_verifier_matches(verifier, "postern "));
}

static void argon2id_matches_its_password_only(void **state)
{
	char verifier[AUTH_VERIFIER_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(auth_verifier_make(&argon2id, "postern", verifier, &e), 0);
	assert_memory_equal(verifier, "$argon2id$v=19$m=64,t=1,p=1$", 28);
	assert_true(auth_verifier_matches(verifier, "postern"));
	assert_false(auth_verifier_matches(verifier, "Postern"));
	assert_false(auth_verifier_matches(verifier, ""));
}

static void verifier_is_current_while_the_policy_would_make_it_so(void **state)
{
	struct verifier_policy dearer = argon2id, dearer_crypt = yescrypt;
	char verifier[AUTH_VERIFIER_SIZE];
	struct err e;

	(void)state;
	dearer.argon2_passes = 2;
	dearer_crypt.yescrypt_cost = 6;
	assert_int_equal(auth_verifier_make(&argon2id, "postern", verifier, &e), 0);
	assert_true(auth_verifier_is_current(&argon2id, verifier));
	assert_false(auth_verifier_is_current(&dearer, verifier));
	assert_false(auth_verifier_is_current(&yescrypt, verifier));
	assert_int_equal(auth_verifier_make(&yescrypt, "postern", verifier, &e), 0);
	assert_true(auth_verifier_is_current(&yescrypt, verifier));
	assert_false(auth_verifier_is_current(&dearer_crypt, verifier));
	assert_false(auth_verifier_is_current(&argon2id, verifier));
	assert_true(auth_verifier_is_current(&argon2id, "{PLAIN}postern"));
}

static void malformed_verifier_matches_nothing(void **state)
{
	static const char *const verifiers[] = {"", "*", "!", "x", "$y$", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$AAAA", "$nonsense$x$y", "postern"};

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
	assert_string_equal(auth_verifier_plain("{PLAIN}postern"), "postern");
	assert_null(auth_verifier_plain("$y$j9T$abc$def"));
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
	auth_cache_put(alice, "v1", "secret", 3600 * 1000);
	assert_true(auth_cache_has(alice, "v1", "secret"));
	assert_false(auth_cache_has(alice, "v1", "Secret"));
	assert_false(auth_cache_has(alice, "v1s", "ecret"));
	assert_false(auth_cache_has(bob, "v1", "secret"));
}

static void cache_forgets_when_the_verifier_changes(void **state)
{
	(void)state;
	auth_cache_put(alice, "v1", "secret", 3600 * 1000);
	assert_false(auth_cache_has(alice, "v2", "secret"));
}

static void cache_forgets_after_its_time(void **state)
{
	(void)state;
	/* The clock goes on by itself as well: hours, so that no pause of the machine counts. */
	auth_cache_put(alice, "v3", "secret", 7200 * 1000);
	clock_advance(3600 * 1000);
	assert_true(auth_cache_has(alice, "v3", "secret"));
	clock_advance(3600 * 1000);
	assert_false(auth_cache_has(alice, "v3", "secret"));
	auth_cache_put(alice, "v4", "secret", 0);
	assert_false(auth_cache_has(alice, "v4", "secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verifier_matches_its_password_only),
	    cmocka_unit_test(argon2id_matches_its_password_only),
	    cmocka_unit_test(verifier_is_current_while_the_policy_would_make_it_so),
	    cmocka_unit_test(malformed_verifier_matches_nothing),
	    cmocka_unit_test(verifier_from_elsewhere_is_taken),
	    cmocka_unit_test(plain_verifier_matches_its_password_only),
	    cmocka_unit_test(verifier_of_sha512_crypt_matches),
	    cmocka_unit_test(cache_knows_what_was_right),
	    cmocka_unit_test(cache_forgets_when_the_verifier_changes),
	    cmocka_unit_test(cache_forgets_after_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

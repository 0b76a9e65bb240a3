/* Tokens that libcjose signs here, and the files that their keys are in. */
#include "auth/jwt.h"
#include "auth/jwt_priv.h"
#include "base/mem.h"

#include <cjose/cjose.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1800000000

static const char pair_json[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"qVO2lBhEw2nJBI8ASnrmmjJnEcVzzeQFRgupl41gJH8\","
    "\"y\":\"KBl7GaDFOyfLoKpXpsA1Zk-v8Ok10-O2k0QjCixd3UU\",\"d\":\"7eaAiwgzffjm0kyWxkQVHp1ykIFeICjmlyBvEqrNcH4\"}";
static const char pair_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqVO2lBhEw2nJBI8ASnrmmjJnEcVz\n"
    "zeQFRgupl41gJH8oGXsZoMU7J8ugqlemwDVmT6/w6TXT47aTRCMKLF3dRQ==\n"
    "-----END PUBLIC KEY-----\n";
static const char rsa_2048_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1XBh4nIs0EJWP9ofHokL\n"
    "bshjasCAgxJ8ijPFHrAvJnSpaJSs8ptRasjnkPVjYKX5yxkk38IrDb4m0tn001sJ\n"
    "lko1iGoyHPD8ivFbcPL26ckHe2dPKINIcB4NnNM/YDgfQonS39bvcrLcf/UZgHX8\n"
    "hnhAwnU3tPUIa6VwYc2Wl7r4vX5T7Pq4hRFDGfzmk7SHZ7QTJR8F7gXIAMWttJRy\n"
    "m4o1CCvSbOXWtdK/XJUCkUBaurrzeJudsAo6yumT9l7KK7Kk5bjvXr3KFHvH5/tf\n"
    "Xci3pU5ybmAvmqW2XwMfx4meGN/75p7H5QGeAdElp+dsLkd+33z4qcW75FCm+Hk9\n"
    "kQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
static const char rsa_1024_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC4b8HT7f5jArxXVmXUSMeRbK8r\n"
    "A9MjAGYaGCg65ucl94EqGX1Qid3VSAkOcQtjGYpeVIUW5VfcALIv5NTDu6IPVUtU\n"
    "lWHl5QWvJm/AI0eGhq17G8mJrxMuOSox89EIBgj0IVVpmZ54N7ccvUTlki83RlrX\n"
    "TAscFXs8xqI30nFWLwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
static const char p384_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE8/XNt5Y4jMP3IfiTOljyhav6pjRn55ym\n"
    "HQZk7jGwnfXcqX28otf1RoX/d3VK0xHuvVib+YMIIa1SDrAQrpB+MUu6dcGklm2F\n"
    "i/n5zIfKsxoTInyvkwUdIqhHdOQI2Wna\n"
    "-----END PUBLIC KEY-----\n";

static struct jwt_rules rules = {"https://id.example", "postern mail", "", "email", 60, 8192};
static cjose_jwk_t *rsa, *other_rsa, *ec;

static cjose_jwk_t *make_rsa(const char *kid)
{
	cjose_jwk_t *jwk = cjose_jwk_create_RSA_random(2048, (const uint8_t *)"\1\0\1", 3, NULL);

	assert_non_null(jwk);
	assert_true(cjose_jwk_set_kid(jwk, kid, strlen(kid), NULL));
	return jwk;
}

static int make_keys(void **state)
{
	(void)state;
	rsa = make_rsa("one");
	other_rsa = make_rsa("two");
	ec = cjose_jwk_import(pair_json, strlen(pair_json), NULL);
	assert_non_null(ec);
	return cjose_jwk_set_kid(ec, "curve", 5, NULL) ? 0 : -1;
}

static int drop_keys(void **state)
{
	(void)state;
	cjose_jwk_release(rsa);
	cjose_jwk_release(other_rsa);
	cjose_jwk_release(ec);
	return 0;
}

static struct jwt_keys *parse(const char *text)
{
	struct jwt_keys *keys;
	struct err e;

	if (jwt_keys_parse(str_view(text, strlen(text)), &keys, &e) < 0)
		fail_msg("%s", e.what);
	return keys;
}

/* A JWK set of their public halves. */
static struct jwt_keys *set_of(cjose_jwk_t *a, cjose_jwk_t *b)
{
	char *first = cjose_jwk_to_json(a, false, NULL), *second = b ? cjose_jwk_to_json(b, false, NULL) : NULL;
	struct str_buf text = {0};
	struct jwt_keys *keys;

	str_buf_printf(&text, "{\"keys\":[%s%s%s]}", first, second ? "," : "", second ? second : "");
	keys = parse(text.p);
	free(first);
	free(second);
	str_buf_fini(&text);
	return keys;
}

/* For free(); header: members of it, "alg" among them. */
static char *sign(cjose_jwk_t *key, const char *const header[][2], const char *payload)
{
	cjose_header_t *h = cjose_header_new(NULL);
	const char *text;
	cjose_jws_t *jws;
	char *token;

	for (size_t i = 0; header[i][0]; i++)
		assert_true(header[i][1][0] == '"' || header[i][1][0] == '['
				? cjose_header_set_raw(h, header[i][0], header[i][1], NULL)
				: cjose_header_set(h, header[i][0], header[i][1], NULL));
	jws = cjose_jws_sign(key, h, (const uint8_t *)payload, strlen(payload), NULL);
	assert_non_null(jws);
	assert_true(cjose_jws_export(jws, &text, NULL));
	token = mem_str(text);
	cjose_jws_release(jws);
	cjose_header_release(h);
	return token;
}

static const char *const rs256[][2] = {{"alg", "RS256"}, {"kid", "one"}, {0}};
static const char *const es256[][2] = {{"alg", "ES256"}, {"kid", "curve"}, {0}};

#define GOOD "\"iss\":\"https://id.example\",\"aud\":\"postern\",\"exp\":1800000600,\"email\":\"alice@example.org\""

static char name[ACCOUNT_NAME_SIZE];
static struct err error;

static int verify(const struct jwt_keys *keys, char *token)
{
	int r;

	memset(name, 0, sizeof name);
	memset(&error, 0, sizeof error);
	r = jwt_verify(keys, &rules, token, NOW, name, &error);
	if (r < 0) {
		assert_int_equal(error.code, ERR_AUTH);
		assert_string_equal(name, "");
	}
	free(token);
	return r;
}

static void a_token_that_the_provider_signed_names_its_user(void **state)
{
	struct jwt_keys *keys = set_of(rsa, ec);

	(void)state;
	assert_int_equal(jwt_keys_n(keys), 2);
	assert_int_equal(verify(keys, sign(rsa, rs256, "{" GOOD "}")), 0);
	assert_string_equal(name, "alice@example.org");
	assert_int_equal(verify(keys, sign(ec, es256, "{" GOOD "}")), 0);
	assert_string_equal(name, "alice@example.org");
	jwt_keys_free(&keys);
	assert_null(keys);
}

static void a_key_of_pem_serves_whatever_name_the_token_says(void **state)
{
	struct jwt_keys *keys = parse(pair_pem);

	(void)state;
	assert_int_equal(verify(keys, sign(ec, es256, "{" GOOD "}")), 0);
	jwt_keys_free(&keys);
}

static void another_key_another_name_and_no_name(void **state)
{
	static const char *const named_two[][2] = {{"alg", "RS256"}, {"kid", "two"}, {0}};
	static const char *const unknown[][2] = {{"alg", "RS256"}, {"kid", "three"}, {0}};
	static const char *const nameless[][2] = {{"alg", "RS256"}, {0}};
	struct jwt_keys *one = set_of(rsa, NULL), *both = set_of(other_rsa, rsa);

	(void)state;
	assert_int_equal(verify(one, sign(other_rsa, rs256, "{" GOOD "}")), -1);
	assert_int_equal(verify(both, sign(rsa, named_two, "{" GOOD "}")), -1);
	assert_int_equal(verify(both, sign(rsa, unknown, "{" GOOD "}")), -1);
	assert_non_null(strstr(error.what, "no key that is known"));
	assert_int_equal(verify(both, sign(rsa, nameless, "{" GOOD "}")), 0);
	assert_int_equal(verify(one, sign(ec, es256, "{" GOOD "}")), -1);
	jwt_keys_free(&one);
	jwt_keys_free(&both);
}

/* RFC 8725 2.1: with the public key as the secret, and with none. */
static void other_algorithms_are_refused(void **state)
{
	static const char *const hs256[][2] = {{"alg", "HS256"}, {"kid", "one"}, {0}};
	static const char *const rs512[][2] = {{"alg", "RS512"}, {"kid", "one"}, {0}};
	static const char *const ps256[][2] = {{"alg", "PS256"}, {"kid", "one"}, {0}};
	static const char *const nothing[] = {
	    /* {"alg":"none"}, {"alg":"nOnE"} and a set of claims, with a signature and without */
	    "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJub25lIn0.e30.AAAA", "eyJhbGciOiJuT25FIn0.e30.AAAA", "eyJhbGciOiJub25lIn0.e30",
	};
	cjose_jwk_t *secret = cjose_jwk_create_oct_spec((const uint8_t *)pair_pem, sizeof pair_pem - 1, NULL);
	struct jwt_keys *keys = set_of(rsa, ec);

	(void)state;
	assert_non_null(secret);
	assert_int_equal(verify(keys, sign(secret, hs256, "{" GOOD "}")), -1);
	assert_non_null(strstr(error.what, "neither by RS256 nor by ES256"));
	assert_int_equal(verify(keys, sign(rsa, rs512, "{" GOOD "}")), -1);
	assert_int_equal(verify(keys, sign(rsa, ps256, "{" GOOD "}")), -1);
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		assert_int_equal(verify(keys, mem_str(nothing[i])), -1);
	cjose_jwk_release(secret);
	jwt_keys_free(&keys);
}

static void headers_that_ask_for_more_are_refused(void **state)
{
	static const char *const critical[][2] = {{"alg", "RS256"}, {"crit", "[\"exp\"]"}, {0}};
	static const char *const logout[][2] = {{"alg", "RS256"}, {"typ", "logout+jwt"}, {0}};
	static const char *const access[][2] = {{"alg", "RS256"}, {"typ", "application/AT+JWT"}, {0}};
	struct jwt_keys *keys = set_of(rsa, NULL);

	(void)state;
	assert_int_equal(verify(keys, sign(rsa, critical, "{" GOOD "}")), -1);
	assert_int_equal(verify(keys, sign(rsa, logout, "{" GOOD "}")), -1);
	assert_int_equal(verify(keys, sign(rsa, access, "{" GOOD "}")), 0);
	jwt_keys_free(&keys);
}

static void a_token_that_was_touched_is_refused(void **state)
{
	struct jwt_keys *keys = set_of(rsa, ec);
	char *token = sign(ec, es256, "{" GOOD "}");
	size_t n = strlen(token);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char *touched = mem_str(token);

		touched[i] = touched[i] == 'A' ? 'B' : 'A';
		/* Bits that no octet is made of may differ. */
		if (verify(keys, touched) == 0)
			assert_int_equal(i, n - 1);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(verify(keys, mem_strn(token, i)), -1);
	free(token);
	jwt_keys_free(&keys);
}

static void nonsense_is_refused(void **state)
{
	static const char *const nonsense[] = {"", ".", "..", "...", "a.b.c", "a.b.c.d", "e30.e30.e30", "e30 .e30.e30", "\xff.\xff.\xff",
	    "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "eyJhbGciOjF9.e30.AAAA", "W10.e30.AAAA", "bnVsbA.e30.AAAA"};
	struct jwt_keys *keys = set_of(rsa, ec);
	struct str_buf large = {0};

	(void)state;
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
		assert_int_equal(verify(keys, mem_str(nonsense[i])), -1);
	while (large.n < 200000)
		str_buf_puts(&large, "eyJhbGciOiJSUzI1NiJ9.");
	assert_int_equal(verify(keys, large.p), -1);
	assert_non_null(strstr(error.what, "at most 8192"));
	jwt_keys_free(&keys);
}

/* --- claims: what is judged once the signature is good ------------------------------------------- */

static bool passes(const char *payload)
{
	memset(&error, 0, sizeof error);
	return jwt_judge(&rules, str_view(payload, strlen(payload)), NOW, name, &error) == 0;
}

static void who_made_it_for_whom_has_to_be_right(void **state)
{
	(void)state;
	assert_true(passes("{" GOOD "}"));
	assert_false(passes("{\"iss\":\"https://id.example/\",\"aud\":\"postern\",\"exp\":1800000600,\"email\":\"a@b\"}"));
	assert_false(passes("{\"aud\":\"postern\",\"exp\":1800000600,\"email\":\"a@b\"}"));
	assert_false(passes("{\"iss\":[\"https://id.example\"],\"aud\":\"postern\",\"exp\":1800000600,\"email\":\"a@b\"}"));
	assert_true(passes("{\"iss\":\"https://id.example\",\"aud\":[\"x\",\"mail\"],\"exp\":1800000600,\"email\":\"a@b\"}"));
	assert_false(passes("{\"iss\":\"https://id.example\",\"aud\":[\"x\",\"y\"],\"exp\":1800000600,\"email\":\"a@b\"}"));
	assert_false(passes("{\"iss\":\"https://id.example\",\"aud\":\"postern mail\",\"exp\":1800000600,\"email\":\"a@b\"}"));
	assert_false(passes("{\"iss\":\"https://id.example\",\"aud\":{\"x\":\"mail\"},\"exp\":\"1800000600\",\"email\":\"a@b\"}"));
	assert_false(passes("{\"iss\":\"https://id.example\",\"exp\":1800000600,\"email\":\"a@b\"}"));
}

static bool passes_with(const char *claims)
{
	struct str_buf text = {0};
	bool is;

	str_buf_printf(&text, "{\"iss\":\"https://id.example\",\"aud\":\"postern\",%s}", claims);
	is = passes(text.p);
	str_buf_fini(&text);
	return is;
}

static void its_time_has_to_be_now_but_for_the_clocks(void **state)
{
	(void)state;
	assert_true(passes_with("\"email\":\"a@b\",\"exp\":1799999941"));
	assert_false(passes_with("\"email\":\"a@b\",\"exp\":1799999940"));
	assert_non_null(strstr(error.what, "expired 60 s ago"));
	assert_true(passes_with("\"email\":\"a@b\",\"exp\":1800000600,\"nbf\":1800000060"));
	assert_false(passes_with("\"email\":\"a@b\",\"exp\":1800000600,\"nbf\":1800000061"));
	assert_true(passes_with("\"email\":\"a@b\",\"exp\":1800000600.5"));
	assert_false(passes_with("\"email\":\"a@b\""));
	assert_false(passes_with("\"email\":\"a@b\",\"exp\":\"1800000600\""));
	assert_false(passes_with("\"email\":\"a@b\",\"exp\":null"));
	assert_false(passes_with("\"email\":\"a@b\",\"exp\":1e999"));
	assert_false(passes_with("\"email\":\"a@b\",\"exp\":-1"));
	assert_false(passes_with("\"email\":\"a@b\",\"exp\":1800000600,\"nbf\":\"0\""));
}

static void it_has_to_name_a_user(void **state)
{
	(void)state;
	assert_false(passes_with("\"exp\":1800000600"));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"\""));
	assert_false(passes_with("\"exp\":1800000600,\"email\":7"));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a\\nb\""));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"alice\\u0000@evil\""));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"email\":\"c@d\""));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"email_verified\":false"));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"email_verified\":\"false\""));
	assert_true(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"email_verified\":true"));
	rules.user_claim = "preferred_username";
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\""));
	assert_true(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"email_verified\":false,\"preferred_username\":\"bob\""));
	assert_string_equal(name, "bob");
	rules.user_claim = "email";
}

static void it_has_to_have_the_scope_and_no_strings_attached(void **state)
{
	(void)state;
	rules.scope = "mail.read imap";
	assert_true(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"scope\":\"openid imap mail.read\""));
	assert_true(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"scp\":[\"imap\",\"mail.read\"]"));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"scope\":\"openid imap\""));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"scope\":\"mail.readwrite imap\""));
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\""));
	rules.scope = "";
	assert_false(passes_with("\"exp\":1800000600,\"email\":\"a@b\",\"cnf\":{\"jkt\":\"x\"}"));
}

static void what_is_no_set_of_claims_is_refused(void **state)
{
	static const char *const payloads[] = {"", "[]", "null", "7", "{", "{}", "{}{}", "{\"iss\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
		assert_false(passes(payloads[i]));
}

static void whom_it_says_is_told_unchecked(void **state)
{
	char *token = sign(other_rsa, rs256, "{" GOOD "}");

	(void)state;
	assert_true(jwt_says(&rules, token, name));
	assert_string_equal(name, "alice@example.org");
	free(token);
	assert_false(jwt_says(&rules, "a.b.c", name));
	assert_false(jwt_says(&rules, "", name));
	assert_false(jwt_says(&rules, "e30.e30.e30", name));
}

/* --- files of keys --------------------------------------------------------------------------------- */

static enum err_code trouble_with(const char *text)
{
	struct jwt_keys *keys;
	struct err e;

	if (jwt_keys_parse(str_view(text, strlen(text)), &keys, &e) == 0) {
		jwt_keys_free(&keys);
		return ERR_NONE;
	}
	return e.code;
}

static void keys_for_something_else_are_passed_over(void **state)
{
	char *good = cjose_jwk_to_json(rsa, false, NULL);
	struct str_buf text = {0};
	struct jwt_keys *keys;

	(void)state;
	str_buf_printf(&text,
	    "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"},"
	    "{\"kty\":\"RSA\",\"use\":\"enc\",%s,{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\",%s,{\"kty\":\"RSA\",\"key_ops\":[\"sign\"],%s,"
	    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"},7,null,{},{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},%s]}",
	    good + 1, good + 1, good + 1, good);
	keys = parse(text.p);
	assert_int_equal(jwt_keys_n(keys), 1);
	jwt_keys_free(&keys);
	keys = parse(good); /* by itself */
	assert_int_equal(jwt_keys_n(keys), 1);
	jwt_keys_free(&keys);
	str_buf_clear(&text);
	str_buf_printf(&text, "# the provider's\n%s%s\n%s%s", pair_pem, rsa_1024_pem, p384_pem, rsa_2048_pem);
	keys = parse(text.p);
	assert_int_equal(jwt_keys_n(keys), 2);
	jwt_keys_free(&keys);
	str_buf_fini(&text);
	free(good);
}

static void files_that_cannot_be_used_are_refused(void **state)
{
	static const char *const files[] = {"", "{}", "{\"keys\":[]}", "{\"keys\":{}}", "{\"keys\":", "nothing", rsa_1024_pem, p384_pem,
	    pair_json, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "-----BEGIN PUBLIC KEY-----\n",
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	    "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"};
	struct str_buf many = {0};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		assert_int_equal(trouble_with(files[i]), ERR_INVALID);
	for (int i = 0; i < JWT_KEYS_MAX; i++)
		str_buf_puts(&many, pair_pem);
	assert_int_equal(trouble_with(many.p), ERR_NONE);
	str_buf_puts(&many, pair_pem);
	assert_int_equal(trouble_with(many.p), ERR_INVALID);
	str_buf_fini(&many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_that_the_provider_signed_names_its_user),
	    cmocka_unit_test(a_key_of_pem_serves_whatever_name_the_token_says),
	    cmocka_unit_test(another_key_another_name_and_no_name),
	    cmocka_unit_test(other_algorithms_are_refused),
	    cmocka_unit_test(headers_that_ask_for_more_are_refused),
	    cmocka_unit_test(a_token_that_was_touched_is_refused),
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(who_made_it_for_whom_has_to_be_right),
	    cmocka_unit_test(its_time_has_to_be_now_but_for_the_clocks),
	    cmocka_unit_test(it_has_to_name_a_user),
	    cmocka_unit_test(it_has_to_have_the_scope_and_no_strings_attached),
	    cmocka_unit_test(what_is_no_set_of_claims_is_refused),
	    cmocka_unit_test(whom_it_says_is_told_unchecked),
	    cmocka_unit_test(keys_for_something_else_are_passed_over),
	    cmocka_unit_test(files_that_cannot_be_used_are_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}

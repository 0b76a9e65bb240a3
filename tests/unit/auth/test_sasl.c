/* SASL with a source of two users, alice and bob, whose password is "postern" (alice's also in UTF-8). */
#include "auth/sasl.h"

#include <gsasl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum err_code trouble; /* what the source answers, if not ERR_NONE */
static unsigned ability = ACCOUNT_ABLE_PASSWORD | ACCOUNT_ABLE_SCRAM;

static unsigned able(const struct account_source *s)
{
	(void)s;
	return ability;
}

static int proven(const struct account_source *s, const char *name, struct account *who_r, struct err *e)
{
	(void)s;
	if (trouble)
		return err_set(e, trouble, "trouble");
	if (strcmp(name, "alice") != 0 && strcmp(name, "Al") != 0 && strcmp(name, "bob") != 0)
		return err_set(e, ERR_AUTH, "nobody");
	who_r->id.n = name[0] == 'b' ? 2 : 1;
	snprintf(who_r->name, sizeof who_r->name, "%s", name[0] == 'b' ? "bob" : "alice");
	return 0;
}

static int password(const struct account_source *s, unsigned door, const char *name, const char *said, struct account *who_r,
    struct err *e)
{
	assert_int_equal(door, ACCOUNT_DOOR_IMAP);
	if (strcmp(said, "postern") != 0 && strcmp(said, "\xc3\xa9t\xc3\xa9") != 0)
		return err_set(e, ERR_AUTH, "wrong password");
	return proven(s, name, who_r, e);
}

static int scram(const struct account_source *s, const char *name, struct credential_scram *keys_r, struct err *e)
{
	char client_key[32], salted[32];

	(void)s, (void)name;
	if (trouble)
		return err_set(e, trouble, "trouble");
	memcpy(keys_r->salt, "0123456789abcdef", 16);
	keys_r->salt_n = 16;
	keys_r->iterations = 4096;
	assert_int_equal(gsasl_scram_secrets_from_password(GSASL_HASH_SHA256, "postern", 4096, (char *)keys_r->salt, 16, salted,
	    client_key, (char *)keys_r->server_key, (char *)keys_r->stored_key), GSASL_OK);
	return 0;
}

/* "for-alice" is alice's. */
static int token(const struct account_source *s, unsigned door, const char *name, const char *said, struct account *who_r,
    struct err *e)
{
	assert_int_equal(door, ACCOUNT_DOOR_IMAP);
	if (strcmp(said, "for-alice") != 0 || (*name && strcmp(name, "alice") != 0 && strcmp(name, "a,l=") != 0))
		return err_set(e, trouble ? trouble : ERR_AUTH, "another's");
	return proven(s, "alice", who_r, e);
}

static const struct account_source source = {
    .able = able, .password = password, .scram = scram, .token = token, .proven = proven};
static struct sasl_peer peer = {.door = ACCOUNT_DOOR_IMAP, .is_private = true};

static struct sasl *begin(const char *mechanism)
{
	struct sasl *sasl;
	struct err e;

	assert_int_equal(sasl_begin(&source, &peer, str_view(mechanism, strlen(mechanism)), &sasl, &e), 0);
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
	assert_int_equal(sasl_account(sasl)->id.n, 1);
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
	assert_int_equal(sasl_account(sasl)->id.n, 1);
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
	assert_int_equal(sasl_account(sasl)->id.n, 1);
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
	assert_int_equal(sasl_account(sasl)->id.n, 1);
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
	assert_int_equal(sasl_account(sasl)->id.n, 1);
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void password_in_utf8_arrives_as_it_is(void **state)
{
	struct sasl *sasl = begin("PLAIN");
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(step(sasl, "AGFsaWNlAMOpdMOp", &out), SASL_DONE);
	sasl_free(&sasl);
	str_buf_fini(&out);
}

static void wrong_password_is_told_from_nonsense_and_from_trouble(void **state)
{
	struct str_buf out = {0};
	struct sasl *sasl = begin("PLAIN");

	(void)state;
	assert_int_equal(step(sasl, "AGFsaWNlAHdyb25n", &out), SASL_FAILED);
	assert_int_equal(sasl_error(sasl)->code, ERR_AUTH);
	assert_string_equal(sasl_claimed(sasl), "alice");
	sasl_free(&sasl);
	sasl = begin("PLAIN");
	assert_int_equal(step(sasl, "YWxpY2U=", &out), SASL_FAILED);
	assert_int_equal(sasl_error(sasl)->code, ERR_INVALID);
	sasl_free(&sasl);
	trouble = ERR_UNAVAILABLE;
	sasl = begin("PLAIN");
	assert_int_equal(step(sasl, "AGFsaWNlAHBvc3Rlcm4=", &out), SASL_FAILED);
	assert_int_equal(sasl_error(sasl)->code, ERR_UNAVAILABLE);
	trouble = ERR_NONE;
	sasl_free(&sasl);
	str_buf_fini(&out);
}

/* --- SCRAM: against libgsasl's client ---------------------------------------------------------- */

static const char *scram_user, *scram_password, *scram_authzid, *client_binding;
static enum sasl_binding client_binding_kind;

static int client_answer(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
	const char *value = property == GSASL_AUTHID ? scram_user
	    : property == GSASL_PASSWORD ? scram_password
	    : property == GSASL_AUTHZID ? scram_authzid
	    : property == GSASL_CB_TLS_EXPORTER && client_binding_kind == SASL_BINDING_EXPORTER ? client_binding
	    : property == GSASL_CB_TLS_UNIQUE && client_binding_kind == SASL_BINDING_UNIQUE ? client_binding : NULL;

	(void)gsasl;
	if (!value)
		return GSASL_NO_CALLBACK;
	gsasl_property_set(session, property, value);
	return GSASL_OK;
}

/* The whole exchange; at_end: whether the client took the server's proof as well. */
static enum sasl_result converse(const char *mechanism, enum err_code *why_r, bool *client_r)
{
	struct sasl *sasl = begin(mechanism);
	enum sasl_result result = SASL_MORE;
	struct str_buf out = {0};
	Gsasl_session *client;
	Gsasl *gsasl;
	int said = GSASL_NEEDS_MORE;

	assert_int_equal(gsasl_init(&gsasl), GSASL_OK);
	gsasl_callback_set(gsasl, client_answer);
	assert_int_equal(gsasl_client_start(gsasl, mechanism, &client), GSASL_OK);
	while (result == SASL_MORE) {
		char *words = NULL;

		said = gsasl_step64(client, out.p ? out.p : "", &words);
		if (said != GSASL_OK && said != GSASL_NEEDS_MORE)
			break;
		result = step(sasl, words ? words : "", &out);
		gsasl_free(words);
	}
	if (result == SASL_DONE && peer.ends_with_words) {
		char *words = NULL;

		said = gsasl_step64(client, out.p, &words);
		gsasl_free(words);
	}
	*why_r = sasl_error(sasl)->code;
	*client_r = said == GSASL_OK;
	if (result == SASL_DONE)
		assert_string_equal(sasl_account(sasl)->name, "alice");
	gsasl_finish(client);
	gsasl_done(gsasl);
	sasl_free(&sasl);
	str_buf_fini(&out);
	return result;
}

static void scram_proves_both(void **state)
{
	enum err_code why;
	bool client;

	(void)state;
	scram_user = "alice", scram_password = "postern";
	assert_int_equal(converse("SCRAM-SHA-256", &why, &client), SASL_DONE);
	assert_true(client);
	peer.ends_with_words = true;
	assert_int_equal(converse("SCRAM-SHA-256", &why, &client), SASL_DONE);
	assert_true(client);
	peer.ends_with_words = false;
	scram_authzid = "Al"; /* himself, by another name */
	assert_int_equal(converse("SCRAM-SHA-256", &why, &client), SASL_DONE);
	scram_authzid = "bob";
	assert_int_equal(converse("SCRAM-SHA-256", &why, &client), SASL_FAILED);
	assert_int_equal(why, ERR_AUTH);
	scram_authzid = NULL;
}

static void scram_refuses_who_proves_nothing(void **state)
{
	enum err_code why;
	bool client;

	(void)state;
	scram_user = "alice", scram_password = "Postern";
	assert_int_equal(converse("SCRAM-SHA-256", &why, &client), SASL_FAILED);
	assert_int_equal(why, ERR_AUTH);
	/* Keys that match are not enough: an account that is disabled, say. */
	scram_user = "mallory", scram_password = "postern";
	assert_int_equal(converse("SCRAM-SHA-256", &why, &client), SASL_FAILED);
	assert_int_equal(why, ERR_AUTH);
	trouble = ERR_BUSY;
	assert_int_equal(converse("SCRAM-SHA-256", &why, &client), SASL_FAILED);
	assert_int_equal(why, ERR_BUSY);
	trouble = ERR_NONE;
}

static void scram_is_bound_to_its_channel(void **state)
{
	static const enum sasl_binding kinds[] = {SASL_BINDING_EXPORTER, SASL_BINDING_UNIQUE};
	enum err_code why;
	bool client;

	(void)state;
	scram_user = "alice", scram_password = "postern";
	for (int i = 0; i < 2; i++) {
		peer.binding = client_binding_kind = kinds[i];
		peer.binding_octets = SV("these octets are the channel's..");
		client_binding = "dGhlc2Ugb2N0ZXRzIGFyZSB0aGUgY2hhbm5lbCdzLi4=";
		assert_int_equal(converse("SCRAM-SHA-256-PLUS", &why, &client), SASL_DONE);
		assert_true(client);
		client_binding = "dGhlc2Ugb2N0ZXRzIGFyZSBhbm90aGVyJ3MuLi4uLi4="; /* somebody in the middle */
		assert_int_equal(converse("SCRAM-SHA-256-PLUS", &why, &client), SASL_FAILED);
		assert_int_equal(why, ERR_AUTH);
	}
	/* Who could bind, and was told that we can't, was told so by somebody in between (RFC 5802 6). */
	client_binding = "dGhlc2Ugb2N0ZXRzIGFyZSB0aGUgY2hhbm5lbCdzLi4=";
	{
		struct sasl *sasl = begin("SCRAM-SHA-256");
		struct str_buf out = {0};

		assert_int_equal(step(sasl, "eSwsbj1hbGljZSxyPWFiY2RlZg==", &out), SASL_FAILED); /* y,,n=alice,r=abcdef */
		assert_int_equal(sasl_error(sasl)->code, ERR_AUTH);
		sasl_free(&sasl);
		str_buf_fini(&out);
	}
	peer.binding = client_binding_kind = SASL_BINDING_NONE;
	client_binding = NULL;
}

/* --- EXTERNAL, and what is offered ------------------------------------------------------------- */

static void external_is_whom_the_transport_vouches_for(void **state)
{
	struct str_buf out = {0};
	struct sasl *sasl;

	(void)state;
	peer.external = "Al";
	sasl = begin("EXTERNAL");
	assert_int_equal(step(sasl, "=", &out), SASL_DONE);
	assert_string_equal(sasl_account(sasl)->name, "alice");
	sasl_free(&sasl);
	sasl = begin("EXTERNAL");
	assert_int_equal(step(sasl, NULL, &out), SASL_MORE);
	assert_int_equal(step(sasl, "YWxpY2U=", &out), SASL_DONE);
	sasl_free(&sasl);
	sasl = begin("EXTERNAL"); /* as bob */
	assert_int_equal(step(sasl, "Ym9i", &out), SASL_FAILED);
	assert_int_equal(sasl_error(sasl)->code, ERR_AUTH);
	sasl_free(&sasl);
	peer.external = "mallory";
	sasl = begin("EXTERNAL");
	assert_int_equal(step(sasl, "=", &out), SASL_FAILED);
	sasl_free(&sasl);
	peer.external = NULL;
	str_buf_fini(&out);
}

/* --- bearer tokens ------------------------------------------------------------------------------- */

/* said: the message itself, "|" in it for SOH. */
static enum sasl_result say(struct sasl *sasl, const char *said, struct str_buf *out)
{
	char *message = strdup(said), *base64;
	enum sasl_result result;

	for (char *at = message; *at; at++)
		if (*at == '|')
			*at = '\001';
	assert_int_equal(gsasl_base64_to(message, strlen(message), &base64, NULL), GSASL_OK);
	result = step(sasl, base64, out);
	gsasl_free(base64);
	free(message);
	return result;
}

static void token_lets_in(const char *mechanism, const char *message)
{
	struct str_buf out = {0};
	struct sasl *sasl;

	for (int asked = 0; asked < 2; asked++) {
		sasl = begin(mechanism);
		if (asked)
			assert_int_equal(step(sasl, NULL, &out), SASL_MORE);
		assert_int_equal(say(sasl, message, &out), SASL_DONE);
		assert_string_equal(sasl_account(sasl)->name, "alice");
		assert_int_equal(out.n, 0);
		sasl_free(&sasl);
	}
	str_buf_fini(&out);
}

static void a_token_lets_its_user_in(void **state)
{
	(void)state;
	ability |= ACCOUNT_ABLE_TOKEN;
	token_lets_in("OAUTHBEARER", "n,,|auth=Bearer for-alice||");
	token_lets_in("OAUTHBEARER", "n,a=alice,|host=mail.example.org|port=143|auth=Bearer for-alice||");
	token_lets_in("OAUTHBEARER", "y,a=a=2Cl=3D,|auth=bearer  for-alice||");
	token_lets_in("XOAUTH2", "user=alice|auth=Bearer for-alice||");
	ability &= ~(unsigned)ACCOUNT_ABLE_TOKEN;
}

/* RFC 7628 3.2.3: an error as a challenge, and failure once the peer has said that he heard it. */
static void a_refusal_is_told_and_acknowledged(void **state)
{
	static const struct {
		const char *mechanism, *message, *refusal, *claimed;
	} refused[] = {
	    {"OAUTHBEARER", "n,a=alice,|auth=Bearer for-bob||", "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=", "alice"},
	    {"OAUTHBEARER", "n,a=bob,|auth=Bearer for-alice||", "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=", "bob"},
	    {"OAUTHBEARER", "n,,|auth=||", "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=", ""},
	    {"XOAUTH2", "user=alice|auth=Bearer for-bob||", "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=", "alice"},
	};
	static const char *const heard[] = {"AQ==", "", "=", "%"};
	struct str_buf out = {0};

	(void)state;
	ability |= ACCOUNT_ABLE_TOKEN;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		for (size_t j = 0; j < sizeof heard / sizeof *heard; j++) {
			struct sasl *sasl = begin(refused[i].mechanism);

			assert_int_equal(say(sasl, refused[i].message, &out), SASL_MORE);
			assert_string_equal(out.p, refused[i].refusal);
			assert_int_equal(sasl_error(sasl)->code, ERR_AUTH);
			assert_string_equal(sasl_claimed(sasl), refused[i].claimed);
			assert_int_equal(step(sasl, heard[j], &out), SASL_FAILED);
			assert_int_equal(sasl_error(sasl)->code, ERR_AUTH);
			sasl_free(&sasl);
		}
	trouble = ERR_BUSY; /* is no refusal */
	for (size_t i = 0; i < 1; i++) {
		struct sasl *sasl = begin(refused[i].mechanism);

		assert_int_equal(say(sasl, refused[i].message, &out), SASL_FAILED);
		assert_int_equal(sasl_error(sasl)->code, ERR_BUSY);
		sasl_free(&sasl);
	}
	trouble = ERR_NONE;
	ability &= ~(unsigned)ACCOUNT_ABLE_TOKEN;
	str_buf_fini(&out);
}

static void what_is_no_message_with_a_token_fails(void **state)
{
	static const char *const bearer[] = {"", "n", "n,", "n,,", "n,,|", "n,,||", "n,,|auth=Bearer for-alice", "n,,|auth=Bearer for-alice|",
	    "n,,|auth=Bearer for-alice||x", "n,,auth=Bearer for-alice||", "n,,x|auth=Bearer for-alice||", "p=tls-unique,,|auth=Bearer for-alice||",
	    "N,,|auth=Bearer for-alice||", "n,alice,|auth=Bearer for-alice||", "n,a=,|auth=Bearer for-alice||", "n,a=a=2,|auth=Bearer for-alice||",
	    "n,a==,|auth=Bearer for-alice||", "n,,|auth=Basic eDp5||", "n,,|auth||", "n,,|auth=Bearer for-alice|auth=Bearer for-alice||",
	    "n,,|user=alice||", "user=alice|auth=Bearer for-alice||"};
	static const char *const xoauth2[] = {"", "|", "||", "user=alice|", "user=alice||", "auth=Bearer for-alice||",
	    "user=alice|auth=Bearer for-alice|", "user=alice|auth=Bearer for-alice", "n,,|auth=Bearer for-alice||"};
	struct str_buf out = {0};

	(void)state;
	ability |= ACCOUNT_ABLE_TOKEN;
	for (size_t i = 0; i < sizeof bearer / sizeof *bearer + sizeof xoauth2 / sizeof *xoauth2; i++) {
		bool is_standard = i < sizeof bearer / sizeof *bearer;
		const char *message = is_standard ? bearer[i] : xoauth2[i - sizeof bearer / sizeof *bearer];
		struct sasl *sasl = begin(is_standard ? "OAUTHBEARER" : "XOAUTH2");

		print_message("%s\n", message);
		assert_int_equal(say(sasl, message, &out), SASL_FAILED);
		assert_int_equal(sasl_error(sasl)->code, ERR_INVALID);
		sasl_free(&sasl);
	}
	{
		struct sasl *sasl = begin("OAUTHBEARER");

		assert_int_equal(step(sasl, "%%%", &out), SASL_FAILED);
		sasl_free(&sasl);
	}
	ability &= ~(unsigned)ACCOUNT_ABLE_TOKEN;
	str_buf_fini(&out);
}

static void offers(const char *wanted)
{
	struct str_buf out = {0};

	sasl_put_mechanisms(able(&source), &peer, &out);
	assert_string_equal(out.p ? out.p : "", wanted);
	str_buf_fini(&out);
}

static void what_can_be_used_is_offered(void **state)
{
	(void)state;
	offers("SCRAM-SHA-256 PLAIN LOGIN");
	peer.is_private = false;
	offers("SCRAM-SHA-256");
	ability = ACCOUNT_ABLE_PASSWORD;
	offers("");
	peer.is_private = true;
	offers("PLAIN LOGIN");
	ability |= ACCOUNT_ABLE_TOKEN;
	offers("OAUTHBEARER XOAUTH2 PLAIN LOGIN");
	peer.is_private = false;
	offers("");
	peer.is_private = true;
	ability ^= ACCOUNT_ABLE_TOKEN | ACCOUNT_ABLE_SCRAM;
	peer.binding = SASL_BINDING_EXPORTER;
	peer.external = "alice";
	offers("EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN");
	peer.binding = SASL_BINDING_NONE;
	peer.external = NULL;
}

static void what_is_not_offered_is_unsupported(void **state)
{
	static const char *const names[] = {"CRAM-MD5", "", "EXTERNAL", "SCRAM-SHA-256-PLUS", "OAUTHBEARER", "XOAUTH2"};
	struct sasl *sasl;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(sasl_begin(&source, &peer, str_view(names[i], strlen(names[i])), &sasl, &e), -1);
		assert_int_equal(e.code, ERR_UNSUPPORTED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	    cmocka_unit_test(wrong_password_is_told_from_nonsense_and_from_trouble),
	    cmocka_unit_test(scram_proves_both),
	    cmocka_unit_test(scram_refuses_who_proves_nothing),
	    cmocka_unit_test(scram_is_bound_to_its_channel),
	    cmocka_unit_test(external_is_whom_the_transport_vouches_for),
	    cmocka_unit_test(a_token_lets_its_user_in),
	    cmocka_unit_test(a_refusal_is_told_and_acknowledged),
	    cmocka_unit_test(what_is_no_message_with_a_token_fails),
	    cmocka_unit_test(what_can_be_used_is_offered),
	    cmocka_unit_test(what_is_not_offered_is_unsupported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

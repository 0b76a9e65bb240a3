/* net/tls*.c: certificates chosen and renewed, clients' certificates, what a login can be bound to. */
#include "net/tls.h"
#include "base/clock.h"
#include "base/str.h"
#include "net/conn.h"
#include "peer.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct net_tls *tls;
static struct net_server *server;
static pthread_t thread;
static uint16_t port;

/* --- a door that tells what it knows of the connection ------------------------------------- */

static void *tell_open(struct conn *conn, void *arg)
{
	(void)arg;
	return conn;
}

static void tell_binding(struct conn *conn, enum conn_binding kind)
{
	unsigned char octets[CONN_BINDING_MAX];
	size_t n = conn_binding(conn, kind, octets);

	for (size_t i = 0; i < n; i++)
		conn_printf(conn, "%02x", octets[i]);
	conn_puts(conn, n ? "\n" : "none\n");
}

static enum conn_next tell_run(struct conn *conn, void *state, unsigned events)
{
	struct str_view line;
	char name[64];

	(void)state;
	(void)events;
	while (conn_line(conn, 100, &line) == CONN_LINE) {
		if (str_equal(line, SV("WHO")))
			conn_printf(conn, "%s\n", conn_peer_name(conn, name, sizeof name) ? name : "nobody");
		else if (str_equal(line, SV("EXPORTER")))
			tell_binding(conn, CONN_TLS_EXPORTER);
		else
			tell_binding(conn, CONN_TLS_UNIQUE);
	}
	return CONN_WAIT;
}

static void tell_close(struct conn *conn, void *state, enum conn_end end)
{
	(void)conn;
	(void)state;
	(void)end;
}

static const struct net_door door = {.name = "tell", .alpn = "tell", .open = tell_open, .run = tell_run, .close = tell_close};

static void *serve(void *arg)
{
	net_server_run(arg);
	return NULL;
}

/* --- files --------------------------------------------------------------------------------- */

static const char *in_folder(const char *name)
{
	static char paths[16][128];
	static unsigned at;
	char *path = paths[at++ % 16];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void shell(const char *commands)
{
	char line[2048];

	snprintf(line, sizeof line, "cd %s && { %s; } >/dev/null 2>&1", folder, commands);
	assert_int_equal(system(line), 0); /* NOLINT: the tests' own words */
}

/* A certificate for a key of this kind, self-signed where ca is NULL, with these lines in its template. */
static void make_certificate_of(const char *kind, const char *name, const char *ca, const char *template)
{
	char line[1024], sign[128] = "--generate-self-signed";

	if (ca)
		snprintf(sign, sizeof sign,
		    "--generate-certificate --load-ca-certificate %s.pem --load-ca-privkey %s.key", ca, ca);
	snprintf(line, sizeof line,
	    "printf '%s' > t && certtool --generate-privkey --key-type=%s --outfile %s.key && "
	    "certtool %s --load-privkey %s.key --template t --outfile %s.pem",
	    template, kind, name, sign, name, name);
	shell(line);
}

static void make_certificate(const char *name, const char *ca, const char *template)
{
	make_certificate_of("ecdsa", name, ca, template);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/postern-tls-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	make_certificate("first", NULL, "cn = first.test\\ndns_name = first.test\\ntls_www_server\\n");
	make_certificate_of("rsa", "first-rsa", NULL, "cn = first.test\\ndns_name = first.test\\ntls_www_server\\n");
	make_certificate("second", NULL,
	    "cn = second.test\\ndns_name = second.test\\ndns_name = *.wild.test\\ntls_www_server\\n");
	make_certificate("ca", NULL, "cn = Authority\\nca\\ncert_signing_key\\n");
	make_certificate("other-ca", NULL, "cn = Another\\nca\\ncert_signing_key\\n");
	make_certificate("anna", "ca", "cn = Anna\\nemail = anna@x.test\\ntls_www_client\\n");
	make_certificate("bert", "ca", "cn = bert\\ntls_www_client\\n");
	make_certificate("server-only", "ca", "cn = bert\\ntls_www_server\\n");
	make_certificate("stranger", "other-ca", "cn = bert\\ntls_www_client\\n");
	make_certificate("expired", "ca",
	    "cn = bert\\ntls_www_client\\nactivation_date = \"2001-01-01 00:00:00\"\\n"
	    "expiration_date = \"2002-01-01 00:00:00\"\\n");
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command); /* NOLINT: fixed words */
}

/* --- the server ---------------------------------------------------------------------------- */

static struct net_limits limits;

static void start(enum net_tls_client client)
{
	const struct net_tls_pair pairs[] = {
	    {in_folder("first.pem"), in_folder("first.key"), in_folder("first-rsa.pem"), in_folder("first-rsa.key")},
	    {.certificate = in_folder("second.pem"), .key = in_folder("second.key")},
	};
	const struct net_tls_config config = {.pairs = pairs, .pairs_n = 2, .priority = NET_TLS_PRIORITY,
	    .client = client, .client_ca = in_folder("ca.pem")};
	const struct net_listen listen = {.address = "127.0.0.1:0", .tls = true, .door = &door};
	struct err e;

	if (!limits.workers_max)
		limits = net_limits_default;
	assert_int_equal(net_tls_load(&config, &tls, &e), 0);
	assert_int_equal(net_server_new(&listen, 1, tls, &limits, &server, &e), 0);
	port = net_server_port(server, 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, server), 0);
}

static int start_plain(void **state)
{
	(void)state;
	start(NET_TLS_CLIENT_NONE);
	return 0;
}

static int start_request(void **state)
{
	(void)state;
	start(NET_TLS_CLIENT_REQUEST);
	return 0;
}

static int start_require(void **state)
{
	(void)state;
	start(NET_TLS_CLIENT_REQUIRE);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	net_server_stop(server);
	pthread_join(thread, NULL);
	net_server_free(&server);
	net_tls_free(&tls);
	return 0;
}

/* --- what a login is bound to -------------------------------------------------------------- */

#define ONLY_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

static void expect_binding(struct peer *peer, const char *word, gnutls_channel_binding_t kind)
{
	gnutls_datum_t data;
	char text[200] = "";

	assert_int_equal(gnutls_session_channel_binding(peer->tls, kind, &data), 0);
	for (unsigned i = 0; i < data.size; i++)
		sprintf(text + strlen(text), "%02x", data.data[i]);
	strcat(text, "\n");
	gnutls_free(data.data);
	peer_send(peer, word);
	peer_expect(peer, text);
}

static void tls_1_3_is_bound_by_its_exporter_alone(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, port);
	assert_int_equal(peer_tls(&peer), 0);
	expect_binding(&peer, "EXPORTER\n", GNUTLS_CB_TLS_EXPORTER);
	peer_send(&peer, "UNIQUE\n");
	peer_expect(&peer, "none\n");
	peer_close(&peer);
}

static void tls_1_2_is_bound_by_what_is_unique_in_its_handshake(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, port);
	assert_int_equal(peer_tls_with(&peer, ONLY_1_2), 0);
	expect_binding(&peer, "UNIQUE\n", GNUTLS_CB_TLS_UNIQUE);
	peer_send(&peer, "EXPORTER\n");
	peer_expect(&peer, "none\n");
	peer_close(&peer);
}

static void tls_1_2_without_extended_master_secret_is_bound_by_nothing(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, port);
	assert_int_equal(peer_tls_with(&peer, ONLY_1_2 ":%NO_SESSION_HASH"), 0);
	peer_send(&peer, "UNIQUE\nEXPORTER\n");
	peer_expect(&peer, "none\nnone\n");
	peer_close(&peer);
}

/* --- clients' certificates ----------------------------------------------------------------- */

/* What the door says who it is; "refused" where there is no connection at all. */
static void expect_who(const char *certificate, const char *priority, const char *who)
{
	char pem[80] = "", key[80] = "";
	struct peer_hello hello = {.priority = priority};
	struct peer peer;
	char got[64] = "";

	if (certificate) {
		snprintf(pem, sizeof pem, "%s/%s.pem", folder, certificate);
		snprintf(key, sizeof key, "%s/%s.key", folder, certificate);
		hello.certificate = pem;
		hello.key = key;
	}
	peer_open(&peer, port);
	/* In TLS 1.3 a client learns only when it reads that it was refused. */
	if (peer_tls_hello(&peer, &hello) == 0) {
		peer_send(&peer, "WHO\n");
		peer_read(&peer, got, strlen(who) + 1);
	}
	if (strcmp(who, "refused") == 0) {
		assert_string_equal(got, "");
	} else {
		assert_int_equal(strncmp(got, who, strlen(who)), 0);
		assert_string_equal(got + strlen(who), "\n");
	}
	peer_close(&peer);
}

static void nobody_is_asked_for_a_certificate_by_default(void **state)
{
	(void)state;
	expect_who("anna", NULL, "nobody");
}

static void client_is_named_by_its_mail_address_else_its_common_name(void **state)
{
	(void)state;
	expect_who("anna", NULL, "anna@x.test");
	expect_who("anna", ONLY_1_2, "anna@x.test");
	expect_who("bert", NULL, "bert");
}

static void certificate_that_is_not_trusted_counts_as_none_where_it_is_asked_for(void **state)
{
	(void)state;
	expect_who(NULL, NULL, "nobody");
	expect_who("stranger", NULL, "nobody");
	expect_who("stranger", ONLY_1_2, "nobody");
	expect_who("expired", NULL, "nobody");
	expect_who("server-only", NULL, "nobody");
	expect_who("second", NULL, "nobody");
}

static void certificate_that_is_not_trusted_ends_the_connection_where_one_is_required(void **state)
{
	(void)state;
	expect_who("anna", NULL, "anna@x.test");
	expect_who("bert", ONLY_1_2, "bert");
	expect_who(NULL, NULL, "refused");
	expect_who(NULL, ONLY_1_2, "refused");
	expect_who("stranger", NULL, "refused");
	expect_who("stranger", ONLY_1_2, "refused");
	expect_who("expired", NULL, "refused");
	expect_who("server-only", NULL, "refused");
}

/* --- certificates by name ------------------------------------------------------------------ */

/* The certificate that the server shows who says this; to be deinitialised. */
static gnutls_x509_crt_t shown_to(const struct peer_hello *hello)
{
	gnutls_x509_crt_t crt;
	struct peer peer;
	unsigned n;

	peer_open(&peer, port);
	assert_int_equal(peer_tls_hello(&peer, hello), 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_import(crt, gnutls_certificate_get_peers(peer.tls, &n), GNUTLS_X509_FMT_DER);
	peer_close(&peer);
	return crt;
}

static void expect_certificate(const char *asked, const char *has)
{
	gnutls_x509_crt_t crt = shown_to(&(struct peer_hello){.name = asked});

	assert_true(gnutls_x509_crt_check_hostname(crt, has));
	gnutls_x509_crt_deinit(crt);
}

static void certificate_is_chosen_by_the_name_that_is_asked_for(void **state)
{
	(void)state;
	expect_certificate(NULL, "first.test");
	expect_certificate("first.test", "first.test");
	expect_certificate("second.test", "second.test");
	expect_certificate("SECOND.test", "second.test");
	expect_certificate("mail.wild.test", "second.test");
	expect_certificate("a.mail.wild.test", "first.test");
	expect_certificate("unknown.test", "first.test");
}

static void key_is_of_the_kind_that_the_client_can_check(void **state)
{
	static const struct { const char *priority; int kind; } cases[] = {
	    {NULL, GNUTLS_PK_ECDSA},
	    {"NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256", GNUTLS_PK_RSA},
	    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA", GNUTLS_PK_RSA},
	    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA", GNUTLS_PK_ECDSA},
	};
	static const char *const names[] = {NULL, "first.test"};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
			gnutls_x509_crt_t crt = shown_to(&(struct peer_hello){.priority = cases[i].priority, .name = names[j]});

			assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, NULL), cases[i].kind);
			gnutls_x509_crt_deinit(crt);
		}
}

static void broken_renewal_of_one_holds_up_no_other(void **state)
{
	(void)state;
	shell("cp first.pem first.keep && cp second.pem second.keep && cp second.key second-key.keep");
	shell("echo nonsense > first.pem");
	make_certificate("second", NULL, "cn = new.test\\ndns_name = new.test\\ntls_www_server\\n");
	net_tls_look(tls, true);
	expect_certificate(NULL, "first.test");
	expect_certificate("new.test", "new.test");
	shell("mv first.keep first.pem && mv second.keep second.pem && mv second-key.keep second.key");
}

/* --- sessions taken up again, protocols, bounds --------------------------------------------- */

/* A second session with what the first was given, so long after it. */
static bool resumes_after(int64_t ms, const char *priority)
{
	struct peer_hello hello = {.priority = priority};
	struct peer peer;
	bool resumed;

	peer_open(&peer, port);
	assert_int_equal(peer_tls_hello(&peer, &hello), 0);
	peer_send(&peer, "WHO\n");
	peer_expect(&peer, "nobody\n"); /* TLS 1.3 sends its tickets after the handshake */
	assert_int_equal(gnutls_session_get_data2(peer.tls, &hello.resume), 0);
	peer_close(&peer);
	clock_advance(ms);
	net_tls_look(tls, false);
	peer_open(&peer, port);
	assert_int_equal(peer_tls_hello(&peer, &hello), 0);
	resumed = gnutls_session_is_resumed(peer.tls);
	peer_close(&peer);
	gnutls_free(hello.resume.data);
	return resumed;
}

static bool resumes(const char *priority)
{
	return resumes_after(0, priority);
}

static void session_is_taken_up_again(void **state)
{
	(void)state;
	assert_true(resumes(NULL));
	assert_true(resumes(ONLY_1_2));
	assert_true(resumes_after(3600 * 1000, NULL));
}

static void session_is_not_taken_up_again_when_its_ticket_is_older_than_the_key(void **state)
{
	const int64_t day_ms = 24 * 3600 * 1000;

	(void)state;
	assert_false(resumes_after(day_ms + 1, NULL));
	assert_false(resumes_after(day_ms + 1, ONLY_1_2));
	assert_true(resumes(NULL));
}

static void session_is_not_taken_up_again_where_certificates_are_asked_for(void **state)
{
	(void)state;
	assert_false(resumes(NULL));
	assert_false(resumes(ONLY_1_2));
}

static void who_offers_another_protocol_is_refused(void **state)
{
	static const struct { const char *alpn; int result; } cases[] = {{"tell", 0}, {"h2", -1}, {NULL, 0}};
	struct peer peer;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		peer_open(&peer, port);
		assert_int_equal(peer_tls_hello(&peer, &(struct peer_hello){.alpn = cases[i].alpn}), cases[i].result);
		peer_close(&peer);
	}
}

static void what_is_weak_is_not_agreed_on(void **state)
{
	static const char *const weak[] = {
	    "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0",
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA",
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH",
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC:+ARCFOUR-128",
	    "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+NULL",
	};
	struct peer peer;

	(void)state;
	for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
		peer_open(&peer, port);
		assert_int_equal(peer_tls_with(&peer, weak[i]), -1);
		peer_close(&peer);
	}
}

static int start_narrow(void **state)
{
	(void)state;
	limits = net_limits_default;
	limits.handshakes_max = 2;
	start(NET_TLS_CLIENT_NONE);
	limits = net_limits_default;
	return 0;
}

static void handshakes_under_way_are_bounded_and_end_in_time(void **state)
{
	struct peer slow[2], peer;

	(void)state;
	for (int i = 0; i < 2; i++) {
		peer_open(&slow[i], port);
		peer_send(&slow[i], "\x16\x03\x01");
	}
	usleep(100000);
	peer_open(&peer, port);
	assert_int_equal(peer_tls(&peer), -1);
	peer_close(&peer);
	clock_advance(net_limits_default.handshake_ms + 1);
	net_server_look(server);
	for (int i = 0; i < 2; i++) {
		peer_expect_eof(&slow[i]);
		peer_close(&slow[i]);
	}
	peer_open(&peer, port);
	assert_int_equal(peer_tls(&peer), 0);
	peer_close(&peer);
}

#define SERVED(test, start) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SERVED(tls_1_3_is_bound_by_its_exporter_alone, start_plain),
	    SERVED(tls_1_2_is_bound_by_what_is_unique_in_its_handshake, start_plain),
	    SERVED(tls_1_2_without_extended_master_secret_is_bound_by_nothing, start_plain),
	    SERVED(nobody_is_asked_for_a_certificate_by_default, start_plain),
	    SERVED(client_is_named_by_its_mail_address_else_its_common_name, start_request),
	    SERVED(certificate_that_is_not_trusted_counts_as_none_where_it_is_asked_for, start_request),
	    SERVED(certificate_that_is_not_trusted_ends_the_connection_where_one_is_required, start_require),
	    SERVED(certificate_is_chosen_by_the_name_that_is_asked_for, start_plain),
	    SERVED(key_is_of_the_kind_that_the_client_can_check, start_plain),
	    SERVED(broken_renewal_of_one_holds_up_no_other, start_plain),
	    SERVED(session_is_taken_up_again, start_plain),
	    SERVED(session_is_not_taken_up_again_when_its_ticket_is_older_than_the_key, start_plain),
	    SERVED(session_is_not_taken_up_again_where_certificates_are_asked_for, start_request),
	    SERVED(who_offers_another_protocol_is_refused, start_plain),
	    SERVED(what_is_weak_is_not_agreed_on, start_plain),
	    SERVED(handshakes_under_way_are_bounded_and_end_in_time, start_narrow),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

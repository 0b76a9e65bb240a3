/*
 * net/tls.c - TLS by GnuTLS, non-blocking: a session per connection.
 *
 * GnuTLS keeps records it has read but not handed over, of which epoll knows nothing: conn->tls_more
 * says so after each read, and such a connection is read again before it goes back to epoll.
 */
#include "net/tls.h"
#include "base/clock.h"
#include "net/tls_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256 /* of a host (RFC 1035 2.3.4) */
#define HANDSHAKE_NOISE_MAX 32 /* what is not fatal, but none of a handshake's business */

/* The name that a client asks for in its hello chooses the certificate (RFC 6066 3). */
static int name_told(gnutls_session_t session)
{
	struct conn *conn = gnutls_session_get_ptr(session);
	struct tls_credentials *named;
	char name[NAME_SIZE];
	size_t size = sizeof name;
	unsigned type;

	if (gnutls_server_name_get(session, name, &size, &type, 0) < 0 || type != GNUTLS_NAME_DNS)
		return 0;
	named = credentials_for(conn->server->tls, name);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, named->gnutls);
	credentials_drop(conn->tls_credentials);
	conn->tls_credentials = named;
	return 0;
}

/*
 * Who takes a session up again shows no certificate, and GnuTLS keeps none in a ticket of TLS 1.3: where
 * clients are asked for theirs, there are no tickets.
 */
static int ask_client(struct conn *conn)
{
	static const gnutls_certificate_request_t requests[] = {
	    [NET_TLS_CLIENT_REQUEST] = GNUTLS_CERT_REQUEST,
	    [NET_TLS_CLIENT_REQUIRE] = GNUTLS_CERT_REQUIRE,
	};
	struct net_tls *tls = conn->server->tls;
	unsigned char key[TLS_TICKET_KEY_OCTETS];
	gnutls_datum_t sealing = {.data = key, .size = sizeof key};
	int n;

	if (tls_client(tls) != NET_TLS_CLIENT_NONE) {
		gnutls_certificate_server_set_request(conn->tls, requests[tls_client(tls)]);
		gnutls_session_set_verify_function(conn->tls, tls_peer_verify);
		return 0;
	}
	gnutls_certificate_server_set_request(conn->tls, GNUTLS_CERT_IGNORE);
	tls_ticket_key(tls, key);
	n = gnutls_session_ticket_enable_server(conn->tls, &sealing);
	gnutls_memset(key, 0, sizeof key);
	return n;
}

/* A protocol that a browser, say, was lured to speak here is not ours (RFC 7301 3.2, the ALPACA attack). */
static int set_protocol(struct conn *conn)
{
	const char *alpn = conn->listener->door->alpn;
	gnutls_datum_t protocol = {.data = (unsigned char *)(uintptr_t)alpn};

	if (!alpn)
		return 0;
	protocol.size = (unsigned)strlen(alpn);
	return gnutls_alpn_set_protocols(conn->tls, &protocol, 1, GNUTLS_ALPN_MANDATORY);
}

/* A handshake costs a key operation, and waits for its peer: both are bounded. */
static int count_handshake(struct conn *conn, struct err *e)
{
	const struct net_limits *limits = &conn->server->limits;
	int64_t at = clock_mono_ms() + limits->handshake_ms;

	if (++conn->server->handshakes > limits->handshakes_max) {
		conn->server->handshakes--;
		return err_set(e, ERR_UNAVAILABLE, "TlsHandshakesMax is reached");
	}
	conn->handshaking = true;
	conn->handshake_at = at < conn->preauth_at ? at : conn->preauth_at;
	return 0;
}

static void end_handshake(struct conn *conn)
{
	conn->handshaking = false;
	conn->server->handshakes--;
}

int tls_start(struct conn *conn, struct err *e)
{
	struct net_tls *tls = conn->server->tls;
	int n;

	net_tls_look(tls, false);
	n = gnutls_init(&conn->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (n < 0) {
		conn->tls = NULL;
		return err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	}
	conn->tls_credentials = credentials_for(tls, NULL);
	gnutls_session_set_ptr(conn->tls, conn);
	if ((n = gnutls_priority_set(conn->tls, tls_priority(tls))) < 0 ||
	    (n = gnutls_credentials_set(conn->tls, GNUTLS_CRD_CERTIFICATE,
		 conn->tls_credentials->gnutls)) < 0 ||
	    (n = ask_client(conn)) < 0 || (n = set_protocol(conn)) < 0)
		return err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	gnutls_handshake_set_post_client_hello_function(conn->tls, name_told);
	/* The time allowed is kept by the server. */
	gnutls_handshake_set_timeout(conn->tls, GNUTLS_INDEFINITE_TIMEOUT);
	gnutls_transport_set_int(conn->tls, conn->fd);
	conn->tls_wants_write = false;
	return count_handshake(conn, e);
}

enum stream_result tls_handshake(struct conn *conn)
{
	int n, noise = 0;

	do
		n = gnutls_handshake(conn->tls);
	while (n < 0 && n != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(n) && ++noise < HANDSHAKE_NOISE_MAX);
	if (n == GNUTLS_E_AGAIN) {
		conn->tls_wants_write = gnutls_record_get_direction(conn->tls) == 1;
		return STREAM_BLOCKED;
	}
	if (n < 0) {
		gnutls_alert_send_appropriate(conn->tls, n);
		return STREAM_FAILED;
	}
	end_handshake(conn);
	conn->tls_more = gnutls_record_check_pending(conn->tls) > 0;
	return STREAM_OK;
}

/* Our caller's errno for what GnuTLS says.  A renegotiation is refused by ending the connection. */
static ssize_t failed(ssize_t n)
{
	errno = n == GNUTLS_E_AGAIN ? EAGAIN : n == GNUTLS_E_INTERRUPTED ? EINTR : EPROTO;
	return -1;
}

ssize_t tls_recv(struct conn *conn, void *octets, size_t n)
{
	ssize_t got = gnutls_record_recv(conn->tls, octets, n);

	conn->tls_more = got > 0 && gnutls_record_check_pending(conn->tls) > 0;
	if (got == GNUTLS_E_PREMATURE_TERMINATION)
		return 0; /* closed without a goodbye: many clients do */
	return got < 0 ? failed(got) : got;
}

/* A record that was not taken whole is kept by GnuTLS; the next call finishes it. */
ssize_t tls_send(struct conn *conn, const void *octets, size_t n)
{
	ssize_t sent = conn->tls_resend ? gnutls_record_send(conn->tls, NULL, 0)
					: gnutls_record_send(conn->tls, octets, n);

	conn->tls_resend = sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED;
	return sent < 0 ? failed(sent) : sent;
}

void tls_end(struct conn *conn, bool say_goodbye)
{
	if (!conn->tls)
		return;
	if (say_goodbye && !conn->handshaking)
		gnutls_bye(conn->tls, GNUTLS_SHUT_WR); /* one try: it does not block */
	if (conn->handshaking)
		end_handshake(conn);
	gnutls_deinit(conn->tls);
	conn->tls = NULL;
	credentials_drop(conn->tls_credentials);
	conn->tls_credentials = NULL;
}

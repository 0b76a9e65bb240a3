/*
 * net/tls.c - TLS by GnuTLS, non-blocking: credentials loaded once, a session per connection.
 *
 * GnuTLS keeps records it has read but not handed over, of which epoll knows nothing: conn->tls_more
 * says so after each read, and such a connection is read again before it goes back to epoll.
 */
#include "net/tls.h"
#include "base/mem.h"
#include "net/conn_priv.h"

#include <errno.h>
#include <stdlib.h>

struct net_tls {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key; /* resumption without state here; GnuTLS rotates what it derives */
};

int net_tls_load(const char *certificate, const char *key, struct net_tls **tls_r, struct err *e)
{
	struct net_tls *tls = mem_alloc(sizeof(*tls));
	int n;

	if ((n = gnutls_certificate_allocate_credentials(&tls->credentials)) < 0 ||
	    (n = gnutls_priority_init(&tls->priority, NULL, NULL)) < 0 ||
	    (n = gnutls_session_ticket_key_generate(&tls->ticket_key)) < 0)
		err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	else if ((n = gnutls_certificate_set_x509_key_file(
		      tls->credentials, certificate, key, GNUTLS_X509_FMT_PEM)) < 0)
		err_set(e, n == GNUTLS_E_FILE_ERROR ? ERR_NOTFOUND : ERR_INVALID,
		    "certificate %s with key %s: %s", certificate, key, gnutls_strerror(n));
	if (n < 0) {
		net_tls_free(&tls);
		return -1;
	}
	*tls_r = tls;
	return 0;
}

void net_tls_free(struct net_tls **tls)
{
	if (!*tls)
		return;
	if ((*tls)->credentials)
		gnutls_certificate_free_credentials((*tls)->credentials);
	if ((*tls)->priority)
		gnutls_priority_deinit((*tls)->priority);
	if ((*tls)->ticket_key.data) {
		gnutls_memset((*tls)->ticket_key.data, 0, (*tls)->ticket_key.size);
		gnutls_free((*tls)->ticket_key.data);
	}
	mem_free(tls);
}

int tls_start(struct conn *conn, struct err *e)
{
	struct net_tls *tls = conn->server->tls;
	int n = gnutls_init(&conn->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

	if (n < 0) {
		conn->tls = NULL;
		return err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	}
	if ((n = gnutls_priority_set(conn->tls, tls->priority)) < 0 ||
	    (n = gnutls_credentials_set(conn->tls, GNUTLS_CRD_CERTIFICATE, tls->credentials)) < 0 ||
	    (n = gnutls_session_ticket_enable_server(conn->tls, &tls->ticket_key)) < 0)
		return err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	gnutls_certificate_server_set_request(conn->tls, GNUTLS_CERT_IGNORE);
	/* The time allowed is the budget before authentication, which the server keeps. */
	gnutls_handshake_set_timeout(conn->tls, GNUTLS_INDEFINITE_TIMEOUT);
	gnutls_transport_set_int(conn->tls, conn->fd);
	conn->handshaking = true;
	conn->tls_wants_write = false;
	return 0;
}

enum stream_result tls_handshake(struct conn *conn)
{
	int n;

	do
		n = gnutls_handshake(conn->tls);
	while (n < 0 && n != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(n));
	if (n == GNUTLS_E_AGAIN) {
		conn->tls_wants_write = gnutls_record_get_direction(conn->tls) == 1;
		return STREAM_BLOCKED;
	}
	if (n < 0) {
		gnutls_alert_send_appropriate(conn->tls, n);
		return STREAM_FAILED;
	}
	conn->handshaking = false;
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
	gnutls_deinit(conn->tls);
	conn->tls = NULL;
}

/* net/tls_peer.c - what TLS tells of the peer: whether its certificate is to be trusted, and what is in it;
 * and what ties a login to this very connection. */
#include "net/tls_priv.h"
#include "base/log.h"

#include <string.h>

static void log_untrusted(const struct conn *conn, unsigned status)
{
	gnutls_datum_t why = {0};

	gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &why, 0);
	log_warn("client-certificate", "peer=%s %s", conn->peer, why.data ? (char *)why.data : "not trusted");
	gnutls_free(why.data);
}

int tls_peer_verify(gnutls_session_t session)
{
	gnutls_typed_vdata_st wanted = {
	    .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
	struct conn *conn = gnutls_session_get_ptr(session);
	unsigned status = 0, certificates = 0;

	gnutls_certificate_get_peers(session, &certificates);
	if (certificates &&
	    gnutls_certificate_verify_peers(session, &wanted, 1, &status) == 0) {
		conn->tls_peer_trusted = status == 0;
		if (status)
			log_untrusted(conn, status);
	}
	return conn->tls_peer_trusted || tls_client(conn->server->tls) != NET_TLS_CLIENT_REQUIRE ? 0 : -1;
}

/* A name with a NUL in it is read by each as it likes: it is none. */
static bool name_whole(const char *name, size_t n)
{
	return n > 0 && memchr(name, '\0', n) == NULL;
}

/* 1: out has it; 0: there is none; -1: there is one that can't be used, and so nobody is named. */
static int mail_name(gnutls_x509_crt_t crt, char *out, size_t size)
{
	for (unsigned i = 0;; i++) {
		size_t n = size - 1;
		int type = gnutls_x509_crt_get_subject_alt_name(crt, i, out, &n, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return 0;
		if (type == GNUTLS_SAN_RFC822NAME) {
			out[n] = '\0';
			return name_whole(out, n) ? 1 : -1;
		}
		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			return -1;
	}
}

static bool common_name(gnutls_x509_crt_t crt, char *out, size_t size)
{
	size_t n = size;

	return gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, &n) == 0 &&
	       name_whole(out, n);
}

static bool name_in(gnutls_x509_crt_t crt, char *out, size_t size)
{
	int mail = mail_name(crt, out, size);

	return mail > 0 || (mail == 0 && common_name(crt, out, size));
}

bool conn_peer_name(const struct conn *conn, char *out, size_t size)
{
	const gnutls_datum_t *der;
	gnutls_x509_crt_t crt;
	unsigned n;
	bool has;

	if (!conn->tls || conn->handshaking || !conn->tls_peer_trusted ||
	    !(der = gnutls_certificate_get_peers(conn->tls, &n)) || gnutls_x509_crt_init(&crt) < 0)
		return false;
	has = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0 &&
	      name_in(crt, out, size);
	gnutls_x509_crt_deinit(crt);
	return has;
}

/* The session's master secret is bound to its handshake (RFC 7627); TLS 1.3 has no other. */
static bool is_bindable(const struct conn *conn, enum conn_binding kind)
{
	bool is_1_3;

	if (!conn->tls || conn->handshaking)
		return false;
	is_1_3 = gnutls_protocol_get_version(conn->tls) == GNUTLS_TLS1_3;
	if (kind == CONN_TLS_EXPORTER)
		return is_1_3;
	return !is_1_3 && gnutls_session_ext_master_secret_status(conn->tls);
}

size_t conn_binding(const struct conn *conn, enum conn_binding kind, unsigned char out[CONN_BINDING_MAX])
{
	gnutls_datum_t data = {0};
	size_t n = 0;

	if (!is_bindable(conn, kind) ||
	    gnutls_session_channel_binding(conn->tls,
		kind == CONN_TLS_EXPORTER ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_UNIQUE, &data) < 0)
		return 0;
	if (data.size <= CONN_BINDING_MAX) {
		n = data.size;
		memcpy(out, data.data, n);
	}
	gnutls_free(data.data);
	return n;
}

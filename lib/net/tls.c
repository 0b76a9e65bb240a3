/*
 * net/tls.c - TLS by GnuTLS, non-blocking: a session per connection, credentials shared.
 *
 * GnuTLS keeps records it has read but not handed over, of which epoll knows nothing: conn->tls_more
 * says so after each read, and such a connection is read again before it goes back to epoll.
 *
 * Certificates are renewed while we run.  Before a handshake, once a second at most, the files are looked
 * at; credentials that were replaced live on until the last session that began with them is over.
 */
#include "net/tls.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/conn_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_EVERY_MS 1000

struct tls_credentials {
	gnutls_certificate_credentials_t gnutls;
	_Atomic unsigned refs;
};

/* What tells that a file is another one. */
struct file_sign {
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct net_tls {
	char *certificate, *key; /* paths */
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key; /* resumption without state here; GnuTLS rotates what it derives */

	pthread_mutex_t lock;
	struct tls_credentials *current;
	struct file_sign signs[2]; /* of the files as they were last tried */
	int64_t look_at;
};

static void credentials_drop(struct tls_credentials *credentials)
{
	if (!credentials || --credentials->refs)
		return;
	gnutls_certificate_free_credentials(credentials->gnutls);
	free(credentials);
}

static struct tls_credentials *credentials_current(struct net_tls *tls)
{
	struct tls_credentials *credentials;

	pthread_mutex_lock(&tls->lock);
	credentials = tls->current;
	credentials->refs++;
	pthread_mutex_unlock(&tls->lock);
	return credentials;
}

static struct file_sign sign_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct file_sign){0};
	return (struct file_sign){st.st_ino, st.st_size, st.st_mtim};
}

static bool same_sign(struct file_sign a, struct file_sign b)
{
	return a.inode == b.inode && a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
	       a.changed.tv_nsec == b.changed.tv_nsec;
}

/* Reads both files; the credentials in force are replaced only by ones that can be used.  Under the lock,
 * or before anybody else knows tls. */
static int read_files(struct net_tls *tls, struct err *e)
{
	struct tls_credentials *fresh = mem_alloc(sizeof(*fresh));
	int n;

	fresh->refs = 1;
	tls->signs[0] = sign_of(tls->certificate);
	tls->signs[1] = sign_of(tls->key);
	if ((n = gnutls_certificate_allocate_credentials(&fresh->gnutls)) < 0) {
		free(fresh);
		return err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	}
	n = gnutls_certificate_set_x509_key_file(
	    fresh->gnutls, tls->certificate, tls->key, GNUTLS_X509_FMT_PEM);
	if (n < 0) {
		credentials_drop(fresh);
		return err_set(e, n == GNUTLS_E_FILE_ERROR ? ERR_NOTFOUND : ERR_INVALID,
		    "certificate %s with key %s: %s", tls->certificate, tls->key, gnutls_strerror(n));
	}
	credentials_drop(tls->current);
	tls->current = fresh;
	return 0;
}

int net_tls_load(const char *certificate, const char *key, struct net_tls **tls_r, struct err *e)
{
	struct net_tls *tls = mem_alloc(sizeof(*tls));
	int n, result = -1;

	tls->certificate = mem_str(certificate);
	tls->key = mem_str(key);
	pthread_mutex_init(&tls->lock, NULL);
	if ((n = gnutls_priority_init(&tls->priority, NULL, NULL)) < 0 ||
	    (n = gnutls_session_ticket_key_generate(&tls->ticket_key)) < 0)
		err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	else
		result = read_files(tls, e);
	if (result < 0)
		net_tls_free(&tls);
	else
		*tls_r = tls;
	return result;
}

void net_tls_free(struct net_tls **tls)
{
	struct net_tls *t = *tls;

	if (!t)
		return;
	credentials_drop(t->current);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	if (t->ticket_key.data) {
		gnutls_memset(t->ticket_key.data, 0, t->ticket_key.size);
		gnutls_free(t->ticket_key.data);
	}
	pthread_mutex_destroy(&t->lock);
	free(t->certificate);
	free(t->key);
	mem_free(tls);
}

void net_tls_look(struct net_tls *tls, bool now)
{
	struct err e;

	pthread_mutex_lock(&tls->lock);
	if (now || clock_mono_ms() >= tls->look_at) {
		tls->look_at = clock_mono_ms() + LOOK_EVERY_MS;
		if (!now && same_sign(tls->signs[0], sign_of(tls->certificate)) &&
		    same_sign(tls->signs[1], sign_of(tls->key)))
			;
		else if (read_files(tls, &e) == 0)
			log_info("certificate-reread", "certificate=%s", LOG_Q(tls->certificate));
		else /* half of a pair was replaced, perhaps: the next change is tried again */
			log_error("certificate-kept", "the one before stays in force: %s", log_err(&e));
	}
	pthread_mutex_unlock(&tls->lock);
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
	conn->tls_credentials = credentials_current(tls);
	if ((n = gnutls_priority_set(conn->tls, tls->priority)) < 0 ||
	    (n = gnutls_credentials_set(conn->tls, GNUTLS_CRD_CERTIFICATE,
		 conn->tls_credentials->gnutls)) < 0 ||
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
	credentials_drop(conn->tls_credentials);
	conn->tls_credentials = NULL;
}

/* tests: the client's end of a connection. */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

static void open_with(struct peer *peer, uint16_t port, int receive_buffer)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct timeval patience = {.tv_sec = 10};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*peer = (struct peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_true(peer->fd >= 0);
	setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (receive_buffer)
		setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
	assert_int_equal(connect(peer->fd, (struct sockaddr *)&to, sizeof to), 0);
}

void peer_open(struct peer *peer, uint16_t port)
{
	open_with(peer, port, 0);
}

void peer_open_narrow(struct peer *peer, uint16_t port)
{
	open_with(peer, port, 4096);
}

void peer_close(struct peer *peer)
{
	if (peer->tls)
		gnutls_deinit(peer->tls);
	if (peer->credentials)
		gnutls_certificate_free_credentials(peer->credentials);
	if (peer->fd >= 0)
		close(peer->fd);
	*peer = (struct peer){.fd = -1};
}

int peer_tls(struct peer *peer)
{
	return peer_tls_with(peer, NULL);
}

int peer_tls_with(struct peer *peer, const char *priority)
{
	return peer_tls_hello(peer, &(struct peer_hello){.priority = priority});
}

static void say_hello(struct peer *peer, const struct peer_hello *hello)
{
	if (hello->priority)
		assert_int_equal(gnutls_priority_set_direct(peer->tls, hello->priority, NULL), 0);
	else
		gnutls_set_default_priority(peer->tls);
	if (hello->name)
		gnutls_server_name_set(peer->tls, GNUTLS_NAME_DNS, hello->name, strlen(hello->name));
	if (hello->alpn) {
		gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)hello->alpn,
		    (unsigned)strlen(hello->alpn)};

		gnutls_alpn_set_protocols(peer->tls, &protocol, 1, 0);
	}
	if (hello->certificate)
		assert_int_equal(gnutls_certificate_set_x509_key_file(peer->credentials,
				     hello->certificate, hello->key, GNUTLS_X509_FMT_PEM), 0);
	if (hello->resume.data)
		gnutls_session_set_data(peer->tls, hello->resume.data, hello->resume.size);
}

int peer_tls_hello(struct peer *peer, const struct peer_hello *hello)
{
	int n;

	gnutls_certificate_allocate_credentials(&peer->credentials);
	gnutls_init(&peer->tls, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
	say_hello(peer, hello);
	gnutls_credentials_set(peer->tls, GNUTLS_CRD_CERTIFICATE, peer->credentials);
	gnutls_transport_set_int(peer->tls, peer->fd);
	do
		n = gnutls_handshake(peer->tls);
	while (n < 0 && !gnutls_error_is_fatal(n) && n != GNUTLS_E_AGAIN);
	return n < 0 ? -1 : 0;
}

void peer_send(struct peer *peer, const char *text)
{
	peer_send_n(peer, text, strlen(text));
}

void peer_send_n(struct peer *peer, const char *text, size_t n)
{
	while (n) {
		ssize_t sent = peer->tls ? gnutls_record_send(peer->tls, text, n)
					 : send(peer->fd, text, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* what the server says tells why */
		text += sent;
		n -= (size_t)sent;
	}
}

size_t peer_read(struct peer *peer, void *octets, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t got = peer->tls ? gnutls_record_recv(peer->tls, (char *)octets + at, n - at)
					: recv(peer->fd, (char *)octets + at, n - at, 0);

		if (got == GNUTLS_E_AGAIN && peer->tls)
			continue; /* a session ticket came, no octets */
		if (got <= 0)
			break;
		at += (size_t)got;
	}
	return at;
}

void peer_expect(struct peer *peer, const char *text)
{
	char got[4096] = {0};
	size_t n = strlen(text);

	assert_true(n < sizeof got);
	peer_read(peer, got, n);
	assert_string_equal(got, text);
}

void peer_expect_eof(struct peer *peer)
{
	char c;
	ssize_t got = peer->tls ? gnutls_record_recv(peer->tls, &c, 1) : recv(peer->fd, &c, 1, 0);

	/* A reset is an end too; only silence is not. */
	assert_true(got <= 0);
	assert_false(peer->tls ? got == GNUTLS_E_AGAIN : got < 0 && errno == EAGAIN);
}

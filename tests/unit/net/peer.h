/* The other end of a connection, for tests: a blocking socket whose reads give up after 10 s. */
#ifndef TEST_NET_PEER_H
#define TEST_NET_PEER_H

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdint.h>

struct peer {
	int fd;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t credentials;
};

void peer_open(struct peer *peer, uint16_t port);
/* As peer_open, with a receive buffer so small that the server's output gets stuck soon. */
void peer_open_narrow(struct peer *peer, uint16_t port);
void peer_close(struct peer *peer);
/* Shakes hands; 0, or -1 when the server would not. */
int peer_tls(struct peer *peer);
/* The same with a priority string of GnuTLS's. */
int peer_tls_with(struct peer *peer, const char *priority);
struct peer_hello {
	const char *priority;          /* NULL: the default */
	const char *name;              /* of the server, to be told; NULL: none is */
	const char *alpn;              /* a protocol; NULL: none is offered */
	const char *certificate, *key; /* PEM files to show; NULL: none */
	gnutls_datum_t resume;         /* what gnutls_session_get_data2 gave */
};
int peer_tls_hello(struct peer *peer, const struct peer_hello *hello);
void peer_send(struct peer *peer, const char *text);
/* Any octets, NUL included. */
void peer_send_n(struct peer *peer, const char *octets, size_t n);
/* Exactly these octets come next. */
void peer_expect(struct peer *peer, const char *text);
/* Nothing more comes, and the server has closed. */
void peer_expect_eof(struct peer *peer);
/* Reads n octets; the number that came before the end. */
size_t peer_read(struct peer *peer, void *octets, size_t n);

#endif

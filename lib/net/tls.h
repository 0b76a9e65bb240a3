/* A server's certificates and keys (GnuTLS), read again when their files change. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* TLS 1.3 and 1.2, AEAD ciphers, ephemeral keys on elliptic curves, no SHA-1. */
#define NET_TLS_PRIORITY \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-AES-128-CBC:-AES-256-CBC:" \
	"-AES-128-CCM:-AES-256-CCM:-SHA1:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-GROUP-ALL:+GROUP-X25519:" \
	"+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:%SERVER_PRECEDENCE"

struct net_tls_pair {
	const char *certificate, *key; /* PEM files */
	/* For the same names by a key of another kind, RSA beside ECDSA; NULL: there is none. */
	const char *alternate_certificate, *alternate_key;
};
enum net_tls_client {
	NET_TLS_CLIENT_NONE,    /* no certificate is asked for */
	NET_TLS_CLIENT_REQUEST, /* one that can't be trusted counts as none */
	NET_TLS_CLIENT_REQUIRE, /* without one that is trusted there is no connection */
};
struct net_tls_config {
	const struct net_tls_pair *pairs; /* the first is for who asks for a name that none has */
	size_t pairs_n;
	const char *priority; /* GnuTLS's language */
	enum net_tls_client client;
	const char *client_ca; /* a PEM file of those who may sign clients' certificates */
};

struct net_tls;
/* NOTFOUND, INVALID. */
WARN_UNUSED int net_tls_load(const struct net_tls_config *config, struct net_tls **tls_r, struct err *e);
/* Before a handshake, and at once when somebody says so (now): new handshakes get what the files hold.
 * What can't be used is logged, and changes nothing. */
void net_tls_look(struct net_tls *tls, bool now);
/* Files are opened so from now on, for an account that may not read them itself: a descriptor for reading that is the
 * caller's, or -1 with errno. */
void net_tls_open_by(struct net_tls *tls, int (*open_file)(void *arg, const char *path), void *arg);
/* The i-th file that is read; NULL: there are no more. */
const char *net_tls_path(const struct net_tls *tls, size_t i);
void net_tls_free(struct net_tls **tls);

#endif

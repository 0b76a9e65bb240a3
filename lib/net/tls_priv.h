/* What the files of TLS share: credentials, and what is known of a peer. */
#ifndef NET_TLS_PRIV_H
#define NET_TLS_PRIV_H

#include "net/conn_priv.h"
#include "net/tls.h"

#include <gnutls/x509.h>

#define TLS_TICKET_KEY_OCTETS 64

/* What one pair of files held.  It lives on until the last connection that began with it is over. */
struct tls_credentials {
	gnutls_certificate_credentials_t gnutls;
	gnutls_x509_crt_t leaf; /* whose names tell who is meant */
	_Atomic unsigned refs;
};

/* tls_files.c */
/* The credentials for a name that a client asked for (NULL: it asked for none); credentials_drop is the
 * caller's. */
struct tls_credentials *credentials_for(struct net_tls *tls, const char *name);
void credentials_drop(struct tls_credentials *credentials);
gnutls_priority_t tls_priority(const struct net_tls *tls);
enum net_tls_client tls_client(const struct net_tls *tls);
/* The key that tickets are sealed with now. */
void tls_ticket_key(struct net_tls *tls, unsigned char key_r[TLS_TICKET_KEY_OCTETS]);

/* tls_peer.c: as gnutls_session_set_verify_function asks; the session's pointer is the connection. */
int tls_peer_verify(gnutls_session_t session);

#endif

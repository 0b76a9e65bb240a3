/* A server's certificate and key (GnuTLS), read again when their files change. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/err.h"

#include <stdbool.h>

struct net_tls;
/* PEM files. NOTFOUND, INVALID. */
WARN_UNUSED int net_tls_load(const char *certificate, const char *key, struct net_tls **tls_r,
    struct err *e);
/* Before a handshake, and at once when somebody says so (now): new handshakes get what the files hold.
 * What can't be used is logged, and changes nothing. */
void net_tls_look(struct net_tls *tls, bool now);
void net_tls_free(struct net_tls **tls);

#endif

/* A server's certificate and key (GnuTLS), loaded once. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/err.h"

struct net_tls;
/* PEM files. NOTFOUND, INVALID. */
WARN_UNUSED int net_tls_load(const char *certificate, const char *key, struct net_tls **tls_r,
    struct err *e);
void net_tls_free(struct net_tls **tls);

#endif

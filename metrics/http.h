/* The page over HTTP, by libmicrohttpd: GET and HEAD of /metrics, and nothing else. */
#ifndef METRICS_HTTP_H
#define METRICS_HTTP_H

#include "limits/site.h"

#include <stddef.h>

/* Serves what comes to these sockets until SIGTERM or SIGINT. */
WARN_UNUSED int http_serve(struct site *site, const int *listening, size_t n, struct err *e);

#endif

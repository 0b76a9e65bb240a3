/* What is told: the sessions of a store now, and what has been counted since the host is up. */
#ifndef METRICS_PAGE_H
#define METRICS_PAGE_H

#include "base/str.h"
#include "limits/site.h"

/* Reads rosters, counts, settings and the directory, and changes nothing. */
WARN_UNUSED int page_put(struct site *site, struct str_buf *out, struct err *e);

#endif

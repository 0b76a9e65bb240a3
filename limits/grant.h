/*
 * The grant: one open judged against every limit, and counted, in one step.  All layers are judged
 * at once, so that a refusal can name every one that refuses; where the store refuses, the store is told.
 */
#ifndef LIMITS_GRANT_H
#define LIMITS_GRANT_H

#include "limits/ledger.h"
#include "limits/session.h"

/* What a granted session counts in.  NULL: not counted there. */
struct grant {
	struct ledger_file *user, *service;
	unsigned which;
};

/* Errors as session_acquire's.  On success grant_release gives it back. */
WARN_UNUSED int grant_acquire(struct site *site, const struct session_request *request,
    struct grant *grant_r, struct session_refusal *why_r, struct err *e);
void grant_release(struct grant *grant);
/* What grant_acquire would say, read only. */
bool grant_would_refuse(struct site *site, const struct session_request *request,
    struct session_refusal *why_r);
/* What it would judge by, read only. */
WARN_UNUSED int grant_checks(struct site *site, const struct session_request *request,
    struct session_check checks_r[SESSION_CHECKS_MAX], size_t *n_r, struct err *e);

/* session_judge's part. */
size_t grant_judge(struct site *site, const struct session_term *instead, size_t instead_n,
    const struct session_request *request, const struct ledger_counts *user, const struct ledger_counts *service,
    struct session_check checks_r[SESSION_CHECKS_MAX]);

/* Fills a refusal that comes from the ledger itself, from e; returns -1 with a code for doors. */
int grant_trouble(struct session_refusal *why_r, struct err *e);

#endif

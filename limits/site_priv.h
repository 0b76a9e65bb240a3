/*
 * What the files of limits/ share of a site: its parts, one per concern.  Each part is made by
 * site_open, closed by site_close, and told of a fork by its own *_forked.
 */
#ifndef LIMITS_SITE_PRIV_H
#define LIMITS_SITE_PRIV_H

#include "limits/site.h"

#include <stdbool.h>

struct ledger;
struct roster;
struct registry;
struct event_log;
struct tally;

struct ledger *site_ledger(const struct site *site);
struct roster *site_roster(const struct site *site);
struct registry *site_registry(const struct site *site);
struct event_log *site_event_log(const struct site *site);
/* NULL: nothing is counted. */
struct tally *site_tally(const struct site *site);
/* This is a forked child of the process that opened the site: it has no sessions and gets none. */
bool site_is_forked(const struct site *site);

/* session.c's part of site_open: lets the ledger ask other processes, and them us. */
void session_wire(struct site *site);

#endif

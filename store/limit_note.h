/*
 * The three changes that don't help: MaxConnectionsPerUser, the throttling policy, and the permission
 * View Information Store Status.  Whoever makes one is told that the store's own limit is another,
 * what it is, and who is at it now.
 */
#ifndef STORE_LIMIT_NOTE_H
#define STORE_LIMIT_NOTE_H

#include "limits/site.h"

#include <stdbool.h>

/* The note, a line at a time, which say takes; `changed` names what was set. */
void note_store_limit(struct site *site, const char *changed, void (*say)(void *arg, const char *line), void *arg);
/* Whether a setting's name is one of those that don't help. */
bool note_is_front_layer(const char *name);

#endif

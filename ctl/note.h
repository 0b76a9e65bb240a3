/*
 * The three changes that don't help: MaxConnectionsPerUser, the throttling policy, and the permission
 * View Information Store Status.  Whoever makes one is told that the store's own limit is another,
 * what it is, and who is at it now.
 */
#ifndef CTL_NOTE_H
#define CTL_NOTE_H

#include "ctl/verb.h"

/* The note, on stderr; `changed` names what was set. */
void note_store_limit(struct ctl *ctl, const char *changed);
/* Whether a setting's name is one of those that don't help. */
bool note_is_front_layer(const char *name);

#endif

/* What the files of the registry share with site.c and session.c. */
#ifndef LIMITS_REGISTRY_PRIV_H
#define LIMITS_REGISTRY_PRIV_H

#include "limits/registry.h"

struct registry;

/* Maps the settings page, made from registry.reg if there is none. */
WARN_UNUSED int registry_new(int store_fd, int runtime_fd, struct registry **registry_r,
    struct err *e);
void registry_free(struct registry **registry);
/* Every few seconds: compares registry.reg with the page, and rebuilds it after a hand edit. */
void registry_look(struct site *site);

#endif

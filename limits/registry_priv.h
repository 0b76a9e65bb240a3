/* What the files of the registry share with site.c and session.c. */
#ifndef LIMITS_REGISTRY_PRIV_H
#define LIMITS_REGISTRY_PRIV_H

#include "limits/registry.h"
#include "limits/registry_tree.h"

struct registry;

/* Maps the settings page, made from registry.reg if there is none. */
WARN_UNUSED int registry_new(int store_fd, int runtime_fd, struct registry **registry_r,
    struct err *e);
void registry_free(struct registry **registry);
/* Every few seconds: compares registry.reg with the page, and rebuilds it after a hand edit. */
void registry_look(struct site *site);

/* registry.reg as it is now. */
WARN_UNUSED int registry_load(struct site *site, struct reg_tree *tree, struct err *e);
/* Under the lock: reads registry.reg, lets change work on the tree, saves it and puts it in force. */
WARN_UNUSED int registry_update(struct site *site,
    int (*change)(void *arg, struct reg_tree *tree, struct err *e), void *arg, struct err *e);
/* From the page: what a policy of that name says; false if there is none. */
bool registry_policy_value(struct site *site, const char *policy, enum setting setting,
    uint32_t *value_r);
/* The least and the most of the policies that have a key; UINT32_MAX and 0 where none has one. */
void registry_policy_bounds(struct site *site, enum setting setting, uint32_t *least_r, uint32_t *most_r);

#endif

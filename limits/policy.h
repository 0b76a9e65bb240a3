/*
 * The layers in front of the store: protocol settings (MaxConnections, MaxConnectionFromSingleIP,
 * MaxConnectionsPerUser) and throttling policies (IMAPMaxConcurrency and its like, per user).
 * Values live in the registry; which user has which policy is the directory's to say.
 */
#ifndef LIMITS_POLICY_H
#define LIMITS_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "limits/registry.h"
#include "limits/session.h"
#include "limits/site.h"

#include <stdbool.h>
#include <stdint.h>

/* A policy's setting for how much of a service may go on at once ("POPMaxConcurrency"); false: it has none. */
bool policy_concurrency(enum session_service service, enum setting *setting_r);
/* What a policy says (NULL, or one that is unknown: the default policy); setting is of the policies' scope. */
uint32_t policy_value(struct site *site, const char *policy, enum setting setting);
/* The least and the most that any policy says. */
void policy_bounds(struct site *site, enum setting setting, uint32_t *least_r, uint32_t *most_r);
bool policy_exists(struct site *site, const char *policy);
WARN_UNUSED int policy_create(struct site *site, const char *policy, struct err *e); /* EXISTS */
/* name: one of the policy's settings, without case; value SETTING_NULL is "null".  INVALID, NOTFOUND. */
WARN_UNUSED int policy_set(struct site *site, const char *policy, const char *name, uint32_t value,
    struct err *e);

#endif

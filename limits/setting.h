/* The rows of limits.tbl.h against registry values: which row a value is of, and what it may be. */
#ifndef LIMITS_SETTING_H
#define LIMITS_SETTING_H

#include "limits/registry.h"
#include "limits/registry_tree.h"

#define SETTING_DEFAULT_POLICY "default"

/* The key a scope's values stand under; for policies, the default policy's. */
const char *setting_scope_key(enum registry_scope scope);
bool setting_is_under(enum setting setting, const char *path);
/* The row of a value, or -1: names without a row are nobody's business. */
int setting_lookup(const char *path, const char *name);
/* The row's default as a registry value; its text is static. */
void setting_default(enum setting setting, struct reg_value *value_r);
/* The number that setting_get will return for a value; INVALID says what the row takes. */
WARN_UNUSED int setting_number(enum setting setting, const struct reg_value *value,
    uint32_t *number_r, struct err *e);
/* The policy's name in a key below REGISTRY_POLICIES, or NULL. */
const char *setting_policy_of(const char *path);

#endif

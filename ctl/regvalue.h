/* Registry values as people write and read them. */
#ifndef CTL_REGVALUE_H
#define CTL_REGVALUE_H

#include "ctl/verb.h"
#include "limits/registry.h"

/* Decimal, or hexadecimal with 0x; at most 32 bits. */
bool regvalue_number(const char *text, uint32_t *n_r);
/* A number is set as REG_DWORD, anything else as REG_SZ. */
WARN_UNUSED int regvalue_set(struct ctl *ctl, const char *key, const char *name, const char *text,
    struct err *e);
/* "32" or the text of a REG_SZ, in the arena. */
const char *regvalue_show(const struct registry_value *value, struct arena *arena);

#endif

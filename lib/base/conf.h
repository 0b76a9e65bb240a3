/*
 * An ini file, read once (inih).  Sections and keys are compared without case.  Used for what is
 * fixed at start; settings that change while running are limits/registry's.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct conf;

/* Errors: NOTFOUND, INVALID (names the line), IO. */
WARN_UNUSED int conf_load(int dir_fd, const char *name, struct conf **conf_r, struct err *e);
void conf_free(struct conf **conf);

/* The value, borrowed until conf_free, or NULL. */
const char *conf_get(const struct conf *conf, const char *section, const char *key);
/* The i-th section, as the file has them, whose name begins with the prefix; NULL: there are no more. */
const char *conf_section(const struct conf *conf, const char *prefix, size_t i);
/* Whether a key has this value in any of those sections. */
bool conf_says(const struct conf *conf, const char *prefix, const char *key, const char *value);

#endif

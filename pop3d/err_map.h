/* What a POP3 client is told for a meaning of lib/base/err.tbl.h. */
#ifndef POP3D_ERR_MAP_H
#define POP3D_ERR_MAP_H

#include "base/err.h"

/* Behind "-ERR ": a response code (RFC 2449 8, RFC 3206) where one fits, and fixed words. */
const char *pop3_err_words(enum err_code code);

#endif

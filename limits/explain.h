/*
 * Limits in words: which one it is, how it stands, and what lifts it.  Every door, the log and the
 * command say the same, since they take it from here.
 */
#ifndef LIMITS_EXPLAIN_H
#define LIMITS_EXPLAIN_H

#include "base/str.h"
#include "limits/session.h"

#include <stddef.h>

/* "store", "IMAP4", "throttling policy". */
const char *explain_owner(const struct session_check *check);
/* "store: Maximum Allowed Service Sessions Per User is 16, held 16". */
void explain_check(const struct session_check *check, struct str_buf *out);
/* The command that changes it: "postern policy set default POPMaxConcurrency N". */
void explain_command(const struct session_check *check, struct str_buf *out);

/*
 * The line of a refusal (struct session_refusal): the first of the checks that refuses, the others that do,
 * where the first is set, and what lifts it.  Cut where out's octets end.
 */
void explain_refusal(const struct session_check *checks, size_t n, char *out, size_t size);
/* The same of objects open in one session (MaxObjsPerMapiSession). */
void explain_object(enum setting setting, uint32_t value, uint32_t held, uint32_t asked, char *out, size_t size);

#endif

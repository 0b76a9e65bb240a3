/*
 * Names of folders on the wire: modified UTF-7 (RFC 3501 5.1.3) outside, UTF-8 inside, and the
 * patterns of LIST.
 */
#ifndef IMAPD_NAME_H
#define IMAPD_NAME_H

#include "base/str.h"

#include <stdbool.h>

/* Modified UTF-7 to UTF-8, appended to out; false where it is not well-formed (or holds a NUL). */
bool name_decode(struct str_view wire, struct str_buf *out);
/* UTF-8 (valid) to modified UTF-7, appended. */
void name_encode(struct str_view name, struct str_buf *out);

/* Longest pattern, in octets of UTF-8, that can match anything: twice the longest name. */
#define NAME_PATTERN_MAX 2000
/*
 * Whether a name matches a pattern: '*' stands for anything, '%' for anything without '/'.  A first
 * component INBOX is compared without case.  Costs at most |name| x |pattern| steps.
 */
bool name_matches(struct str_view pattern, struct str_view name);
/*
 * The same, and on the way, at the cost of one name: the lengths of its parents that match, shortest
 * first; lengths has room for one per '/'.
 */
bool name_matches_parents(struct str_view pattern, struct str_view name, size_t *lengths,
    size_t *lengths_n_r);

#endif

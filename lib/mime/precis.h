/*
 * PRECIS (RFC 8264): names and passwords in the one form in which they are compared, however they were typed.
 */
#ifndef MIME_PRECIS_H
#define MIME_PRECIS_H

#include "base/str.h"

#include <stdbool.h>

/* What keeps a text from being one; precis_fault_text has words, to stand behind "the name " or "the password ". */
enum precis_fault { PRECIS_GOOD, PRECIS_EMPTY, PRECIS_NOT_UTF8, PRECIS_FORBIDDEN, PRECIS_OUT_OF_PLACE, PRECIS_DIRECTION, PRECIS_UNSTABLE };
const char *precis_fault_text(enum precis_fault fault);

/* A user's name (RFC 8265 3.3, 3.4), appended to out on success; with mapped in small letters, as names are compared. */
enum precis_fault precis_username(struct str_view utf8, bool mapped, struct str_buf *out);
/* A password (RFC 8265 4.2), appended to out on success. */
enum precis_fault precis_opaque(struct str_view utf8, struct str_buf *out);

#endif

/* Names of domains (IDNA2008, UTS 46): a name in its own script and its ASCII form are one domain. */
#ifndef MIME_IDN_H
#define MIME_IDN_H

#include "base/str.h"

#include <stdbool.h>

/* The form in which domains are compared: A-labels, small letters.  Appended to out; false: it is no domain's name. */
bool idn_ascii(struct str_view domain, struct str_buf *out);
/* The same for people: U-labels where there are any.  From what idn_ascii gave. */
void idn_display(const char *ascii, struct str_buf *out);

#endif

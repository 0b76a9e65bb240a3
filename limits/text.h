/* UTF-8, one character at a time. */
#ifndef LIMITS_TEXT_H
#define LIMITS_TEXT_H

#include "base/str.h"

/* The bytes of the character at p (n > 0 are there); 0 if it is none, or a NUL. */
size_t text_utf8_size(const char *p, size_t n);
void text_put_utf8(struct str_buf *out, uint32_t c);
/* As the text of an XML 1.0 document in UTF-8, in an attribute's quotes too.  What it has no place for becomes '?'. */
void text_put_xml(struct str_buf *out, const char *text);

#endif

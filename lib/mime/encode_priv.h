/* A field of a header, written in ASCII. */
#ifndef MIME_ENCODE_PRIV_H
#define MIME_ENCODE_PRIV_H

#include "base/str.h"

/* "\r\n" and the blank of a continued line, where n octets more would make the line longer than it should be;
 * else a blank. */
void encode_blank(struct str_buf *out, size_t n);
/* Text in UTF-8, one line, as an unstructured value (RFC 2047 5 (1)): a blank and words, those encoded that
 * have to be. */
void encode_text(struct str_view utf8, struct str_buf *out);
/* Text in UTF-8 as a phrase (RFC 5322 3.2.5): a blank, and a quoted string or encoded words. */
void encode_phrase(struct str_view utf8, struct str_buf *out);
/* In quotes; what can't stand there is left out. */
void encode_quoted(struct str_view ascii, struct str_buf *out);
/* A parameter in UTF-8 (RFC 2231): ";" and name*=UTF-8''..., in sections where it is long. */
void encode_parameter(const char *name, struct str_view utf8, struct str_buf *out);

/* One that says its charset already: charset'language'text, in which what can't stand is escaped. */
void encode_extended(const char *name, struct str_view value, struct str_buf *out);

#endif

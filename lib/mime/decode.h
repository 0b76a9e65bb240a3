/*
 * Decoding, in slices: transfer encodings, charsets (iconv), encoded words (RFC 2047), and the
 * case folding that SEARCH compares with.  Bad input never fails: what can't be decoded stays, or
 * becomes U+FFFD.
 */
#ifndef MIME_DECODE_H
#define MIME_DECODE_H

#include "base/arena.h"
#include "base/str.h"
#include "mime/scan.h"

#include <stdbool.h>

/* A transfer decoder: feed any slices, get octets. */
struct mime_decoder;
struct mime_decoder *mime_decoder_new(enum mime_encoding encoding);
void mime_decoder_feed(struct mime_decoder *d, const void *octets, size_t n, struct str_buf *out);
void mime_decoder_finish(struct mime_decoder **d, struct str_buf *out);
/* Another that goes on from where this one is; and an end without its last octets. */
struct mime_decoder *mime_decoder_copy(const struct mime_decoder *d);
void mime_decoder_free(struct mime_decoder **d);

/* Bytes in a charset to UTF-8 (U+FFFD for what is not).  Unknown charset, US-ASCII or "": UTF-8 if it
 * is valid, else ISO-8859-1.  out is appended to. */
void mime_to_utf8(const char *charset, struct str_view in, struct str_buf *out);
/* The same, without a copy where the octets are UTF-8 as they stand: in itself, or out, which is
 * overwritten. */
struct str_view mime_utf8_view(const char *charset, struct str_view in, struct str_buf *out);
/* Whether mime_to_utf8 knows the charset: whatever this machine's iconv knows. */
bool mime_charset_known(const char *charset);

/* An unfolded header field's value with its encoded words decoded, as UTF-8. */
void mime_header_decode(struct str_view value, struct str_buf *out);
/* A field's value in a header block (name without colon, any case), the nth from 0; borrowed from
 * the block, still folded.  false if there is none. */
bool mime_header_find(struct str_view header, struct str_view name, size_t nth,
    struct str_view *value_r);
/* Cuts the next field off the front of a header block, as mime_header_find reads it; false: no more. */
bool mime_header_next(struct str_view *rest, struct str_view *name_r, struct str_view *value_r);
/* A field's value as people read it, in UTF-8: unfolded, its encoded words decoded. */
void mime_header_value(struct str_view value, struct str_buf *out);
/* A header block the same way, field by field, each on a line of its own that ends with CRLF. */
void mime_header_text(struct str_view header, struct str_buf *out);
/* Unfolds: CRLF before white space goes. */
void mime_header_unfold(struct str_view value, struct str_buf *out);

/*
 * The one comparator for what mail says, i;unicode-casemap: SEARCH looks for a substring of what this
 * makes of a text, SORT and THREAD order by its octets.  Character by character, so text may be mapped in
 * pieces.  See casemap.c for where it calls more equal than RFC 5051 does.
 */
void mime_casemap(struct str_view utf8, struct str_buf *out);
/* Changes with everything that decides what text the octets of a mail become here, and how it is mapped: our
 * own code, iconv's tables, the library's version of Unicode.  Positive, below 2^31. */
uint32_t mime_text_version(void);
/* Names folded for comparing without case (full case folding, NFKD); the directory keeps what it makes. */
void mime_fold(struct str_view utf8, struct str_buf *out);
/* Text as a piece of a file name, at most max octets: letters, digits and "-_@+." stay, all else becomes
 * '_'; no blank, slash, quote, control or bidi character, none of ".-_" at either end.  May be nothing. */
void mime_slug(struct str_view utf8, size_t max, struct str_buf *out);
/* NFC. false if the input is not valid UTF-8. */
bool mime_nfc(struct str_view utf8, struct str_buf *out);
bool mime_utf8_valid(struct str_view s);
/* Octets in front of the first that is no ASCII. */
size_t mime_ascii_n(struct str_view s);
/* What the next character of *rest is, which is cut off (one octet where it is no UTF-8). */
enum mime_char { MIME_CHAR_BAD, MIME_CHAR_ASCII, MIME_CHAR_LETTER, MIME_CHAR_MARK, MIME_CHAR_OTHER };
enum mime_char mime_char_next(struct str_view *rest);

#endif

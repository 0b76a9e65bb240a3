/* Numbers as LEB128, for the packed forms of this folder. */
#ifndef MIME_VARINT_PRIV_H
#define MIME_VARINT_PRIV_H

#include "base/str.h"

void varint_put(struct str_buf *out, uint64_t n);
/* Reads at *at and moves it; false at the end of s, or past 64 bits. */
bool varint_get(struct str_view s, size_t *at, uint64_t *n_r);

#endif

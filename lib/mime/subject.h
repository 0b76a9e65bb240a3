/* A subject without what replies, forwards and lists put around it (RFC 5256 2.1). */
#ifndef MIME_SUBJECT_H
#define MIME_SUBJECT_H

#include "base/str.h"

#include <stdbool.h>

/*
 * Appends the base subject of a Subject field's unfolded value, as UTF-8, not folded for comparing.
 * True: the subject is that of a reply or a forward (RFC 5256 3, "is a reply or forward").  Linear.
 */
bool mime_base_subject(struct str_view value, struct str_buf *out);

#endif

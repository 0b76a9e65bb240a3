/*
 * What must hold for any octets at all, in one place: the unit tests, the corpus test and the fuzz
 * target all ask it.
 */
#ifndef TESTS_CHECK_MESSAGE_H
#define TESTS_CHECK_MESSAGE_H

#include "mime/scan.h"

/* Scans octets that come in slices of slice_n (0: all at once). */
void scan_octets(struct str_view octets, size_t slice_n, const struct mime_caps *caps,
    struct arena *arena, struct mime_message *m);

/* NULL, or what is wrong with the result of a scan. */
const char *check_message(const struct mime_message *m);
/* NULL, or how two results differ. */
const char *check_same(const struct mime_message *a, const struct mime_message *b);
/* NULL, or why the text is no ENVELOPE, no body (RFC 9051 9). */
const char *check_envelope(struct str_view text);
const char *check_body(struct str_view text, bool extended);
/* Line ends out and in again, with slices cut by the seed: NULL, or what differs. */
const char *check_eol(struct str_view octets, unsigned seed);
/* Every decoder, whole and in slices of one octet: NULL, or what differs. */
const char *check_decoders(struct str_view octets);

#endif

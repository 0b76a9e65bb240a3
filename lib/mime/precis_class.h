/* Which characters PRECIS lets into a text (RFC 8264 4), by Unicode's properties (8, 9): for precis.c. */
#ifndef MIME_PRECIS_CLASS_H
#define MIME_PRECIS_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum precis_class { PRECIS_IDENTIFIER, PRECIS_FREEFORM };
/* What may stand anywhere, nowhere, or where its neighbours say so. */
enum precis_value { PRECIS_VALID, PRECIS_DISALLOWED, PRECIS_BY_CONTEXT };

enum precis_value precis_class_value(enum precis_class of, uint32_t c);
/* Whether the character at a place of a text of n characters may stand there (RFC 5892 A). */
bool precis_context_good(const uint32_t *text, size_t n, size_t at);
/* RFC 5893 2, for a text that has characters written from right to left; true for others. */
bool precis_direction_good(const uint32_t *text, size_t n);

#endif

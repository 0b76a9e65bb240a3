/* A password as it was typed, and in the form in which it is kept (RFC 8265 4.2, OpaqueString). */
#ifndef AUTH_OFFERED_H
#define AUTH_OFFERED_H

#include "base/str.h"
#include "mime/precis.h"

struct offered {
	const char *typed; /* borrowed */
	const char *form;  /* NULL: it has none */
	struct str_buf buffer;
};

/* What keeps it from having a form; it is to be ended in any case. */
enum precis_fault offered_init(struct offered *offered, const char *typed);
void offered_fini(struct offered *offered);
/*
 * Whether a verifier (auth/verifier.h) is of it: of its form, or of the octets as they were typed (*as_typed_r), as one
 * made elsewhere or long ago may be.  How many hashes a wrong password costs depends on it alone.
 */
bool offered_matches(const struct offered *offered, const char *verifier, bool *as_typed_r);

#endif

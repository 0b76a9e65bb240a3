/* auth/offered.c - see offered.h. */
#include "auth/offered.h"

#include "auth/verifier.h"

#include <string.h>

enum precis_fault offered_init(struct offered *offered, const char *typed)
{
	enum precis_fault fault;

	*offered = (struct offered){.typed = typed};
	fault = precis_opaque(str_view(typed, strlen(typed)), &offered->buffer);
	if (fault == PRECIS_GOOD)
		offered->form = offered->buffer.p;
	return fault;
}

void offered_fini(struct offered *offered)
{
	if (offered->buffer.p)
		explicit_bzero(offered->buffer.p, offered->buffer.size);
	str_buf_fini(&offered->buffer);
}

bool offered_matches(const struct offered *offered, const char *verifier, bool *as_typed_r)
{
	*as_typed_r = false;
	if (offered->form && auth_verifier_matches(verifier, offered->form))
		return true;
	*as_typed_r = (!offered->form || strcmp(offered->form, offered->typed) != 0) && auth_verifier_matches(verifier, offered->typed);
	return *as_typed_r;
}

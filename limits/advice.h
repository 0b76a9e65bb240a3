/*
 * What to do about a refusal: each change that an administrator may think of, and whether an open would be
 * granted after it.  Judged by trying it on the checks of that open, so it holds for limits in any combination.
 */
#ifndef LIMITS_ADVICE_H
#define LIMITS_ADVICE_H

#include "base/arena.h"
#include "limits/session.h"

#include <stddef.h>

enum advice_change {
	ADVICE_CLOSE,      /* one of the sessions that count against every limit that refuses */
	ADVICE_RAISE,      /* one limit, all else as it is */
	ADVICE_RAISE_ALL,  /* all that refuse; listed where no single one helps */
	ADVICE_PERMISSION, /* View Information Store Status */
	ADVICE_DISABLE,    /* Disable Session Limit = 1 */
};
struct advice {
	enum advice_change change;
	bool helps;
	const char *command; /* what makes the change; of ADVICE_RAISE_ALL: joined by " && " */
	const char *because; /* why it helps, or does not; a sentence's end */
};

/*
 * Of an open that is refused now: what helps stands first.  An open that is granted needs none (*n_r = 0).
 * All is in the arena.  Errors as session_checks'.
 */
WARN_UNUSED int advice_list(struct site *site, const struct session_request *request, struct arena *arena,
    struct advice **list_r, size_t *n_r, struct err *e);

#endif

/* Parameters of MAIL and RCPT: "SIZE=1000 BODY=8BITMIME SMTPUTF8" (RFC 5321 4.1.2). */
#ifndef LMTPD_PARAMETER_H
#define LMTPD_PARAMETER_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

struct parameter {
	struct str_view name, value;
	bool has_value;
};

/* The next one, cut off the front; 1, 0: no more, -1: it is none. */
int parameter_next(struct str_view *rest, struct parameter *parameter_r);
/* What xtext means (RFC 3461 4; beyond ASCII, too), in the arena; NULL: it is none, or has a control character. */
const char *parameter_xtext(struct str_view value, struct arena *arena);

#endif

/*
 * The text of DATA, with its dots unstuffed (RFC 5321 4.5.2), as it comes in, in whatever pieces.
 *
 * Only CR LF ends a line: a dot behind a bare LF, or before one, is text.  A server that takes less for
 * the end can be made to see two messages where the one before it saw one.
 */
#ifndef LMTPD_UNSTUFF_H
#define LMTPD_UNSTUFF_H

#include "base/str.h"

#include <stdbool.h>

/* Zeroed: at the beginning of a text. */
struct unstuff {
	enum unstuff_at {
		UNSTUFF_LINE,   /* a line begins */
		UNSTUFF_DOT,    /* behind the dot that began one */
		UNSTUFF_DOT_CR, /* and a CR */
		UNSTUFF_TEXT,
		UNSTUFF_CR,     /* behind a CR in a line */
	} at;
};

/*
 * Takes octets until the text ends (true; the line of the dot is taken) or there are no more; *taken_r of
 * them.  What they mean is put into out.
 */
bool unstuff_feed(struct unstuff *unstuff, struct str_view octets, size_t *taken_r, struct str_buf *out);

#endif

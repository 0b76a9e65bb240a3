/* Reading an mbox file (RFC 4155; `>From ` as mboxrd quotes it). */
#ifndef CTL_MBOX_H
#define CTL_MBOX_H

#include "base/str.h"
#include "ctl/mail_sink.h"

/*
 * Reads fd, whose first octets are `first`, to its end and puts every message into the sink.  A From_
 * line counts when it has a date and stands at the start or behind a blank line; that blank line
 * belongs to the form, not to the message.  otherwise_ms dates a first From_ line that has no date.
 */
WARN_UNUSED int mbox_read(int fd, struct str_view first, int64_t otherwise_ms,
    const struct mail_sink *sink, struct err *e);

/* Puts the From_ line of a message (sender unknown) into out. */
void mbox_from_line(int64_t idate_ms, struct str_buf *out);

/* Quotes `>*From ` at the start of lines as a message streams through. */
struct mbox_quote {
	bool inside;    /* of a line, past where a quote could stand */
	unsigned seen;  /* of ">>...From ": '>' signs and letters kept back */
	struct str_buf held;
};
void mbox_quote_feed(struct mbox_quote *q, const char *octets, size_t n, struct str_buf *out);
/* The end of a message: what was held back, a line end if it lacks one, and the blank line. */
void mbox_quote_finish(struct mbox_quote *q, struct str_buf *out);

#endif

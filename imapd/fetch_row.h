/* How a message of a FETCH is told: its items (fetch_items.c), then the octets of its sections (fetch_octets.c). */
#ifndef IMAPD_FETCH_ROW_H
#define IMAPD_FETCH_ROW_H

#include "imapd/fetch.h"
#include "imapd/fetch_binary.h"

struct fetch_row {
	struct client *client;
	const struct fetch_args *args;
	struct arena *arena; /* for what is needed until the row is told */
	bool has_item;       /* the next one needs a blank before it */
	bool in_section;
	const struct fetch_section *section; /* the next; NULL: all are told */
	struct fetch_span span;              /* what is still to be sent of it */
	struct str_buf made;
	struct fetch_binary binary; /* where it is told decoded; span.n is then what is left of that */
	/* Of all rows: */
	bool missing;          /* something was gone when its turn came */
	bool unknown_encoding; /* a part could not be decoded */
};

/* "* 3 FETCH (" and the items. */
void fetch_row_begin(struct fetch_row *row, const struct message_info *m, uint32_t seq, unsigned items);
/* The sections that are left.  DONE, YIELD, or FAIL behind the head of a literal. */
enum imap_next fetch_row_sections(struct fetch_row *row, const struct message_info *m, struct err *e);

#endif

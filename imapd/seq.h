/*
 * Sets of numbers: "1:5,7,*" as a client writes them (RFC 3501 9, sequence-set), of sequence
 * numbers or of UIDs, and written again as UIDPLUS wants them.
 */
#ifndef IMAPD_SEQ_H
#define IMAPD_SEQ_H

#include "base/arena.h"
#include "base/str.h"
#include "store/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEQ_STAR 0u /* '*' in a set that is not resolved yet */

struct seq_set {
	struct uid_range *ranges; /* as written; SEQ_STAR stands for '*' */
	size_t n;
	bool is_saved; /* "$": what the last SEARCH saved (RFC 5182); no ranges until it is resolved */
};

/* Length of the longest sequence-set at the start of text ("$" is one), parsed into set_r; 0 if there is
 * none. */
size_t seq_parse(struct str_view text, struct arena *arena, struct seq_set *set_r);

/*
 * Puts `star` for '*', turns "9:2" round, sorts and merges: ranges ascending that neither overlap
 * nor touch.  In place.
 */
void seq_resolve(struct seq_set *set, uint32_t star);

/* Appends a number to a growing text "1:3,5": the run that is open is written when it breaks. */
struct seq_writer {
	struct str_buf *out;
	uint32_t from, to; /* 0: nothing put yet */
	bool any;
};
void seq_write(struct seq_writer *w, uint32_t n);
void seq_write_end(struct seq_writer *w);

#endif

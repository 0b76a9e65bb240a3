/* Sort programs (RFC 5256 3, RFC 5957): what SORT's list of keys says, applied to messages. */
#ifndef IMAPD_SORT_H
#define IMAPD_SORT_H

#include "base/arena.h"
#include "imapd/parse.h"
#include "store/keys.h"

enum sort_by {
	SORT_ARRIVAL, SORT_CC, SORT_DATE, SORT_DISPLAYFROM, SORT_DISPLAYTO, SORT_FROM, SORT_SIZE,
	SORT_SUBJECT, SORT_TO, SORT_BYS_N
};

struct sort_program {
	struct {
		enum sort_by by;
		bool reverse;
	} keys[SORT_BYS_N];
	size_t n; /* a key that comes again says nothing new, and is dropped */
};

/* "(REVERSE DATE SUBJECT)" */
bool sort_parse(struct parse *p, struct sort_program *program);
/* What has to be known of messages. */
enum keys_what sort_what(const struct sort_program *program);

/* The order of two messages: as sort_run's, of equals the lower UID first. */
int sort_compare(const struct sort_program *program, const struct message_keys *a,
    const struct message_keys *b);

/* Messages to be sorted; begin with {.program = ...}. */
struct sort {
	const struct sort_program *program;
	struct arena texts;
	char *items; /* heap: of sort_item_octets each */
	size_t n, room;
};
size_t sort_item_octets(const struct sort_program *program);
/* In ascending order of seq. */
void sort_add(struct sort *sort, const struct message_keys *keys, uint32_t seq);
/* Writes the n sequence numbers in the program's order; of equals the lower first. */
void sort_run(struct sort *sort, uint32_t *order);
void sort_fini(struct sort *sort);

#endif

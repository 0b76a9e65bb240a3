/* Texts looked for in whole messages: all of them in one pass over decoded, folded text. */
#ifndef STORE_SEARCH_PRIV_H
#define STORE_SEARCH_PRIV_H

#include "store/message.h"

struct db;

struct needle {
	struct str_view folded; /* borrowed */
	bool in_header, in_body;
};

/* Zeroed: none. */
struct search_text {
	struct needle *p;
	size_t n, room;
	size_t longest;
	struct str_buf raw, decoded, utf8, folded; /* kept between messages for their memory */
};

/* The needle's number. */
size_t search_text_add(struct search_text *t, struct str_view folded);
/* Looks through a message (MESSAGE_BASIC and MESSAGE_PARTS are there). */
WARN_UNUSED int search_text_message(struct search_text *t, struct db *db,
    const struct message_info *m, struct str_view header, struct err *e);
bool search_text_found(const struct search_text *t, size_t needle, bool with_header);
void search_text_fini(struct search_text *t);

#endif

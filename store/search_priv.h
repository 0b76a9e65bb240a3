/* The parts of searching: rows, and texts looked for in messages. */
#ifndef STORE_SEARCH_PRIV_H
#define STORE_SEARCH_PRIV_H

#include "store/message.h"

struct db;

/* ---- search_sql.c ---- */

/* What the narrow table says of a message. */
struct search_row {
	struct store_uid uid;
	uint32_t flags;
	uint64_t modseq, keywords, content, size;
	int64_t idate_ms, saved_ms;
	int zone_min;
};
/* Rows of the folder from that UID on, ascending, at most max_n; NOTFOUND where the folder is gone. */
WARN_UNUSED int search_rows(struct db *db, struct folder_id folder, struct store_uid from,
    size_t max_n, struct arena *arena, struct search_row **rows_r, size_t *n_r, struct err *e);

/* What a content says of itself. */
struct search_content {
	uint64_t header_n;
	int64_t sent_ms; /* INT64_MIN: no Date: field that can be read */
	int sent_zone_min;
};
WARN_UNUSED int search_content(struct db *db, uint64_t content, struct search_content *about_r,
    struct err *e);
/* Its parts, from the arena. */
WARN_UNUSED int search_parts(struct db *db, uint64_t content, struct arena *arena,
    struct mime_part **parts_r, size_t *n_r, struct err *e);

/* ---- search_text.c: all texts in one pass over decoded, folded text ---- */

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
/* Looks through a message. */
WARN_UNUSED int search_text_message(struct search_text *t, struct db *db, uint64_t content,
    struct str_view header, struct err *e);
bool search_text_found(const struct search_text *t, size_t needle, bool with_header);
void search_text_fini(struct search_text *t);

#endif

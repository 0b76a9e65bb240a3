/* The parts of searching: rows, signatures, header fields kept in memory, texts looked for in messages. */
#ifndef STORE_SEARCH_PRIV_H
#define STORE_SEARCH_PRIV_H

#include "store/content_cache_priv.h"
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

/* Reads octets of contents, and of each no more than is asked for: a row is up to 256 KB, and to select it is
 * to read all of it. */
struct search_reader;
struct search_reader *search_reader_new(struct db *db);
/* Appends n octets from `at` on; fewer only at the end. */
WARN_UNUSED int search_read(struct search_reader *reader, uint64_t content, uint64_t at, size_t n,
    struct str_buf *out, struct err *e);
/* Before the transaction ends. */
void search_reader_free(struct search_reader **reader);

/* A content's signature into out, which is overwritten; empty where none of this version is there. */
WARN_UNUSED int search_sig_read(struct db *db, uint64_t content, struct str_buf *out, struct err *e);

/* Signatures that were made while nothing could be written. */
struct search_made {
	struct search_made_one {
		uint64_t content;
		size_t at, n; /* in octets */
	} *list;
	size_t n, room;
	struct str_buf octets;
};
void search_made_add(struct search_made *made, uint64_t content, struct str_view sig);
void search_made_fini(struct search_made *made);
/* Keeps them, a few in a commit, as long as nobody else wants to write; what is left is made again. */
void search_made_keep(struct search_made *made, struct mailbox *mb);

/* ---- search_sig.c ---- */

#define SEARCH_SIG_MIN 64u
#define SEARCH_SIG_MAX 32768u
struct search_sig {
	uint64_t bits[SEARCH_SIG_MAX / 8];
	uint64_t set; /* bits */
};
void search_sig_clear(struct search_sig *sig);
/* Mapped text; pieces of one text overlap by two octets. */
void search_sig_add(struct search_sig *sig, struct str_view mapped);
/* Appends the signature, and clears the set. */
void search_sig_put(struct search_sig *sig, struct str_buf *out);
/* false: the text surely lacks the needle.  One of less than three octets may be anywhere. */
bool search_sig_may_hold(struct str_view sig, struct str_view needle);

/* ---- search_fields.c ---- */

/* Header fields that are searched again and again. */
#define SEARCH_FIELDS_N 6
/* Which of them has this name; SEARCH_FIELDS_N: none. */
size_t search_field_of(struct str_view name);

/* Those of one content, as they are compared: of each the values in the order of the header, each behind
 * with an octet that is in no text. */
struct search_fields {
	uint32_t end[SEARCH_FIELDS_N];
	char text[];
};
static inline struct str_view search_fields_get(const struct search_fields *f, size_t field)
{
	size_t begin = field ? f->end[field - 1] : 0;

	return str_view(f->text + begin, f->end[field] - begin);
}
/* Makes them of a header, into out, which is overwritten. */
void search_fields_make(struct str_view header, struct str_buf *out);

/* ---- search_text.c: all texts in one pass over decoded, mapped text ---- */

struct needle {
	struct str_view mapped; /* borrowed */
	bool with_header;       /* TEXT: may also be in a header, the message's, a part's, an enclosed one's */
	bool found;
};

/* Zeroed: none. */
struct search_text {
	struct needle *p;
	size_t n, room;
	size_t longest;
	struct search_reader *reader; /* the caller's */
	struct search_sig *sig; /* NULL, or the set that collects what is read, which is all of it then */
	struct str_buf raw, decoded, utf8, mapped; /* kept between messages for their memory */
};

/* The needle's number. */
size_t search_text_add(struct search_text *t, struct str_view mapped, bool with_header);
/* Looks through a message; what is found of it stands in the needles. */
WARN_UNUSED int search_text_message(struct search_text *t, struct db *db, uint64_t content,
    struct err *e);
void search_text_fini(struct search_text *t);

#endif

/* FETCH: what is asked for (fetch_parse.c), the sections of a message (fetch_section.c), and what needs no
 * row (fetch_flags.c). */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "base/arena.h"
#include "imapd/cmd.h"
#include "imapd/parse.h"
#include "store/message.h"

#include <stdbool.h>
#include <stdint.h>

/* Items without arguments; bits, told in this order. */
enum fetch_item {
	FETCH_FLAGS = 1,
	FETCH_UID = 2,
	FETCH_INTERNALDATE = 4,
	FETCH_SIZE = 8,
	FETCH_ENVELOPE = 16,
	FETCH_BODY = 32,
	FETCH_BODYSTRUCTURE = 64,
	FETCH_MODSEQ = 128,
	FETCH_SAVEDATE = 256,
	FETCH_EMAILID = 512,
	FETCH_THREADID = 1024,
	FETCH_PREVIEW = 2048,
};

enum fetch_text { FETCH_WHOLE, FETCH_HEADER, FETCH_TEXT, FETCH_MIME, FETCH_FIELDS, FETCH_FIELDS_NOT };

/* How its octets are told: as they are, or decoded (RFC 3516), or only their number. */
enum fetch_form { FETCH_ENCODED, FETCH_BINARY, FETCH_BINARY_SIZE };

/* BODY[section]<from.n>, or RFC822 and its like, or BINARY[part]<from.n>. */
struct fetch_section {
	struct fetch_section *next;
	struct str_view label;  /* as it is told: "BODY[1.MIME]" */
	struct str_view number; /* "1.2", n = 0: the message itself */
	enum fetch_form form;
	enum fetch_text text;
	struct str_view *fields;
	size_t fields_n;
	bool is_partial;
	uint32_t from, octets_max;
};

struct fetch_args {
	struct seq_set set;
	unsigned items;
	struct fetch_section *sections, **sections_end;
	bool marks_seen; /* one of them sets \Seen */
	unsigned what;   /* enum message_what */
	struct store_modseq changed_since; /* 0: whatever their modseq */
	bool vanished;
	struct partial partial; /* from 0: all (RFC 9394 3.3) */
};

/* What stands behind the set: a macro, an item, or items in parentheses. */
bool fetch_parse(struct parse *p, struct fetch_args *args);
/* " (CHANGEDSINCE n [VANISHED] PARTIAL n:m)", which may follow. */
bool fetch_parse_modifiers(struct parse *p, struct fetch_args *args);
/* What stands between the brackets of BODY[], up to the ']'; *word_r: the keyword behind the number. */
bool fetch_parse_section(struct parse *p, struct fetch_section *section, const char **word_r);

/*
 * A FETCH that no command asked for, of messages that came: the items as fetch_parse took them before.  Its
 * step and cleanup are the caller's to call.  Sets no \Seen.
 */
struct imap_req *fetch_begin(struct client *client, struct str_view items, struct uid_range uids,
    struct arena *arena);

/* Where a section's octets are: in the content, or (header fields) in `made`. */
struct fetch_span {
	bool exists; /* else NIL */
	bool is_made;
	uint64_t at, n;
};
/* What a section with its <from.n> names.  made is cleared and used where the octets are put together. */
WARN_UNUSED int fetch_section_find(struct store *store, const struct message_info *message,
    const struct fetch_section *section, struct arena *arena, struct str_buf *made,
    struct fetch_span *span_r, struct err *e);

/* The fields of a header block that are (or, with `not`, are not) named, and the blank line. */
void fetch_filter_fields(struct str_view header, const struct str_view *fields, size_t fields_n,
    bool not, struct str_buf *out);

/* FLAGS and UID alone? */
bool fetch_flags_do(const struct fetch_args *args);
/* The command from here on; the set is resolved. */
enum imap_next fetch_flags_run(struct imap_req *req, const struct fetch_args *args, struct err *e);

/* The tagged answer. */
enum imap_next fetch_end(struct imap_req *req, bool missing);

#endif

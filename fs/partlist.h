/*
 * What is in one message's directory under parts/: its files with their true sizes.  Made of the message's
 * structure once, then never changed: a content never does.  Knows neither the tree nor the store.
 */
#ifndef FS_PARTLIST_H
#define FS_PARTLIST_H

#include "fs/body.h"
#include "fs/decoded.h"

#include "base/arena.h"

#include <stdatomic.h>

enum partfile_kind {
	PARTFILE_RAW,       /* the message as it is served in mail/ */
	PARTFILE_HEADER,    /* its header, with the blank line */
	PARTFILE_BODY,      /* the best text part, in UTF-8 with LF */
	PARTFILE_FIELD,     /* a field of the header, decoded, and a line end; nothing where it is not there */
	PARTFILE_FLAGS,
	PARTFILE_TRUNCATED, /* what was left out; only where something was */
	PARTFILE_PART,      /* a part without its transfer encoding */
};

struct partfile {
	const char *name;
	enum partfile_kind kind;
	uint32_t number;       /* below 2^20; the same whenever a list is made of this message; ascending */
	const char *charset;   /* of PARTFILE_BODY */
	struct decoded_window window; /* where its octets come from */
	uint64_t size;
};

struct partlist {
	atomic_uint refs;
	struct arena arena;
	struct partfile *files;
	size_t n;
	uint64_t header_n; /* CRLF form */
	uint64_t text_max; /* octets of body.txt */
	int64_t idate_ms; /* the message's; for who asks for attributes */
	const char *truncated; /* NULL: all is there */
};

/* The message a list is made of. */
struct partlist_message {
	uint64_t size_crlf, size; /* as the store keeps it; as it is served */
	uint64_t header_n;        /* CRLF form */
	enum eol_kind serve;
	struct str_view exceptions; /* of EOL_MIXED */
	const struct mime_part *parts;
	size_t parts_n;
};

/* What a list may hold, and what the structure was capped at. */
struct partlist_caps {
	size_t files;
	uint64_t octets; /* of all parts together, decoded */
	uint64_t text;   /* of body.txt */
	size_t mime_parts, mime_depth;
};

/* One reference for the caller. */
WARN_UNUSED int partlist_make(const struct partlist_message *m, const struct partlist_caps *caps,
    const struct body_source *source, struct partlist **list_r, struct err *e);
struct partlist *partlist_ref(struct partlist *list);
void partlist_put(struct partlist **list);

/* A part without a name of its own is found by its number, "1.2"; so is one that has a name, though it is not
 * listed so.  NULL: there is none. */
const struct partfile *partlist_find(const struct partlist *list, const char *name);
const struct partfile *partlist_file(const struct partlist *list, uint32_t number);

/* The text of a file that is no stretch of the message: of kinds BODY, FIELD, TRUNCATED. */
WARN_UNUSED int partlist_text(const struct partlist *list, const struct partfile *file, struct body *body,
    const struct body_source *source, struct str_buf *out, struct err *e);

#endif

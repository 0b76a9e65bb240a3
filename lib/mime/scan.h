/*
 * The MIME structure scanner: one pass over a message as it streams in, with an explicit stack and
 * caps, never recursion.  It knows the top header's fields, every part's offsets, and writes what
 * IMAP will say of the message (ENVELOPE, BODYSTRUCTURE) once, as ready-made text.
 *
 * Any bytes are taken; nothing is refused for its form.  What a cap cuts off is told truthfully: a
 * container that may not be opened is application/octet-stream, parts too many are left out, a header
 * too long goes on as body text, and `capped` is set; the octets are all there in any case.
 *
 * Why not a library: libetpan recurses without bound and is quadratic in depth (doc/DESIGN.md).
 */
#ifndef MIME_SCAN_H
#define MIME_SCAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Measured defaults are in mime_caps_default; the store passes its settings (MimeDepthMax, ...). */
struct mime_caps {
	uint32_t depth;         /* 100 */
	uint32_t parts;         /* 10000 */
	uint32_t header_octets; /* 1048576, of any one header; from the line that passes it on, it is body */
	uint32_t structure_octets; /* 4194304: past it parts are told by type alone, addresses not at all */
};
extern const struct mime_caps mime_caps_default;

enum mime_encoding { MIME_7BIT, MIME_8BIT, MIME_BINARY, MIME_QUOTED_PRINTABLE, MIME_BASE64, MIME_OTHER };
enum mime_kind { MIME_LEAF, MIME_TEXT, MIME_MULTIPART, MIME_MESSAGE };

/*
 * One part.  Offsets count octets of the CRLF form from the start of the message.  Part 0 is the
 * message itself.  `number` of IMAP ("1.2.3", RFC 9051 6.4.5.1) is given by the tree: the children of a
 * MULTIPART are 1..n; a MESSAGE (message/rfc822) has one child, the enclosed message.
 */
struct mime_part {
	uint32_t parent;  /* index; part 0's is 0 */
	uint32_t ordinal; /* among its siblings, from 1 */
	uint32_t depth;
	uint64_t header_at, header_n; /* with the blank line */
	uint64_t body_at, body_n;     /* without the CRLF that belongs to the delimiter */
	uint32_t lines;               /* of the body */
	enum mime_kind kind;
	enum mime_encoding encoding;
	const char *type, *subtype;   /* lower case */
	const char *charset;          /* of text, lower case; "" if not said */
	const char *name;             /* file name, decoded UTF-8 (RFC 2231, 2047), or NULL */
	const char *disposition;      /* lower case, or NULL */
};

/* What was learnt; lives in the arena given to mime_scan_finish. */
struct mime_message {
	uint64_t size;     /* octets of the CRLF form */
	uint64_t header_n; /* of the top header with its blank line */
	struct mime_part *parts;
	size_t parts_n;
	bool capped;        /* a cap was met: not all is told */
	bool header_8bit;   /* the header of a part, whichever, has octets beyond ASCII */
	struct str_view envelope;      /* IMAP text "(...)": strings quoted, or literals where 8-bit; NULs left out */
	struct str_view bodystructure; /* IMAP text "(...)" with extension data */
	int64_t sent_ms;   /* Date: as wall time; INT64_MIN if it has none that can be read */
	int sent_zone_min; /* its zone; the Date's own calendar day is sent_ms + zone */
	const char *slug;  /* "<from local part>.<subject>" for file names: NFC, safe, at most 120 bytes */
	const char *subject, *from; /* decoded UTF-8 on one line, for people, at most 998 bytes; "" if none */
	const char *message_id;     /* without <>; "" if none */
};

struct mime_scan;
struct mime_scan *mime_scan_new(const struct mime_caps *caps);
/* The next octets, in CRLF form (base/eol has normalised them). */
void mime_scan_feed(struct mime_scan *scan, const void *octets, size_t n);
/* Ends the message and fills m from the arena; frees the scan and sets it NULL. */
void mime_scan_finish(struct mime_scan **scan, struct arena *arena, struct mime_message *m);
void mime_scan_free(struct mime_scan **scan);

/* Parts as a compact blob for the store, and back (CORRUPT). */
void mime_parts_pack(const struct mime_message *m, struct str_buf *out);
WARN_UNUSED int mime_parts_unpack(struct str_view blob, struct arena *arena,
    struct mime_part **parts_r, size_t *parts_n_r, struct err *e);

/*
 * Finds the part a section number names ("" is the message, "1", "2.1"; RFC 9051 6.4.5.1), false if
 * there is none.  "1" of a message that is no multipart is the message's body itself; a number below
 * a message/rfc822 goes into the enclosed message.
 */
bool mime_part_find(const struct mime_part *parts, size_t parts_n, struct str_view number,
    size_t *index_r);
/* The part's own number, "" for the message itself.  That of a multipart which is an enclosed message's
 * text is the message/rfc822 part's: it has none of its own. */
void mime_part_number(const struct mime_part *parts, size_t index, struct str_buf *out);

/* BODY, derived from a BODYSTRUCTURE text by leaving the extension data out. */
void mime_body_from_bodystructure(struct str_view bodystructure, struct str_buf *out);

#endif

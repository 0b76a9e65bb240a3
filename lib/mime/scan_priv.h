/* The scanner's inside: shared by what walks the octets (scan.c), what a part's header makes of
 * the part (entity.c), and what writes the result (structure.c). */
#ifndef MIME_SCAN_PRIV_H
#define MIME_SCAN_PRIV_H

#include "mime/scan.h"

/* RFC 2046 5.1.1 says 70; a boundary longer than this is none. */
enum {
	BOUNDARY_MAX = 256
};
/* A line longer than this is no delimiter line (RFC 5322 2.1.1: 998 and CRLF). */
enum {
	DELIMITER_LINE_MAX = 1000
};

/* A stretch of scan.text. */
struct text_span {
	size_t at, n;
};

struct scan_part {
	struct mime_part part;
	struct text_span front, back, envelope;
	uint64_t lines_before; /* line ends of the message before its body */
};

/* A part that is open; the innermost is last. */
struct scan_frame {
	uint32_t part;
	uint32_t children;
	bool over; /* a multipart whose close delimiter was seen, or that may not grow */
	size_t boundary_n;    /* 0: no delimiter is looked for */
	const char *boundary; /* in scan.arena */
};

struct mime_scan {
	struct mime_caps caps;
	uint64_t at;    /* octets seen */
	uint64_t lines; /* line ends seen */

	bool in_header;        /* of the innermost part */
	struct str_buf header; /* that header, as far as it has come */
	size_t header_line;    /* where its last, unfinished line begins */

	uint64_t line_at;    /* where the line at hand begins */
	bool in_line;        /* within a line that is no delimiter */
	struct str_buf head; /* the beginning of a line that may be one, across slices */

	struct scan_part *parts;
	size_t parts_n, parts_size;
	struct scan_frame *stack;
	size_t stack_n, stack_size;
	size_t boundaries_n; /* frames that look for delimiters */

	bool capped, header_8bit;
	struct str_buf text;     /* what BODYSTRUCTURE will say, piece by piece */
	struct str_buf envelope; /* of the message itself */
	struct arena arena;      /* strings of parts */
	struct arena scratch;    /* of the header at hand */
	int64_t sent_ms;
	int sent_zone_min;
	const char *slug, *subject, *from, *message_id;
};

/* Opens a part below the innermost one; its header comes next. */
void scan_open_part(struct mime_scan *s);
/* The innermost part's header is complete: s->header. */
void scan_header_done(struct mime_scan *s);
/* A multipart without any part gets one, which holds all its octets: IMAP has no word for none.
 */
void scan_fill_empty(struct mime_scan *s, const struct scan_frame *frame);
/* The message is over: closes what is open. */
void scan_end(struct mime_scan *s);
/* Writes the BODYSTRUCTURE text. */
void structure_put(const struct mime_scan *s, struct str_buf *out);

#endif

/*
 * mime/scan.c - the walk over the octets.  Lines are looked at one by one: in a header, they
 * are gathered until the blank line; in a body, only a line that begins with "--" is compared
 * with the boundaries of the multiparts that are open.  Whatever the slices, each line is
 * judged as a whole.
 */
#include "mime/scan_priv.h"
#include "base/mem.h"
#include "mime/header_priv.h"

#include <stdlib.h>
#include <string.h>

const struct mime_caps mime_caps_default = {
    .depth = 100,
    .parts = 10000,
    .header_octets = 1048576,
    .structure_octets = 4194304,
};

struct mime_scan *mime_scan_new(const struct mime_caps *caps)
{
	struct mime_scan *s = mem_alloc(sizeof *s);

	s->caps = *caps;
	s->sent_ms = INT64_MIN;
	s->slug = "message";
	s->subject = s->from = s->message_id = "";
	scan_open_part(s);
	return s;
}

void mime_scan_free(struct mime_scan **scan)
{
	struct mime_scan *s = *scan;

	if (!s)
		return;
	str_buf_fini(&s->header);
	str_buf_fini(&s->head);
	str_buf_fini(&s->text);
	str_buf_fini(&s->envelope);
	arena_fini(&s->arena);
	arena_fini(&s->scratch);
	free(s->parts);
	free(s->stack);
	mem_free(scan);
}

/* The innermost part ends where its body's last octet was. */
static void close_part(struct mime_scan *s, uint64_t end, uint64_t lines)
{
	struct scan_frame frame = s->stack[s->stack_n - 1];
	struct scan_part *p = &s->parts[frame.part];

	if (end > p->part.body_at) {
		uint64_t n = lines - p->lines_before;

		p->part.body_n = end - p->part.body_at;
		p->part.lines = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	}
	if (p->part.kind == MIME_MULTIPART && frame.children == 0)
		scan_fill_empty(s, &frame);
	if (frame.boundary_n && !frame.over)
		s->boundaries_n--;
	s->stack_n--;
}

/* The frame whose delimiter the line is: the longest boundary that fits, the innermost of
 * equals. s->stack_n: none. */
static size_t find_delimiter(const struct mime_scan *s, struct str_view line, bool *close_r)
{
	size_t found = s->stack_n, longest = 0;

	for (size_t i = s->stack_n; i-- > 0;) {
		const struct scan_frame *f = &s->stack[i];
		size_t n = f->boundary_n;

		if (n <= longest || f->over || line.n < n + 2 ||
		    memcmp(line.p + 2, f->boundary, n) != 0)
			continue;
		struct str_view rest = str_view(line.p + 2 + n, line.n - 2 - n);
		bool close = rest.n >= 2 && rest.p[0] == '-' && rest.p[1] == '-';

		/* RFC 2046 5.1.1: blanks may follow; any other text makes it another line */
		if (!close && str_trim(rest).n != 0)
			continue;
		found = i;
		longest = n;
		*close_r = close;
	}
	return found;
}

/* Whether what has come of a line does not yet rule out that it is a delimiter. */
static bool may_be_delimiter(const struct mime_scan *s, const char *p, size_t n)
{
	return s->boundaries_n && n && p[0] == '-' && (n == 1 || p[1] == '-') &&
	       n <= DELIMITER_LINE_MAX;
}

/* The line at s->line_at, with its line end if it has one: if it is a delimiter, does what it
 * says. */
static void take_delimiter(struct mime_scan *s, struct str_view line)
{
	bool close = false;
	size_t level = s->stack_n;

	if (may_be_delimiter(s, line.p, line.n))
		level = find_delimiter(s, line, &close);
	if (level == s->stack_n)
		return;
	/* the line end before the line belongs to the delimiter */
	while (s->stack_n > level + 1)
		close_part(s, s->line_at - 2, s->lines - 1);
	struct scan_frame *f = &s->stack[level];

	if (close) {
		f->over = true;
		s->boundaries_n--;
	} else if (s->parts_n >= s->caps.parts) {
		s->capped = true; /* this part and its sisters to come stay untold */
	} else {
		scan_open_part(s);
	}
}

/*
 * The header is over: of what was gathered, its first header_n octets.  What is behind them
 * begins the body, and is fed anew: it may be a delimiter, or the header of an enclosed
 * message.
 */
static void end_header(struct mime_scan *s, size_t header_n)
{
	struct scan_part *p = &s->parts[s->stack[s->stack_n - 1].part];
	struct str_buf rest = {0};

	if (s->header.n > header_n)
		str_buf_put(&rest, s->header.p + header_n, s->header.n - header_n);
	s->at -= rest.n;
	s->header.n = header_n;
	p->part.header_n = header_n;
	p->part.body_at = s->at;
	p->lines_before = s->lines;
	s->in_header = false;
	s->line_at = s->at;
	scan_header_done(s);
	mime_scan_feed(s, rest.p, rest.n);
	str_buf_fini(&rest);
}

static struct str_view last_header_line(const struct mime_scan *s)
{
	if (s->header.n == 0)
		return SV(""); /* there is no text yet to point into */
	return str_view(s->header.p + s->header_line, s->header.n - s->header_line);
}

/* A part may end within its header. */
static bool is_delimiter(const struct mime_scan *s, struct str_view line)
{
	bool close;

	return may_be_delimiter(s, line.p, line.n) &&
	       find_delimiter(s, line, &close) < s->stack_n;
}

/* Takes a piece of the header; returns how much it took. */
static size_t feed_header(struct mime_scan *s, const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	size_t take = lf ? (size_t)(lf - p) + 1 : n;

	if (take > s->caps.header_octets - s->header.n) {
		s->capped = true; /* too long: from this line on it is body */
		end_header(s, s->header_line);
		return 0;
	}
	str_buf_put(&s->header, p, take);
	s->at += take;
	if (!lf)
		return take;
	struct str_view line = last_header_line(s);

	if (is_delimiter(s, line)) {
		end_header(s, s->header_line);
		return take;
	}
	s->lines++;
	s->header_line = s->header.n;
	if (line.p[0] == '\n' || (line.n == 2 && line.p[0] == '\r'))
		end_header(s, s->header.n);
	return take;
}

/* A line of a body is complete. */
static void end_line(struct mime_scan *s)
{
	s->in_line = false;
	s->lines++;
	s->line_at = s->at;
}

/* Takes body octets up to the end of the slice or to a part's beginning; returns how much it
 * took. */
static size_t feed_body(struct mime_scan *s, const char *begin, size_t n)
{
	const char *p = begin, *end = begin + n;

	while (p < end && !s->in_header) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t take = (size_t)((lf ? lf + 1 : end) - p);

		s->at += take;
		if (s->in_line || (s->head.n == 0 && !may_be_delimiter(s, p, take))) {
			s->in_line = true;
		} else {
			size_t room = DELIMITER_LINE_MAX + 1 - s->head.n;

			str_buf_put(&s->head, p, take < room ? take : room);
			if (lf)
				take_delimiter(s, str_buf_view(&s->head));
			else
				s->in_line = !may_be_delimiter(s, s->head.p, s->head.n);
			if (lf || s->in_line)
				str_buf_clear(&s->head);
		}
		if (lf)
			end_line(s);
		p += take;
	}
	return (size_t)(p - begin);
}

void mime_scan_feed(struct mime_scan *scan, const void *octets, size_t n)
{
	const char *p = octets;

	while (n) {
		size_t took = scan->in_header ? feed_header(scan, p, n) : feed_body(scan, p, n);

		p += took;
		n -= took;
	}
}

/* A last line without a line end may be a delimiter too; then what is still a header is over.
 */
void scan_end(struct mime_scan *s)
{
	while (s->in_header || s->head.n) {
		if (!s->in_header) {
			take_delimiter(s, str_buf_view(&s->head));
			str_buf_clear(&s->head);
		} else if (is_delimiter(s, last_header_line(s))) {
			end_header(s, s->header_line);
		} else {
			end_header(s, s->header.n);
		}
	}
	while (s->stack_n)
		close_part(s, s->at, s->lines);
}

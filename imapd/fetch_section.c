/* imapd/fetch_section.c - where the octets of BODY[section] are (RFC 3501 6.4.5). */
#include "imapd/fetch.h"

#include "mime/scan.h"

#include <string.h>

/* A header is read in one piece; the scanner's cap keeps it small. */
#define HEADER_OCTETS_MAX 1048576

static bool is_named(struct str_view name, const struct str_view *fields, size_t fields_n)
{
	for (size_t i = 0; i < fields_n; i++)
		if (str_equal_nocase(name, fields[i]))
			return true;
	return false;
}

/* The end of a field: behind the last of its lines. */
static const char *field_end(const char *p, const char *end)
{
	do {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		p = lf ? lf + 1 : end;
	} while (p < end && (*p == ' ' || *p == '\t'));
	return p;
}

void fetch_filter_fields(struct str_view header, const struct str_view *fields, size_t fields_n,
    bool not, struct str_buf *out)
{
	const char *p = header.p, *end = header.p + header.n;

	while (p < end && *p != '\r' && *p != '\n') {
		const char *next = field_end(p, end);
		const char *colon = memchr(p, ':', (size_t)(next - p));
		struct str_view name = str_trim(str_view(p, colon ? (size_t)(colon - p) : 0));

		if (is_named(name, fields, fields_n) != not)
			str_buf_put(out, p, (size_t)(next - p));
		p = next;
	}
	str_buf_put(out, "\r\n", 2);
}

static int make_fields(struct store *store, uint64_t content, const struct fetch_section *section,
    struct fetch_span *span, struct str_buf *made, struct err *e)
{
	size_t n = span->n < HEADER_OCTETS_MAX ? (size_t)span->n : HEADER_OCTETS_MAX, got = 0;
	struct str_buf header = {0};
	int result = content_read(store, content, span->at, str_buf_room(&header, n), n, &got, e);

	str_buf_clear(made);
	if (result == 0)
		fetch_filter_fields(str_view(header.p, got), section->fields, section->fields_n,
		    section->text == FETCH_FIELDS_NOT, made);
	str_buf_fini(&header);
	*span = (struct fetch_span){true, true, 0, made->n};
	return result;
}

/* Of the message itself. */
static struct fetch_span whole_span(const struct message_info *m, enum fetch_text text)
{
	switch (text) {
	case FETCH_TEXT:
		return (struct fetch_span){true, false, m->header_n, m->size - m->header_n};
	case FETCH_HEADER:
	case FETCH_FIELDS:
	case FETCH_FIELDS_NOT:
		return (struct fetch_span){true, false, 0, m->header_n};
	case FETCH_WHOLE:
	case FETCH_MIME:
		break;
	}
	return (struct fetch_span){true, false, 0, m->size};
}

/* Of a numbered part.  HEADER and TEXT are those of an enclosed message, or there are none. */
static struct fetch_span part_span(const struct mime_part *parts, size_t parts_n, size_t index,
    enum fetch_text text)
{
	const struct mime_part *part = &parts[index];

	if (text == FETCH_WHOLE)
		return (struct fetch_span){true, false, part->body_at, part->body_n};
	if (text == FETCH_MIME)
		return (struct fetch_span){true, false, part->header_at, part->header_n};
	if (part->kind != MIME_MESSAGE)
		return (struct fetch_span){0};
	for (size_t i = index + 1; i < parts_n; i++) {
		if (parts[i].parent != index)
			continue;
		if (text == FETCH_TEXT)
			return (struct fetch_span){true, false, parts[i].body_at, parts[i].body_n};
		return (struct fetch_span){true, false, parts[i].header_at, parts[i].header_n};
	}
	return (struct fetch_span){0};
}

static void clip(struct fetch_span *span, const struct fetch_section *section)
{
	uint64_t skip = section->from < span->n ? section->from : span->n;

	if (!section->is_partial)
		return;
	span->at += skip;
	span->n -= skip;
	span->n = span->n < section->octets_max ? span->n : section->octets_max;
}

int fetch_section_find(struct store *store, const struct message_info *m,
    const struct fetch_section *section, struct arena *arena, struct str_buf *made,
    struct fetch_span *span_r, struct err *e)
{
	struct fetch_span span = whole_span(m, section->text);
	struct mime_part *parts;
	size_t parts_n, index;

	if (section->number.n) {
		if (mime_parts_unpack(m->parts, arena, &parts, &parts_n, e) != 0)
			return -1;
		span = (struct fetch_span){0};
		if (mime_part_find(parts, parts_n, section->number, &index))
			span = part_span(parts, parts_n, index, section->text);
	}
	if (span.exists && (section->text == FETCH_FIELDS || section->text == FETCH_FIELDS_NOT) &&
	    make_fields(store, m->content, section, &span, made, e) != 0)
		return -1;
	clip(&span, section);
	*span_r = span;
	return 0;
}

/*
 * mime/structure.c - the result: parts in the caller's arena, and BODYSTRUCTURE (RFC
 * 9051 7.5.2) put together from the pieces that were kept, in one walk, without recursion:
 * parts stand in the order of their headers, so a part's ancestors are those that are still
 * open.
 */
#include "mime/scan_priv.h"
#include "mime/imaptext_priv.h"

#include <string.h>

static void put_span(const struct mime_scan *s, struct text_span span, struct str_buf *out)
{
	str_buf_put(out, s->text.p + span.at, span.n);
}

/* All of a leaf; of another part what stands before its children. */
static void open_body(const struct mime_scan *s, size_t i, struct str_buf *out)
{
	const struct scan_part *p = &s->parts[i];

	str_buf_putc(out, '(');
	if (p->part.kind == MIME_MULTIPART)
		return;
	put_span(s, p->front, out);
	str_buf_putc(out, ' ');
	str_buf_put_number(out, p->part.body_n);
	str_buf_putc(out, ' ');
	if (p->part.kind == MIME_MESSAGE) {
		put_span(s, s->parts[i + 1].envelope, out); /* its child comes next, always */
		str_buf_putc(out, ' ');
		return;
	}
	if (p->part.kind == MIME_TEXT) {
		str_buf_put_number(out, p->part.lines);
		str_buf_putc(out, ' ');
	}
	put_span(s, p->back, out);
	str_buf_putc(out, ')');
}

/* What stands behind the children. */
static void close_body(const struct mime_scan *s, size_t i, struct str_buf *out)
{
	const struct scan_part *p = &s->parts[i];

	str_buf_putc(out, ' ');
	if (p->part.kind == MIME_MULTIPART)
		imaptext_string(out, str_view(p->part.subtype, strlen(p->part.subtype)));
	else
		str_buf_put_number(out, p->part.lines);
	str_buf_putc(out, ' ');
	put_span(s, p->back, out);
	str_buf_putc(out, ')');
}

static bool has_children(const struct mime_scan *s, size_t i)
{
	return s->parts[i].part.kind == MIME_MULTIPART || s->parts[i].part.kind == MIME_MESSAGE;
}

void structure_put(const struct mime_scan *s, struct str_buf *out)
{
	size_t open = 0;

	open_body(s, 0, out);
	for (size_t i = 1; i < s->parts_n; i++) {
		for (; open != s->parts[i].part.parent; open = s->parts[open].part.parent)
			close_body(s, open, out);
		open_body(s, i, out);
		if (has_children(s, i))
			open = i;
	}
	for (; open; open = s->parts[open].part.parent)
		close_body(s, open, out);
	if (has_children(s, 0))
		close_body(s, 0, out);
}

static void copy_parts(const struct mime_scan *s, struct arena *arena, struct mime_message *m)
{
	m->parts_n = s->parts_n;
	m->parts = ARENA_ARRAY(arena, struct mime_part, s->parts_n);
	for (size_t i = 0; i < s->parts_n; i++) {
		struct mime_part *p = &m->parts[i];

		*p = s->parts[i].part;
		p->type = arena_str(arena, p->type);
		p->subtype = arena_str(arena, p->subtype);
		p->charset = *p->charset ? arena_str(arena, p->charset) : "";
		p->name = p->name ? arena_str(arena, p->name) : NULL;
		p->disposition = p->disposition ? arena_str(arena, p->disposition) : NULL;
	}
}

static struct str_view keep(struct arena *arena, const struct str_buf *b)
{
	return str_view(arena_strn(arena, b->p, b->n), b->n);
}

void mime_scan_finish(struct mime_scan **scan, struct arena *arena, struct mime_message *m)
{
	struct mime_scan *s = *scan;
	struct str_buf text = {0};

	scan_end(s);
	*m = (struct mime_message){
	    .size = s->at,
	    .header_n = s->parts[0].part.header_n,
	    .capped = s->capped,
	    .header_8bit = s->header_8bit,
	    .sent_ms = s->sent_ms,
	    .sent_zone_min = s->sent_zone_min,
	    .slug = arena_str(arena, s->slug),
	    .subject = arena_str(arena, s->subject),
	    .from = arena_str(arena, s->from),
	    .message_id = arena_str(arena, s->message_id),
	};
	copy_parts(s, arena, m);
	structure_put(s, &text);
	m->envelope = keep(arena, &s->envelope);
	m->bodystructure = keep(arena, &text);
	str_buf_fini(&text);
	mime_scan_free(scan);
}

/*
 * mime/entity.c - what a part is: its header, once complete, decides the kind, whether it is
 * opened, and what BODYSTRUCTURE says of it, which is kept as text from then on.
 */
#include "mime/content_priv.h"
#include "mime/date_priv.h"
#include "mime/decode.h"
#include "mime/envelope_priv.h"
#include "mime/scan_priv.h"
#include "mime/slug_priv.h"
#include "base/mem.h"

#include <string.h>

/* Bounds on what is kept for people; longer text stays in the message. */
enum {
	TEXT_FOR_PEOPLE_MAX = 998,
	FILE_NAME_MAX = 512,
	CHARSET_MAX = 63
};

static struct scan_part *new_part(struct mime_scan *s)
{
	if (s->parts_n == s->parts_size) {
		s->parts_size = s->parts_size ? 2 * s->parts_size : 4;
		s->parts = mem_realloc(s->parts, s->parts_size * sizeof *s->parts);
	}
	struct scan_part *p = &s->parts[s->parts_n++];

	*p = (struct scan_part){
	    .part = {.type = "text", .subtype = "plain", .charset = "", .ordinal = 1}};
	return p;
}

void scan_open_part(struct mime_scan *s)
{
	struct scan_part *p = new_part(s);

	if (s->stack_n) {
		struct scan_frame *parent = &s->stack[s->stack_n - 1];

		p->part.parent = parent->part;
		p->part.depth = s->parts[parent->part].part.depth + 1;
		p->part.ordinal = ++parent->children;
	}
	if (s->stack_n == s->stack_size) {
		s->stack_size = s->stack_size ? 2 * s->stack_size : 8;
		s->stack = mem_realloc(s->stack, s->stack_size * sizeof *s->stack);
	}
	s->stack[s->stack_n++] = (struct scan_frame){.part = (uint32_t)s->parts_n - 1};
	p->part.header_at = p->part.body_at = s->at;
	s->in_header = true;
	s->header_line = 0;
	str_buf_clear(&s->header);
}

/* The message itself and every enclosed one have an envelope. */
static bool is_message(const struct mime_scan *s, size_t part)
{
	return part == 0 || s->parts[s->parts[part].part.parent].part.kind == MIME_MESSAGE;
}

static bool in_digest(const struct mime_scan *s, size_t part)
{
	const struct mime_part *parent = &s->parts[s->parts[part].part.parent].part;

	return part && parent->kind == MIME_MULTIPART && strcmp(parent->subtype, "digest") == 0;
}

/* RFC 2046 5.1.1: a boundary does not end in a blank; transports may have put some there. */
static bool find_boundary(const struct content *c, struct str_buf *out)
{
	if (!params_text(&c->type_params, "boundary", out))
		return false;
	while (out->n && lex_blank(out->p[out->n - 1]))
		out->n--;
	return out->n >= 1 && out->n <= BOUNDARY_MAX;
}

static bool may_open(struct mime_scan *s, const struct mime_part *p)
{
	if (p->depth < s->caps.depth && s->parts_n < s->caps.parts)
		return true;
	s->capped = true;
	return false;
}

/*
 * Settles type and kind.  A multipart without a boundary can't be taken apart, so it is the
 * plain text that RFC 2045 5.2 takes senseless types for; one past a cap is octets.
 */
static enum mime_kind settle_kind(struct mime_scan *s, struct scan_frame *f, struct content *c)
{
	const struct mime_part *p = &s->parts[f->part].part;
	struct str_buf boundary = {0};
	enum mime_kind kind = MIME_LEAF;

	if (!c->type)
		content_become(c, in_digest(s, f->part) ? "message" : "text",
		    in_digest(s, f->part) ? "rfc822" : "plain");
	if (strcmp(c->type, "multipart") == 0) {
		if (!find_boundary(c, &boundary))
			content_become(c, "text", "plain");
		else
			kind = MIME_MULTIPART;
	} else if (strcmp(c->type, "message") == 0 && strcmp(c->subtype, "rfc822") == 0) {
		kind = MIME_MESSAGE;
	}
	if (kind != MIME_LEAF && !may_open(s, p)) {
		content_become(c, "application", "octet-stream");
		kind = MIME_LEAF;
	}
	if (strcmp(c->type, "text") == 0)
		kind = MIME_TEXT;
	if (kind == MIME_MULTIPART) {
		f->boundary = arena_copy(&s->arena, boundary.p, boundary.n);
		f->boundary_n = boundary.n;
		s->boundaries_n++;
	}
	str_buf_fini(&boundary);
	return kind;
}

static const char *charset_of(struct mime_scan *s, const struct content *c)
{
	struct str_buf charset = {0};
	const char *result = "";

	if (params_text(&c->type_params, "charset", &charset) && charset.n <= CHARSET_MAX) {
		char *name = arena_strn(&s->arena, charset.p, charset.n);

		for (char *p = name; *p; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		result = name;
	}
	str_buf_fini(&charset);
	return result;
}

static const char *name_of(struct mime_scan *s, const struct content *c)
{
	struct str_buf name = {0};
	const char *result = NULL;

	if (content_name(c, &name)) {
		result = slug_line(&name, FILE_NAME_MAX, &s->arena);
		if (!*result)
			result = NULL;
	}
	str_buf_fini(&name);
	return result;
}

static void fill_part(struct mime_scan *s, struct mime_part *p, const struct content *c)
{
	p->encoding = c->encoding;
	p->type = arena_str(&s->arena, c->type);
	p->subtype = arena_str(&s->arena, c->subtype);
	p->charset = p->kind == MIME_TEXT ? charset_of(s, c) : "";
	p->name = name_of(s, c);
	p->disposition = c->disposition ? arena_str(&s->arena, c->disposition) : NULL;
	s->capped |= c->cut;
}

static void put_texts(struct mime_scan *s, struct scan_part *p, const struct content *c)
{
	p->front.at = s->text.n;
	if (p->part.kind != MIME_MULTIPART)
		content_put_front(c, &s->text);
	p->front.n = s->text.n - p->front.at;
	p->back.at = s->text.n;
	content_put_back(c, p->part.kind == MIME_MULTIPART, &s->text);
	p->back.n = s->text.n - p->back.at;
}

static void put_envelope(
    struct mime_scan *s, struct scan_part *p, const struct envelope_fields *fields)
{
	p->envelope.at = s->text.n;
	s->capped |= envelope_put(&s->text, fields, s->caps.structure_octets);
	p->envelope.n = s->text.n - p->envelope.at;
}

/* Past the bound on the whole text, a part is told by type alone. */
static void write_texts(struct mime_scan *s, size_t index, const struct content *c,
    const struct envelope_fields *fields)
{
	struct scan_part *p = &s->parts[index];
	struct content bare = {.type = c->type, .subtype = c->subtype};
	static const struct envelope_fields none;
	bool enclosed = index && is_message(s, index);
	size_t before = s->text.n;

	if (index == 0)
		s->capped |= envelope_put(&s->envelope, fields, s->caps.structure_octets);
	put_texts(s, p, c);
	if (enclosed)
		put_envelope(s, p, fields);
	if (s->text.n <= s->caps.structure_octets)
		return;
	s->capped = true;
	s->text.n = before;
	put_texts(s, p, &bare);
	if (enclosed)
		put_envelope(s, p, &none);
}

static struct str_view first_of(const struct envelope_fields *fields, enum envelope_slot slot)
{
	return fields->first[slot] ? fields->first[slot]->value : (struct str_view){0};
}

/* What is kept of the message's own header besides the envelope. */
static void keep_for_people(struct mime_scan *s, const struct envelope_fields *fields)
{
	struct str_view from = first_of(fields, ENVELOPE_FROM),
			subject = first_of(fields, ENVELOPE_SUBJECT),
			date = first_of(fields, ENVELOPE_DATE),
			id = first_of(fields, ENVELOPE_MESSAGE_ID);

	s->slug = slug_make(from, subject, &s->arena);
	if (from.p)
		s->from = slug_text(from, TEXT_FOR_PEOPLE_MAX, &s->arena);
	if (subject.p)
		s->subject = slug_text(subject, TEXT_FOR_PEOPLE_MAX, &s->arena);
	if (date.p)
		date_parse(date, &s->sent_ms, &s->sent_zone_min);
	if (id.n && id.p[0] == '<') {
		const char *end = memchr(id.p, '>', id.n);

		id = str_view(id.p + 1, (end ? (size_t)(end - id.p) : id.n) - 1);
	}
	if (id.p)
		s->message_id = arena_strn(&s->arena, id.p, strnlen(id.p, id.n));
}

void scan_header_done(struct mime_scan *s)
{
	struct scan_frame *f = &s->stack[s->stack_n - 1];
	struct str_view header = str_buf_view(&s->header);
	struct envelope_fields envelope = {0};
	struct content content = {0};
	struct header_field field;
	size_t index = f->part;
	bool message = is_message(s, index);

	s->header_8bit |= mime_ascii_n(header) < header.n;
	while (header_next(&header, &field)) {
		content_collect(&content, &field, &s->scratch);
		if (message)
			envelope_collect(&envelope, &field, &s->scratch);
	}
	s->parts[index].part.kind = settle_kind(s, f, &content);
	fill_part(s, &s->parts[index].part, &content);
	write_texts(s, index, &content, &envelope);
	if (index == 0)
		keep_for_people(s, &envelope);
	arena_fini(&s->scratch);
	if (s->parts[index].part.kind == MIME_MESSAGE)
		scan_open_part(s);
}

void scan_fill_empty(struct mime_scan *s, const struct scan_frame *frame)
{
	const struct content plain = {.type = "text", .subtype = "plain"};
	struct mime_part parent = s->parts[frame->part].part;
	struct scan_part *p = new_part(s);

	p->part.parent = frame->part;
	p->part.depth = parent.depth + 1;
	p->part.kind = MIME_TEXT;
	p->part.header_at = p->part.body_at = parent.body_at;
	p->part.body_n = parent.body_n;
	p->part.lines = parent.lines;
	put_texts(s, p, &plain);
}

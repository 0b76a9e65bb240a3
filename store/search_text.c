/*
 * store/search_text.c - looking for texts in a message: its header fields, decoded; its parts of
 * type text, decoded; the headers of its parts and of messages enclosed in it, and names of files.
 *
 * Parts pass through in windows, so that memory is bounded whatever a message holds.  A window ends
 * at a line end where there is one (no character and no shift state of a charset crosses it), and
 * the end of a window is looked at once more with the next, so that nothing is missed between two.
 */
#include "store/search_priv.h"

#include "base/mem.h"
#include "mime/decode.h"

#include <stdlib.h>
#include <string.h>

#define READ_OCTETS 65536
#define WINDOW_OCTETS 1048576

size_t search_text_add(struct search_text *t, struct str_view mapped, bool with_header)
{
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 8;
		t->p = mem_realloc(t->p, t->room * sizeof *t->p);
	}
	t->p[t->n] = (struct needle){.mapped = mapped, .with_header = with_header};
	if (mapped.n > t->longest)
		t->longest = mapped.n;
	return t->n++;
}

void search_text_fini(struct search_text *t)
{
	free(t->p);
	str_buf_fini(&t->raw);
	str_buf_fini(&t->decoded);
	str_buf_fini(&t->utf8);
	str_buf_fini(&t->mapped);
	*t = (struct search_text){0};
}

/* A signature tells of all of the message, so then all of it is read. */
static bool is_done(const struct search_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->p[i].found)
			return false;
	return !t->sig;
}

static void look(struct search_text *t, bool is_header)
{
	struct str_view v = str_buf_view(&t->mapped);

	if (t->sig)
		search_sig_add(t->sig, v);
	for (size_t i = 0; i < t->n; i++) {
		struct needle *needle = &t->p[i];

		if (!needle->found && (!is_header || needle->with_header))
			needle->found =
			    memmem(v.p, v.n, needle->mapped.p, needle->mapped.n) != NULL;
	}
}

static bool wants_headers(const struct search_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->p[i].with_header && !t->p[i].found)
			return true;
	return t->sig != NULL;
}

/* RFC 9051 6.4.4: TEXT looks in headers, MIME header fields included, and BODY in none. */
static void look_in_header(struct search_text *t, struct str_view header)
{
	str_buf_clear(&t->utf8);
	str_buf_clear(&t->mapped);
	mime_header_text(header, &t->utf8);
	mime_casemap(str_buf_view(&t->utf8), &t->mapped);
	look(t, true);
}

/* The message's header, a part's, or that of a message inside the message; it was bounded when it was
 * scanned.  A file's name may be encoded in a way (RFC 2231) that is none of text. */
static int look_in_part_header(struct search_text *t, uint64_t content, const struct mime_part *part,
    struct err *e)
{
	str_buf_clear(&t->raw);
	if (search_read(t->reader, content, part->header_at, (size_t)part->header_n, &t->raw, e) < 0)
		return -1;
	look_in_header(t, str_buf_view(&t->raw));
	if (part->name) {
		str_buf_clear(&t->mapped);
		mime_casemap(str_view(part->name, strlen(part->name)), &t->mapped);
		look(t, true);
	}
	return 0;
}

/* Where the window may be cut: behind its last line end; all of it at the end of the part, or where
 * a line is as long as the window. */
static size_t window_cut(const struct str_buf *decoded, bool at_end)
{
	const char *end = at_end || !decoded->n ? NULL : memrchr(decoded->p, '\n', decoded->n);

	return end ? (size_t)(end - decoded->p) + 1 : decoded->n;
}

static void look_in_window(struct search_text *t, const struct mime_part *part, bool at_end)
{
	size_t n = window_cut(&t->decoded, at_end);
	size_t keep = t->longest > 3 ? t->longest - 1 : 2; /* a trigram may lie across, too */
	struct str_view text;

	if (t->mapped.n > keep)
		str_buf_consume(&t->mapped, t->mapped.n - keep);
	text = mime_utf8_view(part->charset ? part->charset : "",
	    str_view(str_buf_view(&t->decoded).p, n), &t->utf8);
	mime_casemap(text, &t->mapped);
	look(t, false);
	str_buf_consume(&t->decoded, n);
}

/* The next octets of a part, decoded; what needs no decoding is read where it belongs. */
static int read_decoded(struct search_text *t, uint64_t content, uint64_t at, size_t n,
    struct mime_decoder *decoder, struct err *e)
{
	if (!decoder)
		return search_read(t->reader, content, at, n, &t->decoded, e);
	str_buf_clear(&t->raw);
	if (search_read(t->reader, content, at, n, &t->raw, e) < 0)
		return -1;
	mime_decoder_feed(decoder, str_buf_view(&t->raw).p, t->raw.n, &t->decoded);
	return 0;
}

static int look_in_text(struct search_text *t, uint64_t content, const struct mime_part *part,
    struct err *e)
{
	bool encoded = part->encoding == MIME_BASE64 || part->encoding == MIME_QUOTED_PRINTABLE;
	struct mime_decoder *decoder = encoded ? mime_decoder_new(part->encoding) : NULL;
	uint64_t at = 0;
	int r = 0;

	str_buf_clear(&t->decoded);
	str_buf_clear(&t->mapped);
	while (at < part->body_n && r == 0 && !is_done(t)) {
		size_t n = part->body_n - at < READ_OCTETS ? (size_t)(part->body_n - at) : READ_OCTETS;

		r = read_decoded(t, content, part->body_at + at, n, decoder, e);
		at += n;
		if (t->decoded.n >= WINDOW_OCTETS)
			look_in_window(t, part, false);
	}
	if (decoder)
		mime_decoder_finish(&decoder, &t->decoded);
	if (r == 0 && !is_done(t))
		look_in_window(t, part, true);
	return r;
}

/* What a machine reports about mail (message/delivery-status, ...) is text, too (RFC 3464 2.1). */
static bool is_text(const struct mime_part *part)
{
	return part->kind == MIME_TEXT || (part->kind == MIME_LEAF && strcmp(part->type, "message") == 0);
}

int search_text_message(struct search_text *t, struct db *db, uint64_t content, struct err *e)
{
	struct arena arena = {0};
	struct mime_part *parts;
	size_t n;
	int r;

	for (size_t i = 0; i < t->n; i++) /* the empty text is everywhere */
		t->p[i].found = t->p[i].mapped.n == 0;
	r = search_parts(db, content, &arena, &parts, &n, e);
	for (size_t i = 0; r == 0 && i < n && !is_done(t); i++) {
		if (wants_headers(t))
			r = look_in_part_header(t, content, &parts[i], e);
		if (r == 0 && is_text(&parts[i]))
			r = look_in_text(t, content, &parts[i], e);
	}
	arena_fini(&arena);
	return r;
}

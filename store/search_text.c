/*
 * store/search_text.c - looking for texts in a message: its header fields, decoded; its parts of
 * type text, decoded; the headers of messages enclosed in it.
 *
 * Parts pass through in windows, so that memory is bounded whatever a message holds.  A window ends
 * at a line end where there is one (no character and no shift state of a charset crosses it), and
 * the end of a window is looked at once more with the next, so that nothing is missed between two.
 */
#include "store/search_priv.h"

#include "base/check.h"
#include "base/mem.h"
#include "mime/decode.h"
#include "store/message_priv.h"

#include <stdlib.h>
#include <string.h>

#define READ_OCTETS 65536
#define WINDOW_OCTETS 1048576

size_t search_text_add(struct search_text *t, struct str_view folded)
{
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 8;
		t->p = mem_realloc(t->p, t->room * sizeof *t->p);
	}
	t->p[t->n] = (struct needle){.folded = folded};
	if (folded.n > t->longest)
		t->longest = folded.n;
	return t->n++;
}

bool search_text_found(const struct search_text *t, size_t needle, bool with_header)
{
	CHECK(needle < t->n);
	return t->p[needle].in_body || (with_header && t->p[needle].in_header);
}

void search_text_fini(struct search_text *t)
{
	free(t->p);
	str_buf_fini(&t->raw);
	str_buf_fini(&t->decoded);
	str_buf_fini(&t->utf8);
	str_buf_fini(&t->folded);
	*t = (struct search_text){0};
}

static bool all_in_body(const struct search_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->p[i].in_body)
			return false;
	return true;
}

static void look(struct search_text *t, bool is_body)
{
	struct str_view v = str_buf_view(&t->folded);

	for (size_t i = 0; i < t->n; i++) {
		struct needle *needle = &t->p[i];
		bool *found = is_body ? &needle->in_body : &needle->in_header;

		if (!*found)
			*found = memmem(v.p, v.n, needle->folded.p, needle->folded.n) != NULL;
	}
}

/* The header's fields, unfolded, with their encoded words decoded. */
static void look_in_header(struct search_text *t, struct str_view header, bool is_body)
{
	str_buf_clear(&t->raw);
	str_buf_clear(&t->utf8);
	str_buf_clear(&t->folded);
	mime_header_unfold(header, &t->raw);
	mime_header_decode(str_buf_view(&t->raw), &t->utf8);
	mime_fold(str_buf_view(&t->utf8), &t->folded);
	look(t, is_body);
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
	size_t keep = t->longest ? t->longest - 1 : 0;

	if (t->folded.n > keep)
		str_buf_consume(&t->folded, t->folded.n - keep);
	str_buf_clear(&t->utf8);
	mime_to_utf8(part->charset ? part->charset : "", str_view(t->decoded.p ? t->decoded.p : "", n),
	    &t->utf8);
	mime_fold(str_buf_view(&t->utf8), &t->folded);
	look(t, true);
	str_buf_consume(&t->decoded, n);
}

static int look_in_text(struct search_text *t, struct db *db, uint64_t content,
    const struct mime_part *part, struct err *e)
{
	struct mime_decoder *decoder = mime_decoder_new(part->encoding);
	uint64_t at = 0;
	int r = 0;

	str_buf_clear(&t->decoded);
	str_buf_clear(&t->folded);
	while (at < part->body_n && r == 0 && !all_in_body(t)) {
		size_t want = part->body_n - at < READ_OCTETS ? (size_t)(part->body_n - at) : READ_OCTETS;
		size_t got;

		str_buf_clear(&t->raw);
		r = content_read_in(db, content, part->body_at + at, str_buf_room(&t->raw, want), want,
		    &got, e);
		if (r < 0 || got == 0)
			break;
		mime_decoder_feed(decoder, t->raw.p, got, &t->decoded);
		at += got;
		if (t->decoded.n >= WINDOW_OCTETS)
			look_in_window(t, part, false);
	}
	mime_decoder_finish(&decoder, &t->decoded);
	if (r == 0 && !all_in_body(t))
		look_in_window(t, part, true);
	return r;
}

/* The header of a message inside the message; it was bounded when it was scanned. */
static int look_in_enclosed(struct search_text *t, struct db *db, uint64_t content,
    const struct mime_part *part, struct err *e)
{
	struct str_buf header = {0};
	size_t n = (size_t)part->header_n, got = 0;
	int r = content_read_in(db, content, part->header_at, str_buf_room(&header, n + 1), n, &got, e);

	header.n = got;
	if (r == 0)
		look_in_header(t, str_buf_view(&header), true);
	str_buf_fini(&header);
	return r;
}

int search_text_message(struct search_text *t, struct db *db, uint64_t content,
    struct str_view header, struct err *e)
{
	struct arena arena = {0};
	struct mime_part *parts;
	size_t n;
	int r;

	for (size_t i = 0; i < t->n; i++) /* RFC 9051 6.4.4: the empty text is everywhere */
		t->p[i].in_body = t->p[i].in_header = t->p[i].folded.n == 0;
	look_in_header(t, header, false);
	r = search_parts(db, content, &arena, &parts, &n, e);
	for (size_t i = 0; r == 0 && i < n && !all_in_body(t); i++) {
		if (i > 0 && parts[parts[i].parent].kind == MIME_MESSAGE)
			r = look_in_enclosed(t, db, content, &parts[i], e);
		if (r == 0 && parts[i].kind == MIME_TEXT)
			r = look_in_text(t, db, content, &parts[i], e);
	}
	arena_fini(&arena);
	return r;
}

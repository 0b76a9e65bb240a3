/*
 * mime/parts.c - parts packed for the store, and found by their section numbers.
 *
 * The blob: a version octet, the number of parts, then each part as varints and short strings.
 * What follows from the tree (depth, ordinal, body_at) is not stored; what is read is checked
 * in full, so that no offset of a damaged blob leads out of its part.
 */
#include "mime/scan.h"
#include "mime/varint_priv.h"

#include <string.h>

enum {
	BLOB_VERSION = 1
};

/* Whether an optional string is there: in one octet with kind and encoding. */
enum {
	HAS_NAME = 64,
	HAS_DISPOSITION = 128
};

static void put_string(struct str_buf *out, const char *s)
{
	size_t n = strlen(s);

	varint_put(out, n);
	str_buf_put(out, s, n);
}

static void pack_part(const struct mime_part *p, struct str_buf *out)
{
	unsigned what = (unsigned)p->kind | (unsigned)p->encoding << 3;

	str_buf_putc(out,
	    (char)(what | (p->name ? HAS_NAME : 0) | (p->disposition ? HAS_DISPOSITION : 0)));
	varint_put(out, p->parent);
	varint_put(out, p->header_at);
	varint_put(out, p->header_n);
	varint_put(out, p->body_n);
	varint_put(out, p->lines);
	put_string(out, p->type);
	put_string(out, p->subtype);
	put_string(out, p->charset);
	if (p->name)
		put_string(out, p->name);
	if (p->disposition)
		put_string(out, p->disposition);
}

void mime_parts_pack(const struct mime_message *m, struct str_buf *out)
{
	str_buf_putc(out, BLOB_VERSION);
	varint_put(out, m->parts_n);
	for (size_t i = 0; i < m->parts_n; i++)
		pack_part(&m->parts[i], out);
}

struct reader {
	struct str_view blob;
	size_t at;
	struct arena *arena;
	bool bad;
};

static uint64_t get_number(struct reader *r, uint64_t max)
{
	uint64_t n = 0;

	if (r->bad || !varint_get(r->blob, &r->at, &n) || n > max) {
		r->bad = true;
		n = 0;
	}
	return n;
}

static unsigned get_octet(struct reader *r)
{
	if (r->bad || r->at >= r->blob.n) {
		r->bad = true;
		return 0;
	}
	return (unsigned char)r->blob.p[r->at++];
}

static const char *get_string(struct reader *r)
{
	size_t n = get_number(r, r->blob.n - r->at);

	if (r->bad || n > r->blob.n - r->at) {
		r->bad = true;
		return "";
	}
	r->at += n;
	return arena_strn(r->arena, r->blob.p + r->at - n, n);
}

static bool within(const struct mime_part *inner, const struct mime_part *outer)
{
	uint64_t end = inner->body_at + inner->body_n,
		 outer_end = outer->body_at + outer->body_n;

	/* an empty part may end behind its parent's body: its header took the delimiter's line
	 * end */
	if (inner->body_n == 0 && inner->body_at > outer_end)
		return inner->header_at >= outer->body_at && inner->body_at - outer_end <= 2;
	return inner->header_at >= outer->body_at && end <= outer_end;
}

/* A part's place in the tree, from those before it. */
static void place(struct reader *r, struct mime_part *parts, uint32_t *children, size_t i)
{
	struct mime_part *p = &parts[i], *parent = &parts[p->parent];

	p->ordinal = 1;
	if (i == 0) {
		r->bad |= p->parent != 0 || p->header_at != 0;
		return;
	}
	if (p->parent >= i ||
	    (parent->kind != MIME_MULTIPART && parent->kind != MIME_MESSAGE) ||
	    !within(p, parent)) {
		r->bad = true;
		return;
	}
	p->depth = parent->depth + 1;
	p->ordinal = ++children[p->parent];
	r->bad |= parent->kind == MIME_MESSAGE && p->ordinal != 1;
}

static void get_part(struct reader *r, struct mime_part *p, size_t parts_n)
{
	unsigned what = get_octet(r);

	p->kind = (enum mime_kind)(what & 7);
	p->encoding = (enum mime_encoding)(what >> 3 & 7);
	r->bad |= p->kind > MIME_MESSAGE || p->encoding > MIME_OTHER;
	p->parent = (uint32_t)get_number(r, parts_n - 1);
	p->header_at = get_number(r, INT64_MAX / 4);
	p->header_n = get_number(r, INT64_MAX / 4);
	p->body_at = p->header_at + p->header_n;
	p->body_n = get_number(r, INT64_MAX / 4);
	p->lines = (uint32_t)get_number(r, UINT32_MAX);
	p->type = get_string(r);
	p->subtype = get_string(r);
	p->charset = get_string(r);
	p->name = what & HAS_NAME ? get_string(r) : NULL;
	p->disposition = what & HAS_DISPOSITION ? get_string(r) : NULL;
}

int mime_parts_unpack(struct str_view blob, struct arena *arena, struct mime_part **parts_r,
    size_t *parts_n_r, struct err *e)
{
	struct reader r = {.blob = blob, .arena = arena};
	unsigned version = get_octet(&r);
	/* a part takes nine octets at least */
	size_t n = get_number(&r, blob.n / 9);

	if (r.bad || version != BLOB_VERSION || n == 0)
		return err_set(e, ERR_CORRUPT, "a message's parts can't be read");
	struct mime_part *parts = ARENA_ARRAY(arena, struct mime_part, n);
	uint32_t *children = ARENA_ARRAY(arena, uint32_t, n);

	for (size_t i = 0; i < n && !r.bad; i++) {
		get_part(&r, &parts[i], n);
		if (!r.bad)
			place(&r, parts, children, i);
	}
	for (size_t i = 0; i < n && !r.bad; i++)
		r.bad |= children[i] == 0 &&
			 (parts[i].kind == MIME_MULTIPART || parts[i].kind == MIME_MESSAGE);
	if (r.bad || r.at != blob.n)
		return err_set(e, ERR_CORRUPT, "a message's parts make no sense");
	*parts_r = parts;
	*parts_n_r = n;
	return 0;
}

/* The nth child, or 0. */
static size_t child_of(
    const struct mime_part *parts, size_t parts_n, size_t parent, uint64_t nth)
{
	for (size_t i = parent + 1; i < parts_n && parts[i].parent >= parent; i++)
		if (parts[i].parent == parent && parts[i].ordinal == nth)
			return i;
	return 0;
}

/*
 * One number further in (RFC 9051 6.4.5.1).  as_message: at is a message, whose header and text
 * are one; if it is no multipart, its text is part 1.
 */
static bool descend(
    const struct mime_part *parts, size_t parts_n, uint64_t nth, size_t *at, bool *as_message)
{
	if (!*as_message && parts[*at].kind == MIME_MESSAGE) {
		*at = child_of(parts, parts_n, *at, 1);
		*as_message = true;
	}
	if (parts[*at].kind == MIME_MULTIPART) {
		*at = child_of(parts, parts_n, *at, nth);
		*as_message = false;
		return *at != 0;
	}
	if (!*as_message || nth != 1)
		return false;
	*as_message = false;
	return true;
}

bool mime_part_find(
    const struct mime_part *parts, size_t parts_n, struct str_view number, size_t *index_r)
{
	size_t at = 0;
	bool as_message = true;

	while (number.n) {
		const char *dot = memchr(number.p, '.', number.n);
		size_t n = dot ? (size_t)(dot - number.p) : number.n;
		uint64_t nth;

		if (!str_number(str_view(number.p, n), UINT32_MAX, &nth) || nth == 0 ||
		    !descend(parts, parts_n, nth, &at, &as_message))
			return false;
		if (dot && n + 1 == number.n)
			return false;
		n += dot != NULL;
		number.p += n;
		number.n -= n;
	}
	*index_r = at;
	return true;
}

void mime_part_number(const struct mime_part *parts, size_t index, struct str_buf *out)
{
	struct str_buf path = {0}; /* uint32_t, from the part to the message */
	const uint32_t one = 1;

	for (size_t i = index; i; i = parts[i].parent) {
		/* an enclosed message's number is that of what it has for its text, if it has
		 * one */
		if (parts[parts[i].parent].kind == MIME_MULTIPART)
			str_buf_put(&path, &parts[i].ordinal, sizeof(uint32_t));
		else if (parts[i].kind != MIME_MULTIPART)
			str_buf_put(&path, &one, sizeof one);
	}
	if (index && parts[0].kind != MIME_MULTIPART)
		str_buf_put(&path, &one, sizeof one);
	for (size_t n = path.n; n; n -= sizeof(uint32_t)) {
		uint32_t ordinal;

		memcpy(&ordinal, path.p + n - sizeof ordinal, sizeof ordinal);
		if (n != path.n)
			str_buf_putc(out, '.');
		str_buf_put_number(out, ordinal);
	}
	str_buf_fini(&path);
}

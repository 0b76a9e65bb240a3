/* fs/body.c - octets as they are served, at any offset. */
#include "fs/body.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* One conversion step, and so the distance of two marks in the CRLF form. */
#define STRETCH 262144u

/* Where a conversion can go on: what was served up to here, and the converter's state. */
struct mark {
	uint64_t served;
	struct eol_out out;
};

struct body {
	uint64_t size; /* CRLF form */
	enum eol_kind to;
	struct str_buf exceptions;
	struct str_buf whole; /* of a small one, converted */
	bool has_whole;
	struct mark *marks; /* marks[i]: before octet i * STRETCH of the CRLF form */
	size_t marks_n;
	/* The stretch converted last: sequential reads find the next octets here. */
	struct str_buf last;
	size_t last_index;
	bool has_last;
};

struct body *body_new(uint64_t size_crlf, enum eol_kind to, struct str_buf *exceptions)
{
	struct body *b = mem_alloc(sizeof *b);

	b->size = size_crlf;
	b->to = to;
	if (exceptions) {
		b->exceptions = *exceptions;
		*exceptions = (struct str_buf){0};
	}
	return b;
}

void body_free(struct body **bp)
{
	struct body *b = *bp;

	if (!b)
		return;
	str_buf_fini(&b->exceptions);
	str_buf_fini(&b->whole);
	str_buf_fini(&b->last);
	free(b->marks);
	mem_free(bp);
}

/* All of n octets from the source, fewer only at its end. */
static int take(const struct body_source *s, uint64_t at, char *octets, size_t n, size_t *n_r,
    struct err *e)
{
	size_t had = 0, got;

	while (had < n) {
		if (s->read(s->arg, at + had, octets + had, n - had, &got, e) < 0)
			return -1;
		if (got == 0)
			break;
		had += got;
	}
	*n_r = had;
	return 0;
}

/* Converts one stretch from where out stands. */
static int convert(const struct body *b, const struct body_source *s, struct eol_out *out,
    uint64_t at, struct str_buf *to, struct err *e)
{
	char *raw = malloc(STRETCH);
	size_t n;
	int rc = -1;

	if (!raw)
		return err_set(e, ERR_TEMP, "no memory to convert a message");
	if (take(s, at, raw, STRETCH, &n, e) < 0)
		goto out;
	eol_out_feed(out, raw, n, to);
	if (at + n >= b->size || n < STRETCH)
		eol_out_finish(out, to);
	rc = 0;
out:
	free(raw);
	return rc;
}

static struct eol_out begin(const struct body *b)
{
	return (struct eol_out){.to = b->to, .exceptions = str_buf_view(&b->exceptions)};
}

static int fill_whole(struct body *b, const struct body_source *s, struct err *e)
{
	struct eol_out out = begin(b);
	size_t n;

	if (b->to == EOL_CRLF) {
		if (take(s, 0, str_buf_room(&b->whole, b->size), b->size, &n, e) < 0)
			return -1;
		b->whole.n = n;
	} else {
		for (uint64_t at = 0; at < b->size; at += STRETCH)
			if (convert(b, s, &out, at, &b->whole, e) < 0) {
				str_buf_clear(&b->whole);
				return -1;
			}
	}
	b->has_whole = true;
	return 0;
}

static size_t copy_out(const struct str_buf *from, uint64_t skip, char *octets, size_t n)
{
	if (skip >= from->n)
		return 0;
	if (n > from->n - skip)
		n = from->n - skip;
	memcpy(octets, from->p + skip, n);
	return n;
}

/* Stretch i into b->last; marks[i] is there.  Leaves the mark of the next one. */
static int load(struct body *b, const struct body_source *s, size_t i, struct err *e)
{
	struct eol_out out = b->marks[i].out;

	if (b->has_last && b->last_index == i)
		return 0;
	b->has_last = false;
	str_buf_clear(&b->last);
	if (convert(b, s, &out, (uint64_t)i * STRETCH, &b->last, e) < 0)
		return -1;
	b->has_last = true;
	b->last_index = i;
	if (i + 1 == b->marks_n) {
		b->marks = mem_realloc(b->marks, (i + 2) * sizeof *b->marks);
		b->marks[i + 1] = (struct mark){b->marks[i].served + b->last.n, out};
		b->marks_n = i + 2;
	}
	return 0;
}

/* The stretch that holds the served octet `at`, as far as the marks go. */
static size_t stretch_of(const struct body *b, uint64_t at)
{
	size_t low = 0, high = b->marks_n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (b->marks[mid].served <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static int read_converted(struct body *b, const struct body_source *s, uint64_t at, char *octets,
    size_t n, size_t *n_r, struct err *e)
{
	size_t had = 0, i;

	if (b->marks_n == 0) {
		b->marks = mem_alloc(sizeof *b->marks);
		b->marks[0] = (struct mark){0, begin(b)};
		b->marks_n = 1;
	}
	for (i = stretch_of(b, at); had < n && (uint64_t)i * STRETCH < b->size; i++) {
		if (load(b, s, i, e) < 0)
			return -1;
		had += copy_out(&b->last, at + had - b->marks[i].served, octets + had, n - had);
	}
	*n_r = had;
	return 0;
}

int body_read(struct body *b, const struct body_source *s, uint64_t at, char *octets, size_t n,
    size_t *n_r, struct err *e)
{
	if (b->size <= BODY_WHOLE_MAX) {
		if (!b->has_whole && fill_whole(b, s, e) < 0)
			return -1;
		*n_r = copy_out(&b->whole, at, octets, n);
		return 0;
	}
	if (b->to != EOL_CRLF)
		return read_converted(b, s, at, octets, n, n_r, e);
	if (at >= b->size)
		n = 0;
	else if (n > b->size - at)
		n = (size_t)(b->size - at);
	return take(s, at, octets, n, n_r, e);
}

/* fs/decoded.c - a part without its transfer encoding, at any offset. */
#include "fs/decoded.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Encoded octets that are decoded at once, and so the distance of two marks. */
#define STRETCH 262144u

/* Where decoding can go on: what came out up to here, and the decoder as it was then. */
struct mark {
	uint64_t out;
	struct mime_decoder *decoder;
};

struct decoded {
	struct decoded_window window;
	struct mark *marks; /* marks[i]: before encoded octet i * STRETCH */
	size_t marks_n;
	/* The stretch decoded last: sequential reads find the next octets here. */
	struct str_buf last;
	size_t last_index;
	bool has_last;
};

struct decoded *decoded_new(const struct decoded_window *window)
{
	struct decoded *d = mem_alloc(sizeof *d);

	d->window = *window;
	d->marks = mem_alloc(sizeof *d->marks);
	d->marks[0] = (struct mark){0, mime_decoder_new(window->encoding)};
	d->marks_n = 1;
	return d;
}

void decoded_free(struct decoded **dp)
{
	struct decoded *d = *dp;

	if (!d)
		return;
	for (size_t i = 0; i < d->marks_n; i++)
		mime_decoder_free(&d->marks[i].decoder);
	free(d->marks);
	str_buf_fini(&d->last);
	mem_free(dp);
}

static bool is_plain(const struct decoded *d)
{
	return d->window.encoding != MIME_BASE64 && d->window.encoding != MIME_QUOTED_PRINTABLE;
}

static int read_plain(struct decoded *d, struct body *body, const struct body_source *source,
    uint64_t at, char *octets, size_t n, size_t *n_r, struct err *e)
{
	if (at >= d->window.n)
		n = 0;
	else if (n > d->window.n - at)
		n = (size_t)(d->window.n - at);
	*n_r = 0;
	return n ? body_read(body, source, d->window.at + at, octets, n, n_r, e) : 0;
}

/* Stretch i into d->last; marks[i] is there.  Leaves the mark of the next one. */
static int load(struct decoded *d, struct body *body, const struct body_source *source, size_t i,
    struct err *e)
{
	uint64_t from = (uint64_t)i * STRETCH, left = d->window.n - from;
	size_t n = left < STRETCH ? (size_t)left : STRETCH, got = 0;
	struct mime_decoder *decoder;
	char *raw;

	if (d->has_last && d->last_index == i)
		return 0;
	d->has_last = false;
	if (!(raw = malloc(n)))
		return err_set(e, ERR_TEMP, "no memory to decode a part");
	if (body_read(body, source, d->window.at + from, raw, n, &got, e) < 0) {
		free(raw);
		return -1;
	}
	decoder = mime_decoder_copy(d->marks[i].decoder);
	str_buf_clear(&d->last);
	mime_decoder_feed(decoder, raw, got, &d->last);
	free(raw);
	if (left == n) {
		mime_decoder_finish(&decoder, &d->last);
	} else if (i + 1 == d->marks_n) {
		d->marks = mem_realloc(d->marks, (i + 2) * sizeof *d->marks);
		d->marks[i + 1] = (struct mark){d->marks[i].out + d->last.n, decoder};
		d->marks_n = i + 2;
	} else {
		mime_decoder_free(&decoder);
	}
	d->has_last = true;
	d->last_index = i;
	return 0;
}

/* The stretch that holds the decoded octet `at`, as far as the marks go. */
static size_t stretch_of(const struct decoded *d, uint64_t at)
{
	size_t low = 0, high = d->marks_n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (d->marks[mid].out <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

int decoded_read(struct decoded *d, struct body *body, const struct body_source *source, uint64_t at,
    char *octets, size_t n, size_t *n_r, struct err *e)
{
	size_t had = 0, skip, take;

	if (is_plain(d))
		return read_plain(d, body, source, at, octets, n, n_r, e);
	for (size_t i = stretch_of(d, at); had < n && (uint64_t)i * STRETCH < d->window.n; i++) {
		if (load(d, body, source, i, e) < 0)
			return -1;
		if (at + had - d->marks[i].out >= d->last.n)
			continue;
		skip = (size_t)(at + had - d->marks[i].out);
		take = d->last.n - skip < n - had ? d->last.n - skip : n - had;
		memcpy(octets + had, d->last.p + skip, take);
		had += take;
	}
	*n_r = had;
	return 0;
}

int decoded_size(struct decoded *d, struct body *body, const struct body_source *source,
    uint64_t *size_r, struct err *e)
{
	*size_r = is_plain(d) ? d->window.n : 0;
	for (size_t i = 0; !is_plain(d) && (uint64_t)i * STRETCH < d->window.n; i++) {
		if (load(d, body, source, i, e) < 0)
			return -1;
		*size_r = d->marks[i].out + d->last.n;
	}
	return 0;
}

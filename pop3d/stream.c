/*
 * pop3d/stream.c - slices are read into the output buffer itself; dots are rare, so most slices
 * are looked through once and not touched again.
 */
#include "pop3d/stream.h"

#include <string.h>

#define SLICE_OCTETS 262144
#define TOP_SLICE_OCTETS 16384 /* the body's, where only some lines of it are wanted */

/* Whether p begins a line with a dot. */
static bool is_dot(const char *start, const char *p, bool in_line)
{
	return *p == '.' && (p > start ? p[-1] == '\n' : !in_line);
}

static size_t count_dots(const char *start, const char *end, bool in_line)
{
	size_t n = 0;

	for (const char *p = start; p < end && (p = memchr(p, '.', (size_t)(end - p))); p++)
		n += is_dot(start, p, in_line);
	return n;
}

void pop3_stuff_dots(struct str_buf *out, size_t from, bool in_line)
{
	size_t n = count_dots(out->p + from, out->p + out->n, in_line);
	char *start, *src, *dst;

	if (n == 0)
		return;
	str_buf_room(out, n);
	start = out->p + from;
	src = out->p + out->n;
	dst = src + n;
	out->n += n;
	out->p[out->n] = '\0';
	/* From the back, until all dots have their twin and the rest lies where it should. */
	while (dst > src) {
		*--dst = *--src;
		if (is_dot(start, src, in_line))
			*--dst = '.';
	}
}

/* How many of n octets from the body belong to the lines still wanted. */
static size_t cut_lines(struct pop3_stream *stream, const char *octets, size_t n)
{
	const char *p = octets, *end = octets + n;

	while (stream->lines_left && p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		p = lf ? lf + 1 : end;
		stream->lines_left -= lf != NULL;
	}
	return (size_t)(p - octets);
}

int pop3_stream_begin(struct pop3_stream *stream, struct store *store, const struct maildrop_message *message,
    uint64_t lines, struct err *e)
{
	pop3_stream_fini(stream);
	stream->content = message->content;
	stream->header_n = message->header_n;
	stream->lines_left = lines;
	if (message->is_utf8 &&
	    pop3_surrogate_find(store, message->content, &stream->arena, &stream->surrogate, e) < 0)
		return -1;
	stream->end = pop3_surrogate_stored(&stream->surrogate, message->size);
	return 0;
}

/* What is told otherwise next; NULL: nothing more. */
static const struct pop3_piece *next_piece(const struct pop3_stream *stream)
{
	return stream->pieces_n < stream->surrogate.n ? &stream->surrogate.pieces[stream->pieces_n] : NULL;
}

static size_t slice_size(const struct pop3_stream *stream)
{
	const struct pop3_piece *piece = next_piece(stream);
	uint64_t left = (piece ? piece->at : stream->end) - stream->at, most = SLICE_OCTETS;

	if (stream->lines_left != UINT64_MAX)
		most = stream->at < stream->header_n ? stream->header_n - stream->at : TOP_SLICE_OCTETS;
	if (most > SLICE_OCTETS)
		most = SLICE_OCTETS;
	return (size_t)(left < most ? left : most);
}

static void finish(struct pop3_stream *stream, struct str_buf *out)
{
	if (stream->in_line)
		str_buf_puts(out, "\r\n");
	str_buf_puts(out, ".\r\n");
}

/* The next octets as they are told, got_r of them, into what out has room for. */
static int take_octets(struct pop3_stream *stream, struct store *store, struct str_buf *out, size_t *got_r,
    struct err *e)
{
	const struct pop3_piece *piece = next_piece(stream);
	size_t before = out->n, want = slice_size(stream);

	if (piece && piece->at == stream->at) {
		if (pop3_surrogate_put(store, stream->content, piece, out, e) < 0)
			return -1;
		stream->at += piece->n;
		stream->pieces_n++;
		*got_r = out->n - before;
		out->n = before;
		return 0;
	}
	if (want && content_read(store, stream->content, stream->at, str_buf_room(out, want), want, got_r, e) < 0)
		return -1;
	stream->at += *got_r;
	return 0;
}

int pop3_stream_slice(struct pop3_stream *stream, struct store *store, struct str_buf *out,
    bool *more_r, struct err *e)
{
	bool in_body = stream->at >= stream->header_n && stream->lines_left != UINT64_MAX;
	size_t from = out->n, got = 0;

	if (!(in_body && stream->lines_left == 0) && take_octets(stream, store, out, &got, e) < 0)
		return -1;
	if (in_body)
		got = cut_lines(stream, out->p + from, got);
	if (got) {
		bool in_line = stream->in_line;

		out->n += got;
		out->p[out->n] = '\0';
		stream->in_line = out->p[out->n - 1] != '\n';
		pop3_stuff_dots(out, from, in_line);
	}
	*more_r = got > 0 && stream->at < stream->end && stream->lines_left > 0;
	/* TOP of no lines still wants the whole header, in however many slices. */
	if (got > 0 && stream->at < stream->header_n && stream->at < stream->end)
		*more_r = true;
	if (!*more_r)
		finish(stream, out);
	return 0;
}

void pop3_stream_fini(struct pop3_stream *stream)
{
	arena_fini(&stream->arena);
	*stream = (struct pop3_stream){0};
}

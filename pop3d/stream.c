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

static size_t slice_size(const struct pop3_stream *stream)
{
	uint64_t left = stream->end - stream->at, most = SLICE_OCTETS;

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

int pop3_stream_slice(struct pop3_stream *stream, struct store *store, struct str_buf *out,
    bool *more_r, struct err *e)
{
	bool in_body = stream->at >= stream->header_n && stream->lines_left != UINT64_MAX;
	size_t from = out->n, want = slice_size(stream), got = 0;

	if (in_body && stream->lines_left == 0)
		want = 0;
	if (want && content_read(store, stream->content, stream->at, str_buf_room(out, want), want,
			&got, e) < 0)
		return -1;
	stream->at += got;
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

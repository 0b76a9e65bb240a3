/* imapd/fetch_binary.c - see fetch_binary.h.  What is larger than a slice is decoded twice, so that no more
 * than a slice is ever held. */
#include "imapd/fetch_binary.h"

#include <string.h>

#define SLICE_OCTETS 262144

/* The octets of the part before decoding.  Only what carries content itself is encoded (RFC 2045 6.4). */
static int find(struct fetch_binary *b, const struct message_info *m,
    const struct fetch_section *section, struct arena *arena, struct err *e)
{
	struct mime_part *parts;
	size_t parts_n, index;

	b->found = FETCH_BINARY_NONE;
	b->encoding = MIME_BINARY;
	b->span = (struct fetch_span){true, false, 0, m->size};
	if (section->number.n) {
		if (mime_parts_unpack(m->parts, arena, &parts, &parts_n, e) != 0)
			return -1;
		if (!mime_part_find(parts, parts_n, section->number, &index))
			return 0;
		if (parts[index].kind != MIME_MULTIPART)
			b->encoding = parts[index].encoding;
		b->span.at = parts[index].body_at;
		b->span.n = parts[index].body_n;
	}
	b->found = b->encoding == MIME_OTHER ? FETCH_BINARY_UNKNOWN : FETCH_BINARY_PART;
	return 0;
}

/* Decodes the next slice into plain; span.n = 0 afterwards: that was all. */
static int decode(struct fetch_binary *b, struct store *store, uint64_t content, struct err *e)
{
	size_t n = b->span.n < SLICE_OCTETS ? (size_t)b->span.n : SLICE_OCTETS, got = 0;

	str_buf_clear(&b->raw);
	str_buf_clear(&b->plain);
	b->plain_at = 0;
	str_buf_room(&b->raw, n);
	if (n && content_read(store, content, b->span.at, b->raw.p, n, &got, e) != 0)
		return -1;
	if (n && got == 0)
		return err_set(e, ERR_CORRUPT, "content %llu ends early", (unsigned long long)content);
	if (!b->decoder)
		b->decoder = mime_decoder_new(b->encoding);
	mime_decoder_feed(b->decoder, b->raw.p, got, &b->plain);
	b->span.at += got;
	b->span.n -= got;
	if (b->span.n == 0)
		mime_decoder_finish(&b->decoder, &b->plain);
	return 0;
}

static int measure(struct fetch_binary *b, struct store *store, uint64_t content, struct err *e)
{
	struct fetch_span whole = b->span;

	b->size = 0;
	b->has_nul = false;
	b->is_whole = b->span.n <= SLICE_OCTETS;
	do {
		if (decode(b, store, content, e) != 0)
			return -1;
		b->size += b->plain.n;
		b->has_nul = b->has_nul || (b->plain.n && memchr(b->plain.p, '\0', b->plain.n));
	} while (b->span.n);
	if (!b->is_whole) {
		b->span = whole;
		str_buf_clear(&b->plain);
	}
	return 0;
}

int fetch_binary_begin(struct fetch_binary *b, struct store *store, const struct message_info *m,
    const struct fetch_section *section, struct arena *arena, struct err *e)
{
	mime_decoder_finish(&b->decoder, &b->plain);
	b->left = 0;
	if (find(b, m, section, arena, e) != 0)
		return -1;
	if (b->found != FETCH_BINARY_PART)
		return 0;
	if (measure(b, store, m->content, e) != 0)
		return -1;
	b->skip = section->is_partial ? section->from : 0;
	b->skip = b->skip < b->size ? b->skip : b->size;
	b->left = b->size - b->skip;
	if (section->is_partial && b->left > section->octets_max)
		b->left = section->octets_max;
	return 0;
}

int fetch_binary_put(struct fetch_binary *b, struct store *store, uint64_t content,
    struct str_buf *out, struct err *e)
{
	size_t n = 0;

	while (n == 0) {
		n = b->plain.n - b->plain_at;
		if (n == 0) {
			if (b->span.n == 0)
				return err_set(e, ERR_CORRUPT, "content %llu changed",
				    (unsigned long long)content);
			if (decode(b, store, content, e) != 0)
				return -1;
			n = b->plain.n;
		}
		size_t over = b->skip < n ? (size_t)b->skip : n;

		b->skip -= over;
		b->plain_at += over;
		n -= over;
	}
	n = n < b->left ? n : (size_t)b->left;
	str_buf_put(out, b->plain.p + b->plain_at, n);
	b->plain_at += n;
	b->left -= n;
	return 0;
}

void fetch_binary_fini(struct fetch_binary *b)
{
	mime_decoder_finish(&b->decoder, &b->plain);
	str_buf_fini(&b->raw);
	str_buf_fini(&b->plain);
}

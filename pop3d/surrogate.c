/* pop3d/surrogate.c - headers in UTF-8, found and told in ASCII. */
#include "pop3d/surrogate.h"
#include "mime/downgrade.h"

static int read_header(struct store *store, uint64_t content, uint64_t at, size_t n, struct str_buf *header_r,
    struct err *e)
{
	size_t got = 0;

	str_buf_clear(header_r);
	if (n && content_read(store, content, at, str_buf_room(header_r, n), n, &got, e) < 0)
		return -1;
	header_r->n = got;
	return 0;
}

int pop3_surrogate_find(struct store *store, uint64_t content, struct arena *arena,
    struct pop3_surrogate *surrogate_r, struct err *e)
{
	struct str_buf header = {0}, told = {0};
	struct pop3_surrogate found = {0};
	struct mime_part *parts;
	size_t parts_n;
	int result = content_parts(store, content, arena, &parts, &parts_n, e);

	if (result == 0)
		found.pieces = ARENA_ARRAY(arena, struct pop3_piece, parts_n);
	for (size_t i = 0; result == 0 && i < parts_n; i++) {
		size_t n = (size_t)parts[i].header_n;

		result = read_header(store, content, parts[i].header_at, n, &header, e);
		if (result < 0 || !mime_header_is_utf8(str_buf_view(&header)))
			continue;
		str_buf_clear(&told);
		mime_header_downgrade(str_buf_view(&header), &told);
		found.pieces[found.n++] = (struct pop3_piece){parts[i].header_at, n, told.n};
	}
	str_buf_fini(&header);
	str_buf_fini(&told);
	if (result == 0)
		*surrogate_r = found;
	return result;
}

uint64_t pop3_surrogate_size(const struct pop3_surrogate *surrogate, uint64_t stored)
{
	for (size_t i = 0; i < surrogate->n; i++)
		stored = stored - surrogate->pieces[i].n + surrogate->pieces[i].told_n;
	return stored;
}

uint64_t pop3_surrogate_stored(const struct pop3_surrogate *surrogate, uint64_t told)
{
	for (size_t i = 0; i < surrogate->n; i++)
		told = told + surrogate->pieces[i].n - surrogate->pieces[i].told_n;
	return told;
}

int pop3_surrogate_put(struct store *store, uint64_t content, const struct pop3_piece *piece, struct str_buf *out,
    struct err *e)
{
	struct str_buf header = {0};
	int result = read_header(store, content, piece->at, piece->n, &header, e);

	if (result == 0)
		mime_header_downgrade(str_buf_view(&header), out);
	str_buf_fini(&header);
	return result;
}

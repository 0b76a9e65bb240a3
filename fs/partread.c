/* fs/partread.c - an open file under parts/: a stretch of the message, decoded, or a text made of it. */
#include "fs/partread.h"

#include "fs/handle.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct partread {
	struct partlist *list;
	const struct partfile *file;
	struct decoded *decoded;
	struct str_buf text;
	bool has_text;
};

struct partread *partread_new(struct partlist *list, const struct partfile *file)
{
	struct partread *p = mem_alloc(sizeof *p);

	p->list = list;
	p->file = file;
	return p;
}

void partread_free(struct partread **pp)
{
	struct partread *p = *pp;

	if (!p)
		return;
	decoded_free(&p->decoded);
	str_buf_fini(&p->text);
	partlist_put(&p->list);
	mem_free(pp);
}

static bool is_text(const struct partfile *f)
{
	return f->kind == PARTFILE_BODY || f->kind == PARTFILE_FIELD || f->kind == PARTFILE_TRUNCATED;
}

static int read_text(struct handle *h, const struct body_source *source, uint64_t at, char *octets,
    size_t n, size_t *n_r, struct err *e)
{
	struct partread *p = h->part;

	if (!p->has_text && partlist_text(p->list, p->file, h->body, source, &p->text, e) < 0) {
		str_buf_clear(&p->text);
		return -1;
	}
	p->has_text = true;
	*n_r = 0;
	if (at >= p->text.n)
		return 0;
	*n_r = n < p->text.n - at ? n : (size_t)(p->text.n - at);
	memcpy(octets, p->text.p + at, *n_r);
	return 0;
}

int partread_at(struct handle *h, const struct body_source *source, uint64_t at, char *octets, size_t n,
    size_t *n_r, struct err *e)
{
	struct partread *p = h->part;

	if (is_text(p->file))
		return read_text(h, source, at, octets, n, n_r, e);
	if (!p->decoded)
		p->decoded = decoded_new(&p->file->window);
	return decoded_read(p->decoded, h->body, source, at, octets, n, n_r, e);
}

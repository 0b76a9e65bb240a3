/*
 * store/append.c - taking the octets of an append: CRLF form, scan, spool.
 *
 * Runs while a peer sends, so it holds no lock and no handle.
 */
#include "store/append_priv.h"

#include "base/check.h"
#include "base/mem.h"
#include "store/mailbox_priv.h"

#include <stdlib.h>

#define SLICE_OCTETS 65536

int append_begin(struct store *store, struct append **append_r, struct err *e)
{
	struct site *site = store->mailbox->site->site;
	const struct mime_caps caps = {
		.depth = setting_get(site, SETTING_MIME_DEPTH_MAX),
		.parts = setting_get(site, SETTING_MIME_PARTS_MAX),
		.header_octets = setting_get(site, SETTING_MIME_HEADER_MAX),
		.structure_octets = setting_get(site, SETTING_MIME_STRUCTURE_MAX),
	};
	struct append *a = mem_alloc(sizeof *a);

	(void)e; /* an append costs memory only until it is large */
	a->store = store;
	a->spool.dir_fd = site_dir_fd(site);
	a->size_max = setting_get(site, SETTING_MESSAGE_SIZE_MAX);
	a->scan = mime_scan_new(&caps);
	*append_r = a;
	return 0;
}

/* What eol_in made of a slice: to the scanner and into the spool. */
static int take_fed(struct append *a, struct err *e)
{
	mime_scan_feed(a->scan, a->fed.p, a->fed.n);
	if (spool_put(&a->spool, a->fed.p, a->fed.n, e) < 0)
		return -1;
	str_buf_clear(&a->fed);
	if (a->eol.at > a->size_max)
		return err_set(e, ERR_TOOBIG, "over %llu octets", (unsigned long long)a->size_max);
	return 0;
}

int append_write(struct append *a, const void *octets, size_t n, struct err *e)
{
	const char *p = octets;

	CHECK(!a->is_finished);
	while (n > 0) {
		size_t slice = n < SLICE_OCTETS ? n : SLICE_OCTETS;

		eol_in_feed(&a->eol, p, slice, &a->fed);
		if (take_fed(a, e) < 0)
			return -1;
		p += slice;
		n -= slice;
	}
	return 0;
}

int append_write_trace(struct append *a, const void *octets, size_t n, struct err *e)
{
	a->size_max += n;
	return append_write(a, octets, n, e);
}

uint64_t append_size(const struct append *a)
{
	return a->eol.size_in;
}

int append_finish(struct append *a, struct err *e)
{
	if (a->is_finished)
		return 0;
	eol_in_finish(&a->eol, &a->fed);
	if (take_fed(a, e) < 0 || spool_end(&a->spool, e) < 0)
		return -1;
	mime_scan_finish(&a->scan, &a->arena, &a->mime);
	mime_parts_pack(&a->mime, &a->parts);
	a->is_finished = true;
	return 0;
}

void append_abort(struct append **ap)
{
	struct append *a = *ap;

	if (!a)
		return;
	if (a->scan)
		mime_scan_free(&a->scan);
	eol_in_fini(&a->eol);
	str_buf_fini(&a->fed);
	spool_fini(&a->spool);
	str_buf_fini(&a->parts);
	arena_fini(&a->arena);
	mem_free(ap);
}

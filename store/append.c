/*
 * store/append.c - taking the octets of an append: CRLF form, scan, spool.
 *
 * Runs while a peer sends, so it holds no lock and no handle.  Small messages never leave memory; the
 * spool of larger ones is a file without a name in the store folder, which a crash takes along.
 */
#include "store/append_priv.h"

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"
#include "store/mailbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_OCTETS 131072
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
	a->fd = -1;
	a->size_max = setting_get(site, SETTING_MESSAGE_SIZE_MAX);
	a->scan = mime_scan_new(&caps);
	*append_r = a;
	return 0;
}

/* A file without a name; where the file system has no O_TMPFILE, one whose name goes at once. */
static int open_spool(struct append *a, struct err *e)
{
	struct store_site *ss = a->store->mailbox->site;
	char path[MAILBOX_PATH_SIZE];
	int fd = open(ss->root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		snprintf(path, sizeof path, "%s/.spool.XXXXXX", ss->root);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "spool in %s", ss->root);
	a->fd = fd;
	return 0;
}

static int flush(struct append *a, struct err *e)
{
	if (a->fd < 0 && open_spool(a, e) < 0)
		return -1;
	if (io_write_all(a->fd, a->buffer.p, a->buffer.n) < 0)
		return err_sys(e, ERR_IO, errno, "write to the spool");
	a->in_file += a->buffer.n;
	str_buf_clear(&a->buffer);
	return 0;
}

/* What eol_in made of a slice: to the scanner and into the spool. */
static int take_fed(struct append *a, struct err *e)
{
	mime_scan_feed(a->scan, a->fed.p, a->fed.n);
	if (a->buffer.n + a->fed.n > BUFFER_OCTETS && a->buffer.n && flush(a, e) < 0)
		return -1;
	str_buf_put(&a->buffer, a->fed.p, a->fed.n);
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

uint64_t append_size(const struct append *a)
{
	return a->eol.size_in;
}

int append_finish(struct append *a, struct err *e)
{
	if (a->is_finished)
		return 0;
	eol_in_finish(&a->eol, &a->fed);
	if (take_fed(a, e) < 0 || (a->fd >= 0 && flush(a, e) < 0))
		return -1;
	mime_scan_finish(&a->scan, &a->arena, &a->mime);
	mime_parts_pack(&a->mime, &a->parts);
	a->is_finished = true;
	return 0;
}

int append_peek(struct append *a, uint64_t at, size_t n, struct str_buf *room,
    struct str_view *octets_r, struct err *e)
{
	ssize_t got;

	if (a->fd < 0) {
		CHECK(at + n <= a->buffer.n);
		*octets_r = str_view(a->buffer.p ? a->buffer.p + at : "", n);
		return 0;
	}
	str_buf_clear(room);
	got = io_pread_all(a->fd, str_buf_room(room, n), n, (off_t)at);
	if (got != (ssize_t)n)
		return err_sys(e, ERR_IO, got < 0 ? errno : EIO, "read the spool");
	*octets_r = str_view(room->p, n);
	return 0;
}

void append_abort(struct append **ap)
{
	struct append *a = *ap;

	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	if (a->scan)
		mime_scan_free(&a->scan);
	eol_in_fini(&a->eol);
	str_buf_fini(&a->fed);
	str_buf_fini(&a->buffer);
	str_buf_fini(&a->parts);
	arena_fini(&a->arena);
	mem_free(ap);
}

/* store/spool.c - small messages never leave memory; the others go to a file that has no name. */
#include "store/spool.h"

#include "base/check.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define BUFFER_OCTETS 131072

/* Where the file system has no O_TMPFILE, one whose name goes at once. */
static int open_file(struct spool *spool, struct err *e)
{
	char name[32];
	uint64_t random;
	int fd = openat(spool->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		io_random(&random, sizeof random);
		snprintf(name, sizeof name, ".spool.%016" PRIx64, random);
		fd = openat(spool->dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlinkat(spool->dir_fd, name, 0);
	}
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "a spool in the store folder");
	spool->fd = fd;
	spool->has_file = true;
	return 0;
}

static int flush(struct spool *spool, struct err *e)
{
	if (!spool->has_file && open_file(spool, e) < 0)
		return -1;
	if (io_write_all(spool->fd, spool->buffer.p, spool->buffer.n) < 0)
		return err_sys(e, ERR_IO, errno, "write to the spool");
	spool->in_file += spool->buffer.n;
	str_buf_clear(&spool->buffer);
	return 0;
}

int spool_put(struct spool *spool, const void *octets, size_t n, struct err *e)
{
	if (spool->buffer.n + n > BUFFER_OCTETS && spool->buffer.n && flush(spool, e) < 0)
		return -1;
	str_buf_put(&spool->buffer, octets, n);
	return 0;
}

int spool_end(struct spool *spool, struct err *e)
{
	return spool->has_file ? flush(spool, e) : 0;
}

int spool_peek(struct spool *spool, uint64_t at, size_t n, struct str_buf *room,
    struct str_view *octets_r, struct err *e)
{
	ssize_t got;

	CHECK(at + n <= spool_size(spool));
	if (!spool->has_file) {
		*octets_r = str_view(spool->buffer.p ? spool->buffer.p + at : "", n);
		return 0;
	}
	str_buf_clear(room);
	got = io_pread_all(spool->fd, str_buf_room(room, n), n, (off_t)at);
	if (got != (ssize_t)n)
		return err_sys(e, ERR_IO, got < 0 ? errno : EIO, "read the spool");
	*octets_r = str_view(room->p, n);
	return 0;
}

void spool_fini(struct spool *spool)
{
	if (spool->has_file)
		close(spool->fd);
	spool->has_file = false;
	str_buf_fini(&spool->buffer);
}

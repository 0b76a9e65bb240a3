/* base/io.c - whole reads and writes, durable replacement, OFD locks. */
#include "base/io.h"
#include "base/check.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The offset that means "where the descriptor stands". */
#define HERE ((off_t)-1)

static int write_all(int fd, const char *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t w = at == HERE ? write(fd, p, n) : pwrite(fd, p, n, at);

		if (w < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += w;
		n -= (size_t)w;
		if (at != HERE)
			at += w;
	}
	return 0;
}

static ssize_t read_all(int fd, char *p, size_t n, off_t at)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = at == HERE ? read(fd, p + done, n - done)
				       : pread(fd, p + done, n - done, at + (off_t)done);

		if (r == 0)
			break;
		if (r < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int io_write_all(int fd, const void *bytes, size_t n)
{
	return write_all(fd, bytes, n, HERE);
}

int io_pwrite_all(int fd, const void *bytes, size_t n, off_t at)
{
	return write_all(fd, bytes, n, at);
}

ssize_t io_pread_all(int fd, void *bytes, size_t n, off_t at)
{
	return read_all(fd, bytes, n, at);
}

ssize_t io_read_all(int fd, void *bytes, size_t n)
{
	return read_all(fd, bytes, n, HERE);
}

int io_read_file(int dir_fd, const char *name, size_t max, struct str_buf *out, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	size_t had = out->n;
	ssize_t r;

	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "open %s", name);
	do {
		r = io_read_all(fd, str_buf_room(out, 65536), 65536);
		if (r < 0) {
			int sys = errno;

			close(fd);
			return err_sys(e, ERR_IO, sys, "read %s", name);
		}
		out->n += (size_t)r;
		out->p[out->n] = '\0';
		if (out->n - had > max) {
			close(fd);
			return err_set(e, ERR_TOOBIG, "%s is over %zu bytes", name, max);
		}
	} while (r > 0);
	close(fd);
	return 0;
}

int io_replace_file(int dir_fd, const char *name, const void *bytes, size_t n, mode_t mode,
    struct err *e)
{
	char tmp[300];
	uint64_t r;
	int fd, sys;

	io_random(&r, sizeof r);
	snprintf(tmp, sizeof tmp, "%.255s.%016llx", name, (unsigned long long)r);
	fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "create %s", tmp);
	if (fchmod(fd, mode) < 0 || io_write_all(fd, bytes, n) < 0 || fsync(fd) < 0) {
		sys = errno;
		close(fd);
		unlinkat(dir_fd, tmp, 0);
		return err_sys(e, ERR_IO, sys, "write %s", tmp);
	}
	close(fd);
	if (renameat(dir_fd, tmp, dir_fd, name) < 0) {
		sys = errno;
		unlinkat(dir_fd, tmp, 0);
		return err_sys(e, ERR_IO, sys, "rename %s", name);
	}
	if (fsync(dir_fd) < 0)
		return err_sys(e, ERR_IO, errno, "fsync the folder of %s", name);
	return 0;
}

int io_open_or_make(int dir_fd, const char *name, mode_t mode)
{
	for (;;) {
		int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC);

		if (fd >= 0 || errno != ENOENT)
			return fd;
		fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0 && fchmod(fd, mode) < 0) {
			int sys = errno;

			close(fd);
			errno = sys;
			return -1;
		}
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
}

/* mkdir's mode passes through the umask. */
static int set_dir_mode(int dir_fd, const char *path, mode_t mode, struct err *e)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r = fd < 0 ? -1 : fstat(fd, &st), sys;

	if (r == 0 && (st.st_mode & 0777) != (mode & 0777))
		r = fchmod(fd, mode | (st.st_mode & S_ISGID));
	sys = errno;
	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : err_sys(e, ERR_IO, sys, "chmod %s", path);
}

static int mkdir_one(int dir_fd, const char *path, mode_t mode, struct err *e)
{
	char parent[4096];
	char *slash;
	int fd;

	if (mkdirat(dir_fd, path, mode) < 0)
		return errno == EEXIST ? 0 : err_sys(e, ERR_IO, errno, "mkdir %s", path);
	if (set_dir_mode(dir_fd, path, mode, e) < 0)
		return -1;
	snprintf(parent, sizeof parent, "%s", path);
	slash = strrchr(parent, '/');
	if (slash == parent)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	fd = openat(dir_fd, slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0) {
		int sys = errno;

		if (fd >= 0)
			close(fd);
		return err_sys(e, ERR_IO, sys, "fsync the folder of %s", path);
	}
	close(fd);
	return 0;
}

int io_mkdir_all(int dir_fd, const char *path, mode_t mode, struct err *e)
{
	char part[4096];
	size_t n = strlen(path);

	if (n >= sizeof part)
		return err_set(e, ERR_INVALID, "path too long");
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir_one(dir_fd, part, mode, e) < 0)
			return -1;
	}
	return 0;
}

ssize_t io_path_of(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX);
	if (n == PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (n >= 0)
		path[n] = '\0';
	return n;
}

static int lock_call(int fd, int cmd, short type, off_t at, off_t n, struct flock *l)
{
	int r;

	*l = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = n};
	do
		r = fcntl(fd, cmd, l);
	while (r < 0 && errno == EINTR);
	if (r < 0 && errno == EACCES)
		errno = EAGAIN;
	return r;
}

int io_lock_wait(int fd, off_t at, off_t n)
{
	struct flock l;

	return lock_call(fd, F_OFD_SETLKW, F_WRLCK, at, n, &l);
}

int io_try_lock(int fd, off_t at, off_t n)
{
	struct flock l;

	return lock_call(fd, F_OFD_SETLK, F_WRLCK, at, n, &l);
}

int io_unlock(int fd, off_t at, off_t n)
{
	struct flock l;

	return lock_call(fd, F_OFD_SETLK, F_UNLCK, at, n, &l);
}

int io_is_locked(int fd, off_t at, off_t n)
{
	struct flock l;

	if (lock_call(fd, F_OFD_GETLK, F_WRLCK, at, n, &l) < 0)
		return -1;
	return l.l_type != F_UNLCK;
}

/* SETLKW has no time-out, and a holder that is stopped would block us for ever: so try, and
 * sleep a little longer each time, with jitter so that waiters do not march in step. */
int io_lock_until(int fd, off_t at, off_t n, int64_t wait_ms)
{
	unsigned pause_us = 20;
	int64_t until;

	if (io_try_lock(fd, at, n) == 0)
		return 0;
	until = clock_mono_ms() + wait_ms;
	while (io_try_lock(fd, at, n) < 0) {
		unsigned jitter;

		if (errno != EAGAIN)
			return -1;
		if (clock_mono_ms() >= until) {
			errno = ETIMEDOUT;
			return -1;
		}
		io_random(&jitter, sizeof jitter);
		struct timespec t = {0, (long)(pause_us + jitter % pause_us) * 1000};

		nanosleep(&t, NULL);
		if (pause_us < 2000)
			pause_us += pause_us / 2;
	}
	return 0;
}

void io_random(void *bytes, size_t n)
{
	CHECK(n <= 256);
	while (getrandom(bytes, n, 0) != (ssize_t)n)
		CHECK(errno == EINTR);
}

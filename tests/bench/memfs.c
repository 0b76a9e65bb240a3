/*
 * tests/bench/memfs.c - the floor under the mount: a FUSE file system that does nothing else.
 *
 *     memfs DIR MOUNTPOINT
 *
 * Serves the files of DIR (flat) from memory, with the kernel's caches used as postern-fs uses them: long
 * time-outs, keep_cache, cache_readdir, no FLUSH for readers.  One thread: nothing is faster for one
 * reader.  Ends when it is unmounted.
 */
#define FUSE_USE_VERSION 314
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	char *name, *octets;
	size_t n;
	struct timespec mtime;
};
static struct file *files;
static size_t files_n;

#define TIMEOUT_S 3600.0
#define FIRST_INO 2u

static void fill_stat(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof *st);
	st->st_ino = ino;
	st->st_nlink = 1;
	if (ino == FUSE_ROOT_ID) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 2;
		return;
	}
	st->st_mode = S_IFREG | 0600;
	st->st_size = (off_t)files[ino - FIRST_INO].n;
	st->st_mtim = st->st_ctim = files[ino - FIRST_INO].mtime;
}

static void mem_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = {.attr_timeout = TIMEOUT_S, .entry_timeout = TIMEOUT_S};

	(void)parent;
	for (size_t i = 0; i < files_n; i++)
		if (strcmp(files[i].name, name) == 0) {
			e.ino = FIRST_INO + i;
			fill_stat(e.ino, &e.attr);
			fuse_reply_entry(req, &e);
			return;
		}
	fuse_reply_err(req, ENOENT);
}

static void mem_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	fill_stat(ino, &st);
	fuse_reply_attr(req, &st, TIMEOUT_S);
}

static void mem_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->keep_cache = fi->noflush = fi->cache_readdir = 1;
	fuse_reply_open(req, fi);
}

static void mem_read(fuse_req_t req, fuse_ino_t ino, size_t n, off_t at, struct fuse_file_info *fi)
{
	const struct file *f = &files[ino - FIRST_INO];

	(void)fi;
	if ((size_t)at >= f->n)
		n = 0;
	else if (n > f->n - (size_t)at)
		n = f->n - (size_t)at;
	fuse_reply_buf(req, f->octets + at, n);
}

static void mem_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
    struct fuse_file_info *fi)
{
	char *buf = malloc(size);
	size_t n = 0;

	(void)ino;
	(void)fi;
	for (size_t i = (size_t)at; i < files_n; i++) {
		struct fuse_entry_param e = {.ino = FIRST_INO + i, .attr_timeout = TIMEOUT_S,
		    .entry_timeout = TIMEOUT_S};
		size_t m;

		fill_stat(e.ino, &e.attr);
		m = fuse_add_direntry_plus(req, buf + n, size - n, files[i].name, &e, (off_t)i + 1);
		if (m > size - n)
			break;
		n += m;
	}
	fuse_reply_buf(req, buf, n);
	free(buf);
}

static void mem_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->want |= FUSE_CAP_READDIRPLUS;
	conn->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE);
	conn->max_background = 256;
}

static const struct fuse_lowlevel_ops ops = {
	.init = mem_init,
	.lookup = mem_lookup,
	.getattr = mem_getattr,
	.open = mem_open,
	.opendir = mem_open,
	.read = mem_read,
	.readdirplus = mem_readdirplus,
};

static void load(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d))) {
		int fd = openat(dirfd(d), entry->d_name, O_RDONLY);

		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
			struct file *f;

			files = realloc(files, (files_n + 1) * sizeof *files);
			f = &files[files_n++];
			f->name = strdup(entry->d_name);
			f->n = (size_t)st.st_size;
			f->mtime = st.st_mtim;
			f->octets = malloc(f->n + 1);
			if (read(fd, f->octets, f->n) != (ssize_t)f->n)
				exit(1);
		}
		close(fd);
	}
	if (d)
		closedir(d);
}

int main(int argc, char **argv)
{
	char *fuse_argv[] = {argv[0], (char *)"-o",
	    (char *)"fsname=memfs,default_permissions,nosuid,nodev", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, fuse_argv);
	struct fuse_session *se;
	int rc = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: memfs DIR MOUNTPOINT\n");
		return 2;
	}
	load(argv[1]);
	if (!(se = fuse_session_new(&args, &ops, sizeof ops, NULL)))
		return 1;
	if (fuse_session_mount(se, argv[2]) == 0) {
		rc = fuse_session_loop(se) == 0 ? 0 : 1;
		fuse_session_unmount(se);
	}
	fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	return rc;
}

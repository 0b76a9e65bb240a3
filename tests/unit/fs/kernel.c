/* tests/unit/fs/kernel.c - see kernel.h. */
#include "kernel.h"

#include "fs/bell.h"
#include "fs/parked.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#define REPLY_MAX 1100000u

/* ---- the file system's end of the socket ------------------------------------------------------- */

static ssize_t io_writev(int fd, struct iovec *iov, int count, void *arg)
{
	(void)arg;
	return writev(fd, iov, count);
}

/* The other end closed is an unmount. */
static ssize_t io_read(int fd, void *buf, size_t n, void *arg)
{
	ssize_t got = read(fd, buf, n);

	(void)arg;
	if (got == 0) {
		errno = ENODEV;
		return -1;
	}
	return got;
}

static const struct fuse_custom_io io = {.writev = io_writev, .read = io_read};

static void mount_it(struct kernel *k)
{
	char *argv[] = {(char *)"test", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_init_in in = {.major = 7, .minor = 36, .max_readahead = 131072, .flags = ~0u};
	struct teller_ops ops = fs_teller_ops;
	int ends[2], room = 4 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	k->fs = mem_alloc(sizeof *k->fs);
	k->fs->parked = parked_new(&k->fs->tree);
	ops.arg = k->fs;
	support_ok(tree_init(&k->fs->tree, k->site.site, &ops, &k->site.e), &k->site.e, "tree_init", __FILE__,
	    __LINE__);
	k->fs->se = fuse_session_new(&args, &fs_ops, sizeof fs_ops, k->fs);
	assert_non_null(k->fs->se);
	fuse_opt_free_args(&args);
	assert_int_equal(fuse_session_custom_io(k->fs->se, &io, ends[1]), 0);
	k->fd = ends[0];
	k->loop = loop_start(k->fs, 3);
	/* What the kernel offers beyond bit 30 is not asked for. */
	in.flags = 0x3fffffff;
	assert_int_equal(kernel_ask(k, FUSE_INIT, 0, &in, sizeof in, NULL, NULL, 0), 0);
}

static void unmount_it(struct kernel *k)
{
	bell_stop(k->fs->tree.bell);
	teller_stop(k->fs->tree.teller);
	parked_stop(k->fs->parked);
	loop_stop(k->loop);
	loop_wait(&k->loop);
	tree_stop(&k->fs->tree);
	fuse_session_destroy(k->fs->se);
	parked_free(&k->fs->parked);
	tree_fini(&k->fs->tree);
	mem_free(&k->fs);
	close(k->fd);
}

void kernel_begin(struct kernel *k)
{
	*k = (struct kernel){.pid = (uint32_t)getpid(), .reply = mem_alloc(REPLY_MAX)};
	signal(SIGTERM, SIG_IGN); /* by which the loop tells a main thread of its end */
	support_begin(&k->site);
	mount_it(k);
}

void kernel_end(struct kernel *k)
{
	unmount_it(k);
	support_end(&k->site);
	free(k->reply);
}

void kernel_remount(struct kernel *k)
{
	unmount_it(k);
	mount_it(k);
}

/* ---- requests --------------------------------------------------------------------------------------- */

uint64_t kernel_send(struct kernel *k, uint32_t opcode, uint64_t node, const void *in, size_t in_n,
    const char *name, const void *more, size_t more_n)
{
	struct fuse_in_header header = {.opcode = opcode, .unique = k->unique += 2, .nodeid = node,
	    .uid = k->uid, .gid = k->uid, .pid = k->pid};
	struct iovec iov[4] = {{&header, sizeof header}, {(void *)(uintptr_t)in, in_n},
	    {(void *)(uintptr_t)name, name ? strlen(name) + 1 : 0}, {(void *)(uintptr_t)more, more_n}};

	for (int i = 0; i < 4; i++)
		header.len += (uint32_t)iov[i].iov_len;
	assert_int_equal(writev(k->fd, iov, 4), header.len);
	return header.unique;
}

/* A notice's code stands where an answer has its error. */
static void keep_notice(struct kernel *k, int code, const char *octets, size_t n)
{
	struct kernel_notice *at;
	const struct fuse_notify_inval_entry_out *entry = (const void *)octets;

	if (k->notices_n == KERNEL_NOTICES) {
		k->notices_n--;
		memmove(k->notices, k->notices + 1, k->notices_n * sizeof *k->notices);
	}
	at = &k->notices[k->notices_n++];
	*at = (struct kernel_notice){.code = code};
	memcpy(&at->node, octets, sizeof at->node);
	if (code == FUSE_NOTIFY_INVAL_ENTRY && n >= sizeof *entry)
		snprintf(at->name, sizeof at->name, "%.*s", (int)entry->namelen, octets + sizeof *entry);
}

/* One message of the file system; the unique number it answers, 0 for a notice. */
static uint64_t receive(struct kernel *k, int *err_r)
{
	struct fuse_out_header header;
	struct iovec iov[2] = {{&header, sizeof header}, {k->reply, REPLY_MAX - 1}};
	ssize_t n = readv(k->fd, iov, 2);

	assert_true(n >= (ssize_t)sizeof header);
	assert_int_equal(n, header.len);
	k->reply_n = (size_t)n - sizeof header;
	k->reply[k->reply_n] = '\0';
	if (header.unique == 0)
		keep_notice(k, header.error, k->reply, k->reply_n);
	else
		*err_r = -header.error;
	return header.unique;
}

/* Requests are answered by several threads, so in any order. */
static bool take_answer(struct kernel *k, uint64_t unique, int *err_r)
{
	for (size_t i = 0; i < k->answers_n; i++) {
		if (k->answers[i].unique != unique)
			continue;
		*err_r = k->answers[i].err;
		k->answers[i] = k->answers[--k->answers_n];
		return true;
	}
	return false;
}

int kernel_wait(struct kernel *k, uint64_t unique)
{
	uint64_t which;
	int err = 0;

	if (take_answer(k, unique, &err))
		return err;
	while ((which = receive(k, &err)) != unique) {
		if (which == 0)
			continue;
		assert_true(k->answers_n < KERNEL_ANSWERS);
		k->answers[k->answers_n++] = (struct kernel_answer){which, err};
	}
	return err;
}

void kernel_wait_notice(struct kernel *k, int code, uint64_t node, const char *name)
{
	size_t seen = 0;
	int err;

	for (;;) {
		for (; seen < k->notices_n; seen++) {
			const struct kernel_notice *at = &k->notices[seen];

			if (at->code == code && at->node == node && (!name || strcmp(at->name, name) == 0))
				return;
		}
		assert_int_equal(receive(k, &err), 0);
		seen = k->notices_n - 1;
	}
}

int kernel_ask(struct kernel *k, uint32_t opcode, uint64_t node, const void *in, size_t in_n,
    const char *name, const void *more, size_t more_n)
{
	return kernel_wait(k, kernel_send(k, opcode, node, in, in_n, name, more, more_n));
}

/* The answer's fixed part. */
static void take(const struct kernel *k, void *out, size_t n)
{
	assert_true(k->reply_n >= n);
	memcpy(out, k->reply, n);
}

int kernel_lookup(struct kernel *k, uint64_t dir, const char *name, struct fuse_entry_out *entry_r)
{
	int err = kernel_ask(k, FUSE_LOOKUP, dir, NULL, 0, name, NULL, 0);

	if (!err)
		take(k, entry_r, sizeof *entry_r);
	return err;
}

uint64_t kernel_node(struct kernel *k, const char *path)
{
	char copy[1024], *rest = copy, *name;
	struct fuse_entry_out entry = {.nodeid = FUSE_ROOT_ID};

	snprintf(copy, sizeof copy, "%s", path);
	while ((name = strsep(&rest, "/"))) {
		int err = kernel_lookup(k, entry.nodeid, name, &entry);

		if (err)
			fail_msg("%s: %s: %s", path, name, strerror(err));
	}
	return entry.nodeid;
}

int kernel_attr(struct kernel *k, uint64_t node, struct fuse_attr *attr_r)
{
	struct fuse_getattr_in in = {0};
	struct fuse_attr_out out;
	int err = kernel_ask(k, FUSE_GETATTR, node, &in, sizeof in, NULL, NULL, 0);

	if (!err) {
		take(k, &out, sizeof out);
		*attr_r = out.attr;
	}
	return err;
}

static int open_any(struct kernel *k, uint32_t opcode, uint64_t node, int flags,
    struct fuse_open_out *open_r)
{
	struct fuse_open_in in = {.flags = (uint32_t)flags};
	int err = kernel_ask(k, opcode, node, &in, sizeof in, NULL, NULL, 0);

	if (!err)
		take(k, open_r, sizeof *open_r);
	return err;
}

int kernel_open(struct kernel *k, uint64_t node, int flags, struct fuse_open_out *open_r)
{
	return open_any(k, FUSE_OPEN, node, flags, open_r);
}

int kernel_opendir(struct kernel *k, uint64_t node, struct fuse_open_out *open_r)
{
	return open_any(k, FUSE_OPENDIR, node, O_RDONLY | O_DIRECTORY, open_r);
}

static int release(struct kernel *k, uint32_t opcode, uint64_t node, uint64_t fh)
{
	struct fuse_release_in in = {.fh = fh};

	return kernel_ask(k, opcode, node, &in, sizeof in, NULL, NULL, 0);
}

int kernel_release(struct kernel *k, uint64_t node, uint64_t fh)
{
	return release(k, FUSE_RELEASE, node, fh);
}

int kernel_releasedir(struct kernel *k, uint64_t node, uint64_t fh)
{
	return release(k, FUSE_RELEASEDIR, node, fh);
}

int kernel_create(struct kernel *k, uint64_t dir, const char *name, struct fuse_entry_out *entry_r,
    struct fuse_open_out *open_r)
{
	struct fuse_create_in in = {.flags = O_WRONLY | O_CREAT, .mode = S_IFREG | 0600};
	int err = kernel_ask(k, FUSE_CREATE, dir, &in, sizeof in, name, NULL, 0);

	if (!err) {
		take(k, entry_r, sizeof *entry_r);
		assert_int_equal(k->reply_n, sizeof *entry_r + sizeof *open_r);
		memcpy(open_r, k->reply + sizeof *entry_r, sizeof *open_r);
	}
	return err;
}

int kernel_write(struct kernel *k, uint64_t node, uint64_t fh, uint64_t at, const char *octets, size_t n)
{
	struct fuse_write_in in = {.fh = fh, .offset = at, .size = (uint32_t)n};
	struct fuse_write_out out;
	int err = kernel_ask(k, FUSE_WRITE, node, &in, sizeof in, NULL, octets, n);

	if (!err) {
		take(k, &out, sizeof out);
		assert_int_equal(out.size, n);
	}
	return err;
}

int kernel_flush(struct kernel *k, uint64_t node, uint64_t fh)
{
	struct fuse_flush_in in = {.fh = fh};

	return kernel_ask(k, FUSE_FLUSH, node, &in, sizeof in, NULL, NULL, 0);
}

int kernel_read(struct kernel *k, uint64_t node, uint64_t fh, uint64_t at, uint32_t n)
{
	struct fuse_read_in in = {.fh = fh, .offset = at, .size = n};

	return kernel_ask(k, FUSE_READ, node, &in, sizeof in, NULL, NULL, 0);
}

int kernel_rename(struct kernel *k, uint64_t dir, const char *name, uint64_t to, const char *to_name,
    uint32_t flags)
{
	struct fuse_rename2_in in = {.newdir = to, .flags = flags};

	return kernel_ask(k, FUSE_RENAME2, dir, &in, sizeof in, name, to_name, strlen(to_name) + 1);
}

int kernel_setxattr(struct kernel *k, uint64_t node, const char *name, const char *value)
{
	struct fuse_setxattr_in in = {.size = (uint32_t)strlen(value)};

	/* Without FUSE_SETXATTR_EXT the argument ends here. */
	return kernel_ask(k, FUSE_SETXATTR, node, &in, FUSE_COMPAT_SETXATTR_IN_SIZE, name, value,
	    strlen(value));
}

int kernel_getxattr(struct kernel *k, uint64_t node, const char *name)
{
	struct fuse_getxattr_in in = {.size = 65536};

	return kernel_ask(k, FUSE_GETXATTR, node, &in, sizeof in, name, NULL, 0);
}

int kernel_setattr(struct kernel *k, uint64_t node, const struct fuse_setattr_in *in)
{
	return kernel_ask(k, FUSE_SETATTR, node, in, sizeof *in, NULL, NULL, 0);
}

/* ---- whole things ------------------------------------------------------------------------------------ */

/* The entries of one answer; the cookie behind the last. */
static uint64_t take_names(const struct kernel *k, bool plus, uint64_t at, struct str_buf *names)
{
	size_t head = plus ? offsetof(struct fuse_direntplus, dirent) : 0;

	for (size_t i = 0; i < k->reply_n;) {
		const struct fuse_dirent *entry = (const void *)(k->reply + i + head);

		if (!(entry->namelen == 1 && entry->name[0] == '.') &&
		    !(entry->namelen == 2 && memcmp(entry->name, "..", 2) == 0))
			str_buf_printf(names, "%.*s\n", (int)entry->namelen, entry->name);
		at = entry->off;
		i += FUSE_REC_ALIGN(head + FUSE_NAME_OFFSET + entry->namelen);
	}
	return at;
}

int kernel_list(struct kernel *k, uint64_t node, bool plus, struct str_buf *names)
{
	struct fuse_open_out open;
	int err = kernel_opendir(k, node, &open);
	/* Little room: a directory takes several answers. */
	struct fuse_read_in in = {.size = 600};

	if (err)
		return err;
	in.fh = open.fh;
	while (!(err = kernel_ask(k, plus ? FUSE_READDIRPLUS : FUSE_READDIR, node, &in, sizeof in, NULL, NULL, 0)) &&
	    k->reply_n > 0)
		in.offset = take_names(k, plus, in.offset, names);
	kernel_releasedir(k, node, open.fh);
	return err;
}

int kernel_cat(struct kernel *k, uint64_t node, struct str_buf *octets)
{
	struct fuse_open_out open;
	int err = kernel_open(k, node, O_RDONLY, &open);

	if (err)
		return err;
	while (!(err = kernel_read(k, node, open.fh, octets->n, 4096)) && k->reply_n > 0)
		str_buf_put(octets, k->reply, k->reply_n);
	kernel_release(k, node, open.fh);
	return err;
}

int kernel_put(struct kernel *k, uint64_t dir, const char *name, const char *text)
{
	struct fuse_entry_out entry;
	struct fuse_open_out open;
	struct fuse_forget_in forget = {1};
	int err = kernel_create(k, dir, name, &entry, &open);

	if (err)
		return err;
	err = kernel_write(k, entry.nodeid, open.fh, 0, text, strlen(text));
	if (!err)
		err = kernel_flush(k, entry.nodeid, open.fh);
	kernel_release(k, entry.nodeid, open.fh);
	kernel_send(k, FUSE_FORGET, entry.nodeid, &forget, sizeof forget, NULL, NULL, 0);
	return err;
}

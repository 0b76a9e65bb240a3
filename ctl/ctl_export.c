/*
 * ctl/ctl_export.c - postern export NAME PATH [--folder FOLDER] [--format maildir|mbox].  Messages go
 * out byte for byte as they came in, line ends included.
 */
#include "base/io.h"
#include "base/mem.h"
#include "ctl/export.h"
#include "ctl/mailbox.h"
#include "store/flags.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_N 500

static const char *folder_option, *format_option;
static bool quiet;

/* --- where to ------------------------------------------------------------------------------ */

/* An export never mixes with what is there: the folder is made, or empty. */
static int target_open(const char *path, int *fd_r, struct err *e)
{
	const struct dirent *one;
	bool empty = true;
	DIR *d;

	if (io_mkdir_all(AT_FDCWD, path, 0770, e) < 0)
		return -1;
	d = opendir(path);
	if (!d)
		return err_sys(e, ERR_IO, errno, "%s", path);
	while (empty && (one = readdir(d)))
		empty = strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0;
	if (empty)
		*fd_r = fcntl(dirfd(d), F_DUPFD_CLOEXEC, 3);
	closedir(d);
	if (!empty)
		return err_set(e, ERR_EXISTS, "%s is not empty: name a new folder", path);
	return 0;
}

static const char *const maildir_parts[] = {"cur", "new", "tmp"};

/* What export_path makes of such components: %2E..., %63ur, %6Eew, %74mp, and those with their % encoded,
 * however often. */
static bool is_encoded(struct str_view c)
{
	if (c.n < 3 || *c.p != '%')
		return false;
	c = str_view(c.p + 1, c.n - 1);
	while (c.n >= 2 && memcmp(c.p, "25", 2) == 0)
		c = str_view(c.p + 2, c.n - 2);
	for (size_t i = 0; i < 3; i++) {
		char part[8];

		snprintf(part, sizeof part, "%02X%s", (unsigned char)*maildir_parts[i], maildir_parts[i] + 1);
		if (c.n == 4 && memcmp(c.p, part, 4) == 0)
			return true;
	}
	return c.n >= 2 && memcmp(c.p, "2E", 2) == 0;
}

/*
 * A folder's name as a path.  Components that mean something else in a file system or in a Maildir, or look
 * as if they were encoded already, get their first octet percent-encoded, as the mount does it.
 */
void export_path(const char *folder, struct str_buf *out)
{
	for (const char *p = folder; *p;) {
		size_t n = strcspn(p, "/");
		bool encode = *p == '.' || is_encoded(str_view(p, n));

		for (size_t i = 0; i < 3; i++)
			encode |= n == 3 && memcmp(p, maildir_parts[i], 3) == 0;
		str_buf_puts(out, out->n ? "/" : "");
		if (encode)
			str_buf_printf(out, "%%%02X", (unsigned char)*p);
		str_buf_put(out, p + encode, n - encode);
		p += n + (p[n] == '/');
	}
}

void export_component_read(const char *name, struct str_buf *out)
{
	size_t n = strlen(name);
	char hex[3] = "";

	if (!is_encoded(str_view(name, n))) {
		str_buf_put(out, name, n);
		return;
	}
	memcpy(hex, name + 1, 2);
	str_buf_putc(out, (char)strtol(hex, NULL, 16));
	str_buf_put(out, name + 3, n - 3);
}

/* --- one message --------------------------------------------------------------------------- */

/* Streams a message as it came in; quote: as an mbox quotes it. */
static int message_write(struct export *x, const struct message_info *m, int fd, bool quote,
    struct err *e)
{
	struct eol_out eol = {.to = m->lineends};
	struct mbox_quote q = {0};
	uint64_t at = 0, written = 0;
	size_t n = 1;
	int r = 0;

	str_buf_clear(&x->exceptions);
	if (m->lineends == EOL_MIXED && content_exceptions(x->store, m->content, &x->exceptions, e) < 0)
		return -1;
	eol.exceptions = str_buf_view(&x->exceptions);
	while (r == 0 && n > 0) {
		r = content_read(x->store, m->content, at, x->slice, EXPORT_SLICE, &n, e);
		if (r < 0)
			break;
		str_buf_clear(&x->out);
		eol_out_feed(&eol, x->slice, n, &x->out);
		if (n == 0)
			eol_out_finish(&eol, &x->out);
		at += n;
		written += x->out.n;
		if (quote) {
			str_buf_clear(&x->quoted);
			mbox_quote_feed(&q, x->out.p, x->out.n, &x->quoted);
			if (n == 0)
				mbox_quote_finish(&q, &x->quoted);
		}
		if (io_write_all(fd, quote ? x->quoted.p : x->out.p, quote ? x->quoted.n : x->out.n) < 0)
			r = err_sys(e, ERR_IO, errno, "writing");
	}
	str_buf_fini(&q.held);
	if (r == 0 && written != m->size_in)
		r = err_set(e, ERR_CORRUPT, "UID %" PRIu32 " gave %" PRIu64 " octets, not %" PRIu64,
		    m->uid.n, written, m->size_in);
	x->octets += written;
	return r;
}

static struct timespec time_of(int64_t ms)
{
	int64_t s = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;

	return (struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)(ms - s * 1000) * 1000000};
}

/* A file of cur/: named by its date, its UID and its folder's UIDVALIDITY, so unique. */
static int maildir_message(struct export *x, const struct message_info *m, struct err *e)
{
	struct timespec times[2];
	struct str_buf name = {0};
	bool forwarded = x->forwarded_bit >= 0 && (m->keywords >> x->forwarded_bit & 1);
	int fd, r;

	str_buf_printf(&name, "%s/cur/%" PRId64 ".V%" PRIu32 "U%" PRIu32 ".postern",
	    x->path.p, m->idate_ms > 0 ? m->idate_ms / 1000 : 0, x->uidvalidity, m->uid.n);
	mail_maildir_info(m->flags, forwarded, &name);
	fd = openat(x->dir_fd, name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	if (fd < 0) {
		r = err_sys(e, ERR_IO, errno, "%s", name.p);
		str_buf_fini(&name);
		return r;
	}
	r = message_write(x, m, fd, false, e);
	times[0] = times[1] = time_of(m->idate_ms);
	if (r == 0 && futimens(fd, times) < 0)
		r = err_sys(e, ERR_IO, errno, "%s", name.p);
	if (close(fd) < 0 && r == 0)
		r = err_sys(e, ERR_IO, errno, "%s", name.p);
	str_buf_fini(&name);
	return r;
}

static int mbox_message(struct export *x, const struct message_info *m, struct err *e)
{
	str_buf_clear(&x->out);
	mbox_from_line(m->idate_ms, &x->out);
	if (io_write_all(x->mbox_fd, x->out.p, x->out.n) < 0)
		return err_sys(e, ERR_IO, errno, "writing");
	return message_write(x, m, x->mbox_fd, true, e);
}

/* --- one folder ---------------------------------------------------------------------------- */

static int maildir_begin(struct export *x, struct err *e)
{
	static const char *const parts[] = {"cur", "new", "tmp"};

	for (size_t i = 0; i < 3; i++) {
		char *path = NULL;
		int r;

		if (asprintf(&path, "%s/%s", x->path.p, parts[i]) < 0)
			return err_set(e, ERR_BUG, "out of memory");
		r = io_mkdir_all(x->dir_fd, path, 0770, e);
		free(path);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* A/B is A/B.mbox: a file beside the folder A that holds A's own subfolders. */
static int mbox_begin(struct export *x, struct err *e)
{
	char *slash = strrchr(x->path.p, '/');

	if (slash) {
		*slash = '\0';
		if (io_mkdir_all(x->dir_fd, x->path.p, 0770, e) < 0)
			return -1;
		*slash = '/';
	}
	str_buf_puts(&x->path, ".mbox");
	x->mbox_fd = openat(x->dir_fd, x->path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	if (x->mbox_fd < 0)
		return err_sys(e, ERR_IO, errno, "%s", x->path.p);
	return 0;
}

static const struct export_format {
	const char *name;
	int (*begin)(struct export *x, struct err *e);
	int (*message)(struct export *x, const struct message_info *m, struct err *e);
} formats[] = {
    {"maildir", maildir_begin, maildir_message},
    {"mbox", mbox_begin, mbox_message},
};

static int folder_write(struct export *x, const struct export_format *format,
    const struct folder_info *folder, struct err *e)
{
	struct uid_range rest = {1, UINT32_MAX};
	struct arena arena = {0};
	struct message_info *list;
	size_t n = 1;
	int r;

	str_buf_clear(&x->path);
	export_path(folder->name, &x->path);
	x->uidvalidity = folder->uidvalidity;
	r = format->begin(x, e);
	while (r == 0 && n > 0) {
		r = message_list(x->store, folder->id, &rest, 1, MESSAGE_BASIC, LIST_N, &arena, &list,
		    &n, e);
		for (size_t i = 0; r == 0 && i < n; i++, x->messages++)
			r = format->message(x, &list[i], e);
		if (r == 0 && n > 0) {
			if (list[n - 1].uid.n == UINT32_MAX)
				break;
			rest.from = list[n - 1].uid.n + 1;
		}
		arena_fini(&arena);
	}
	arena_fini(&arena);
	if (x->mbox_fd >= 0)
		close(x->mbox_fd);
	x->mbox_fd = -1;
	return r == 0 ? 0 : err_context(e, "folder %s", folder->name);
}

/* --- all ----------------------------------------------------------------------------------- */

static int forwarded_bit(struct store *store, struct arena *arena, struct err *e)
{
	const char *names[63];

	if (flags_keywords(store, arena, names, e) < 0)
		return -1;
	for (int bit = 0; bit < 63; bit++)
		if (names[bit] && strcasecmp(names[bit], "$Forwarded") == 0)
			return bit;
	return -1;
}

static int export_all(struct export *x, const struct export_format *format, struct err *e)
{
	struct arena arena = {0};
	struct folder_info *list, one;
	size_t n = 1;
	int r;

	x->forwarded_bit = forwarded_bit(x->store, &arena, e);
	if (folder_option) {
		list = &one;
		r = folder_by_name(x->store, folder_option, &arena, &one, e);
	} else {
		r = folder_list(x->store, &arena, &list, &n, e);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = folder_write(x, format, &list[i], e);
	if (r == 0 && syncfs(x->dir_fd) < 0)
		r = err_sys(e, ERR_IO, errno, "writing");
	arena_fini(&arena);
	return r;
}

static void export_fini(struct export *x)
{
	str_buf_fini(&x->out);
	str_buf_fini(&x->quoted);
	str_buf_fini(&x->exceptions);
	str_buf_fini(&x->path);
	mem_free(&x->slice);
	if (x->dir_fd >= 0)
		close(x->dir_fd);
}

static int export_run(struct ctl *ctl, char **operands, int n)
{
	struct export x = {.dir_fd = -1, .mbox_fd = -1};
	const struct export_format *format = NULL;
	struct mailbox m;
	struct err e;
	int code;

	(void)n;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (strcmp(format_option ? format_option : "maildir", formats[i].name) == 0)
			format = &formats[i];
	if (!format)
		return ctl_usage(ctl, "there is no format `%s`; there are maildir and mbox",
		    format_option);
	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	x.store = m.store;
	x.slice = mem_alloc(EXPORT_SLICE);
	code = target_open(operands[1], &x.dir_fd, &e) == 0 && export_all(&x, format, &e) == 0
		   ? CTL_OK
		   : ctl_fail_err(&e);
	if (!quiet && (code == CTL_OK || x.messages > 0))
		ctl_say("%" PRIu64 " messages exported, %.1f MB", x.messages, (double)x.octets / 1e6);
	export_fini(&x);
	ctl_mailbox_close(&m);
	return code;
}

static const struct verb_option options[] = {
    {0, "folder", "FOLDER", &folder_option, "this folder only"},
    {0, "format", "FORMAT", &format_option, "maildir (the default) or mbox"},
    {'q', "quiet", NULL, &quiet, "no summary"},
    {0},
};

const struct verb ctl_verb_export = {
    .name = "export",
    .summary = "write a mailbox out as Maildirs or mbox files",
    .help = "  postern export alice /backup/alice\n"
	    "  postern import alice2 --folder / --recursive-folders /backup/alice\n\n"
	    "PATH must be missing or empty. Messages are written byte for byte as they came in. Maildirs\n"
	    "keep flags and dates; mbox files keep dates, and gain what the form needs (`>From `, a line\n"
	    "end at the end of a message).",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "NAME PATH", 2, 2, options, export_run, NULL},
	    {0},
	},
};

/*
 * Real mail (POSTERN_CORPUS, a folder; skipped where there is none): every invariant in any slices, and
 * the same parts as libetpan sees, where libetpan is to be trusted.
 */
#include "check_message.h"

#include "mime/eol.h"

#include <libetpan/libetpan.h>

#include <setjmp.h>
#include <stdarg.h>

#include <ftw.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *corpus;
static size_t messages_n, compared_n, parts_n;

/* libetpan ends a header at the first line that is no field ("From " of mbox), and calls what follows
 * body; we go on to the blank line.  So messages with such lines are not compared. */
static bool has_plain_header(const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end && *p != '\r') {
		const char *colon = p;

		while (colon < end && *colon > 32 && *colon < 127 && *colon != ':')
			colon++;
		if (colon == p || colon == end || *colon != ':')
			return false;
		do {
			p = memchr(p, '\n', (size_t)(end - p));
			p = p ? p + 1 : end;
		} while (p < end && (*p == ' ' || *p == '\t'));
	}
	return true;
}

static bool has_plain_headers(const struct mime_message *m, const char *octets)
{
	for (size_t i = 0; i < m->parts_n; i++)
		if (!has_plain_header(octets + m->parts[i].header_at, m->parts[i].header_n))
			return false;
	return true;
}

/* Messages that libetpan takes apart wrongly, by the end of their path. */
static const struct {
	const char *path, *why;
} differs[] = {
	{"/mime_emails/raw_email4.eml", "the outer end is \"--b-\": libetpan then sees no part at all"},
	{"/rfc2822/example10.eml", "comments everywhere (RFC 2822 A.5): libetpan ends the header early"},
};

static bool is_listed(const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < sizeof differs / sizeof differs[0]; i++) {
		size_t m = strlen(differs[i].path);

		if (m <= n && strcmp(path + n - m, differs[i].path) == 0)
			return true;
	}
	return false;
}

static void read_whole(const char *path, size_t n, struct str_buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, str_buf_room(out, n), n) != (ssize_t)n)
		fail_msg("%s can't be read", path);
	out->n = n;
	close(fd);
}

static void check_file(const char *path, struct str_view raw)
{
	struct eol_in in = {0};
	struct str_buf crlf = {0};
	struct arena arena = {0};
	struct mime_message m, sliced;
	const char *why;

	eol_in_feed(&in, raw.p, raw.n, &crlf);
	eol_in_finish(&in, &crlf);
	scan_octets(str_buf_view(&crlf), 0, &mime_caps_default, &arena, &m);
	why = check_message(&m);
	for (size_t slice_n = 1; slice_n < 100 && !why; slice_n = slice_n * 2 + 1) {
		scan_octets(str_buf_view(&crlf), slice_n, &mime_caps_default, &arena, &sliced);
		why = check_same(&m, &sliced);
	}
	if (!why)
		why = check_eol(raw, (unsigned)raw.n);
	if (!why)
		why = check_decoders(raw);
	if (!why && m.capped)
		why = "a cap was met";
	if (why)
		fail_msg("%s: %s", path, why);
	messages_n++;
	arena_fini(&arena);
	eol_in_fini(&in);
	str_buf_fini(&crlf);
}

static int visit_check(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct str_buf raw = {0};

	(void)ftw;
	if (type == FTW_F) {
		read_whole(path, (size_t)st->st_size, &raw);
		check_file(path, str_buf_view(&raw));
		str_buf_fini(&raw);
	}
	return 0;
}

static void every_message_is_told_well_in_any_slices(void **state)
{
	(void)state;
	assert_int_equal(nftw(corpus, visit_check, 16, FTW_PHYS), 0);
	print_message("%zu messages\n", messages_n);
	assert_true(messages_n > 0);
}

/* What libetpan calls the type of a part. */
static const char *etpan_type(const struct mailmime *mime, const char **subtype)
{
	static const char *const discrete[] = {
		[MAILMIME_DISCRETE_TYPE_TEXT] = "text", [MAILMIME_DISCRETE_TYPE_IMAGE] = "image",
		[MAILMIME_DISCRETE_TYPE_AUDIO] = "audio", [MAILMIME_DISCRETE_TYPE_VIDEO] = "video",
		[MAILMIME_DISCRETE_TYPE_APPLICATION] = "application"};
	const struct mailmime_content *type = mime->mm_content_type;

	*subtype = type ? type->ct_subtype : "plain";
	if (!type)
		return "text";
	if (type->ct_type->tp_type == MAILMIME_TYPE_COMPOSITE_TYPE)
		return type->ct_type->tp_data.tp_composite_type->ct_type ==
			       MAILMIME_COMPOSITE_TYPE_MULTIPART
			   ? "multipart"
			   : "message";
	int kind = type->ct_type->tp_data.tp_discrete_type->dt_type;

	return kind == MAILMIME_DISCRETE_TYPE_EXTENSION
		   ? type->ct_type->tp_data.tp_discrete_type->dt_extension
		   : discrete[kind];
}

/* One part against its counterpart; *index is the next one of ours. */
static const char *compare(const struct mailmime *mime, const struct mime_message *m,
    const char *octets, size_t *index)
{
	const char *subtype, *type = etpan_type(mime, &subtype), *why = NULL;

	if (*index >= m->parts_n)
		return "libetpan sees more parts";
	const struct mime_part *p = &m->parts[(*index)++];

	if (strcasecmp(p->type, type) != 0 || strcasecmp(p->subtype, subtype) != 0)
		return "another type";
	parts_n++;
	if (mime->mm_type == MAILMIME_SINGLE) {
		const struct mailmime_data *data = mime->mm_data.mm_single;

		/* where nothing is, libetpan points before the delimiter, we behind the header */
		if (data && data->dt_type == MAILMIME_DATA_TEXT &&
		    (p->body_n || data->dt_data.dt_text.dt_length) &&
		    ((size_t)(data->dt_data.dt_text.dt_data - octets) != p->body_at ||
			data->dt_data.dt_text.dt_length != p->body_n))
			return "another place";
		return NULL;
	}
	if (mime->mm_type == MAILMIME_MESSAGE) {
		/* the enclosed message's own node is MAILMIME_MESSAGE within; its text is the part */
		return mime->mm_data.mm_message.mm_msg_mime
			   ? compare(mime->mm_data.mm_message.mm_msg_mime, m, octets, index)
			   : NULL;
	}
	const clist *list = mime->mm_data.mm_multipart.mm_mp_list;

	if (clist_count(list) == 0) {
		(*index)++; /* IMAP has no word for a multipart of none: ours has one part (doc/DEPARTURES.md) */
		return NULL;
	}
	for (clistiter *it = clist_begin(list); it && !why; it = clist_next(it))
		why = compare(clist_content(it), m, octets, index);
	return why;
}

static void compare_file(const char *path, struct str_view crlf)
{
	struct arena arena = {0};
	struct mime_message m;
	struct mailmime *mime = NULL;
	size_t at = 0, index = 0;
	const char *why;

	scan_octets(crlf, 0, &mime_caps_default, &arena, &m);
	if (is_listed(path) || !has_plain_headers(&m, crlf.p)) {
		arena_fini(&arena);
		return;
	}
	if (mailmime_parse(crlf.p, crlf.n, &at, &mime) != MAILIMF_NO_ERROR)
		fail_msg("%s: libetpan refuses it", path);
	/* the outermost node is the message; its text is our part 0 */
	why = compare(mime->mm_data.mm_message.mm_msg_mime, &m, crlf.p, &index);
	if (!why && index != m.parts_n)
		why = "libetpan sees fewer parts";
	mailmime_free(mime);
	if (why)
		fail_msg("%s: %s (ours %zu of %zu: %.*s)", path, why, index, m.parts_n,
		    (int)m.bodystructure.n, m.bodystructure.p);
	compared_n++;
	arena_fini(&arena);
}

static int visit_compare(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct str_buf raw = {0}, crlf = {0};
	struct eol_in in = {0};

	(void)ftw;
	if (type == FTW_F) {
		read_whole(path, (size_t)st->st_size, &raw);
		eol_in_feed(&in, raw.p, raw.n, &crlf);
		eol_in_finish(&in, &crlf);
		compare_file(path, str_buf_view(&crlf));
		eol_in_fini(&in);
		str_buf_fini(&raw);
		str_buf_fini(&crlf);
	}
	return 0;
}

static void libetpan_sees_the_same_parts(void **state)
{
	(void)state;
	assert_int_equal(nftw(corpus, visit_compare, 16, FTW_PHYS), 0);
	print_message("%zu of %zu messages, %zu parts compared\n", compared_n, messages_n, parts_n);
	assert_true(compared_n > messages_n / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_told_well_in_any_slices),
		cmocka_unit_test(libetpan_sees_the_same_parts),
	};

	corpus = getenv("POSTERN_CORPUS");
	if (!corpus)
		corpus = DEFAULT_CORPUS;
	if (access(corpus, R_OK) != 0) {
		fprintf(stderr, "SKIP: no folder of real mail at %s (POSTERN_CORPUS)\n", corpus);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/fs/test_partlist.c - the files of a message's directory, and parts decoded at any offset. */
#include "fs/partlist.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int source_read(void *arg, uint64_t at, void *octets, size_t n, size_t *n_r, struct err *e)
{
	const struct str_buf *text = arg;

	(void)e;
	if (at >= text->n)
		n = 0;
	else if (n > text->n - at)
		n = text->n - (size_t)at;
	memcpy(octets, text->p + at, n);
	*n_r = n;
	return 0;
}

static struct partlist_caps caps = {.files = 100, .octets = 1 << 30, .text = 1 << 20, .mime_parts = 1000, .mime_depth = 100};

/* text: CRLF form; serve: as it is to be served. */
static struct partlist *list_of(struct str_buf *text, enum eol_kind serve)
{
	struct mime_scan *scan = mime_scan_new(&mime_caps_default);
	struct body_source source = {source_read, text};
	struct mime_message message;
	struct arena arena = {0};
	struct partlist *list;
	struct err e;

	mime_scan_feed(scan, text->p, text->n);
	mime_scan_finish(&scan, &arena, &message);
	struct partlist_message m = {.size_crlf = message.size, .header_n = message.header_n, .serve = serve,
	    .parts = message.parts, .parts_n = message.parts_n};
	assert_int_equal(partlist_make(&m, &caps, &source, &list, &e), 0);
	arena_fini(&arena);
	return list;
}

static const char two_parts[] = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\nfirst\r\nline\r\n--b\r\nContent-Type: text/x; name=\"../a b.txt\"\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nSGFs\r\nbG8=\r\n--b--\r\n";

static void parts_have_safe_names_and_are_found_by_number(void **state)
{
	struct str_buf text = {0};
	struct partlist *list;

	(void)state;
	str_buf_puts(&text, two_parts);
	list = list_of(&text, EOL_LF);
	assert_string_equal(partlist_find(list, "2")->name, "2-a_b.txt");
	assert_ptr_equal(partlist_find(list, "2"), partlist_find(list, "2-a_b.txt"));
	assert_string_equal(partlist_find(list, "1")->name, "1");
	assert_null(partlist_find(list, "3"));
	assert_null(partlist_find(list, "2-"));
	assert_null(partlist_find(list, "truncated"));
	for (size_t i = 0; i < list->n; i++)
		assert_ptr_equal(partlist_file(list, list->files[i].number), &list->files[i]);
	partlist_put(&list);
	str_buf_fini(&text);
}

static void sizes_are_those_of_what_is_served(void **state)
{
	struct str_buf text = {0};
	struct partlist *list;

	(void)state;
	str_buf_puts(&text, two_parts);
	list = list_of(&text, EOL_LF);
	assert_int_equal(partlist_find(list, "1")->size, strlen("first\nline"));
	assert_int_equal(partlist_find(list, "2")->size, strlen("Hallo"));
	assert_int_equal(partlist_find(list, "subject")->size, strlen("x\n"));
	assert_int_equal(partlist_find(list, "cc")->size, 0);
	partlist_put(&list);
	list = list_of(&text, EOL_CRLF);
	assert_int_equal(partlist_find(list, "1")->size, strlen("first\r\nline"));
	assert_int_equal(partlist_find(list, "raw")->size, strlen(two_parts));
	partlist_put(&list);
	str_buf_fini(&text);
}

static void what_is_left_out_is_told(void **state)
{
	struct partlist_caps before = caps;
	struct str_buf text = {0};
	struct partlist *list;

	(void)state;
	str_buf_puts(&text, two_parts);
	caps.files = 1;
	list = list_of(&text, EOL_LF);
	assert_null(partlist_find(list, "2"));
	assert_non_null(partlist_find(list, "truncated"));
	assert_non_null(strstr(list->truncated, "PartFilesMax"));
	partlist_put(&list);
	caps = before;
	caps.octets = 12;
	list = list_of(&text, EOL_LF);
	assert_non_null(partlist_find(list, "1"));
	assert_null(partlist_find(list, "2"));
	assert_non_null(strstr(list->truncated, "PartOctetsMax"));
	partlist_put(&list);
	caps = before;
	caps.text = 4;
	list = list_of(&text, EOL_LF);
	assert_int_equal(partlist_find(list, "body.txt")->size, 4);
	assert_non_null(strstr(list->truncated, "PartTextMax"));
	partlist_put(&list);
	caps = before;
	str_buf_fini(&text);
}

static unsigned seed = 1;
static unsigned next_random(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

/* Encoded octets beyond several stretches, read in pieces from anywhere, are those of one decoding. */
static void check_anywhere(enum mime_encoding encoding, const char *alphabet)
{
	struct str_buf text = {0}, whole = {0}, got = {0};
	struct body_source source = {source_read, &text};
	struct decoded_window window = {.encoding = encoding};
	struct mime_decoder *decoder = mime_decoder_new(encoding);
	struct decoded *d;
	struct body *body;
	uint64_t size;
	struct err e;
	size_t n;

	while (text.n < 1500000) {
		for (unsigned i = next_random(76); i > 0; i--)
			str_buf_putc(&text, alphabet[next_random((unsigned)strlen(alphabet))]);
		str_buf_puts(&text, "\r\n");
	}
	window.n = text.n;
	mime_decoder_feed(decoder, text.p, text.n, &whole);
	mime_decoder_finish(&decoder, &whole);
	body = body_new(text.n, EOL_CRLF, NULL);
	d = decoded_new(&window);
	for (int i = 0; i < 200; i++) {
		uint64_t at = next_random((unsigned)whole.n + 10);
		size_t want = next_random(200000);

		str_buf_clear(&got);
		assert_int_equal(decoded_read(d, body, &source, at, str_buf_room(&got, want + 1), want, &n, &e), 0);
		assert_int_equal(n, at >= whole.n ? 0 : whole.n - at < want ? whole.n - at : want);
		assert_memory_equal(got.p, whole.p + (at < whole.n ? at : 0), n);
	}
	assert_int_equal(decoded_size(d, body, &source, &size, &e), 0);
	assert_int_equal(size, whole.n);
	decoded_free(&d);
	body_free(&body);
	str_buf_fini(&text);
	str_buf_fini(&whole);
	str_buf_fini(&got);
}

static void base64_is_read_from_anywhere(void **state)
{
	(void)state;
	check_anywhere(MIME_BASE64, "ABCDwxyz0189+/");
}

static void quoted_printable_is_read_from_anywhere(void **state)
{
	(void)state;
	check_anywhere(MIME_QUOTED_PRINTABLE, "abc =4F=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_have_safe_names_and_are_found_by_number),
	    cmocka_unit_test(sizes_are_those_of_what_is_served),
	    cmocka_unit_test(what_is_left_out_is_told),
	    cmocka_unit_test(base64_is_read_from_anywhere),
	    cmocka_unit_test(quoted_printable_is_read_from_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

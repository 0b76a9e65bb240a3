/* tests/unit/fs/test_body.c - octets as they are served, at any offset, in any order. */
#include "fs/body.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake {
	struct str_buf octets; /* CRLF form */
	unsigned reads;
};

/* Short reads now and then, as a source may. */
static int fake_read(void *arg, uint64_t at, void *octets, size_t n, size_t *n_r, struct err *e)
{
	struct fake *f = arg;

	(void)e;
	if (at >= f->octets.n)
		n = 0;
	else if (n > f->octets.n - at)
		n = f->octets.n - (size_t)at;
	if (f->reads++ % 3 == 1 && n > 1)
		n /= 2;
	memcpy(octets, f->octets.p + at, n);
	*n_r = n;
	return 0;
}

static unsigned seed = 1;
static unsigned next_random(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

/* About size octets as they came in: lines with LF, CRLF, or now this, now that. */
static void make(size_t size, enum eol_kind kind, struct str_buf *out)
{
	while (out->n < size) {
		unsigned n = next_random(90);

		for (unsigned i = 0; i < n; i++)
			str_buf_putc(out, (char)("abc\r\xe9"[next_random(5)]));
		str_buf_putc(out, 'x'); /* so that no CR stands before a bare LF by chance */
		str_buf_puts(out, kind == EOL_CRLF || (kind == EOL_MIXED && next_random(2)) ? "\r\n" : "\n");
	}
}

static void check_reads(enum eol_kind kind, size_t size)
{
	struct fake fake = {0};
	struct body_source source = {fake_read, &fake};
	struct str_buf came = {0}, got = {0};
	struct eol_in in = {0};
	struct body *body;
	struct err e;

	make(size, kind, &came);
	eol_in_feed(&in, came.p, came.n, &fake.octets);
	eol_in_finish(&in, &fake.octets);
	assert_int_equal(eol_in_kind(&in), kind);
	body = body_new(fake.octets.n, kind, &in.exceptions);
	for (int i = 0; i < 40; i++) {
		/* First in order, then anywhere, also behind the end. */
		uint64_t at = i < 10 ? (uint64_t)i * 131072 : next_random((unsigned)came.n + 1000);
		size_t n = next_random(200000) + 1, got_n = 0, want = 0;

		if (at < came.n)
			want = came.n - at < n ? came.n - (size_t)at : n;
		str_buf_clear(&got);
		assert_int_equal(body_read(body, &source, at, str_buf_room(&got, n), n, &got_n, &e), 0);
		assert_int_equal(got_n, want);
		if (want)
			assert_memory_equal(got.p, came.p + at, want);
	}
	body_free(&body);
	eol_in_fini(&in);
	str_buf_fini(&came);
	str_buf_fini(&got);
	str_buf_fini(&fake.octets);
}

static void every_kind_and_size_reads_back_as_it_came(void **state)
{
	static const enum eol_kind kinds[] = {EOL_CRLF, EOL_LF, EOL_MIXED};
	static const size_t sizes[] = {100, 4000, 300000, BODY_WHOLE_MAX - 200, 3000000};

	(void)state;
	for (size_t k = 0; k < 3; k++)
		for (size_t s = 0; s < 5; s++)
			check_reads(kinds[k], sizes[s]);
}

static void an_empty_message_has_no_octets(void **state)
{
	struct fake fake = {0};
	struct body_source source = {fake_read, &fake};
	struct body *body = body_new(0, EOL_LF, NULL);
	struct err e;
	char c;
	size_t n = 1;

	(void)state;
	assert_int_equal(body_read(body, &source, 0, &c, 1, &n, &e), 0);
	assert_int_equal(n, 0);
	body_free(&body);
	assert_null(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_and_size_reads_back_as_it_came),
	    cmocka_unit_test(an_empty_message_has_no_octets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Mail made to hurt: depth, numbers, length.  Each is scanned in linear time and told within its caps. */
#include "check_message.h"

#include "mime/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void scan_both_ways(struct str_buf *b, size_t slice_n, struct arena *arena,
    struct mime_message *m)
{
	struct mime_message sliced;
	const char *why;

	scan_octets(str_buf_view(b), 0, &mime_caps_default, arena, m);
	why = check_message(m);
	if (!why) {
		scan_octets(str_buf_view(b), slice_n, &mime_caps_default, arena, &sliced);
		why = check_same(m, &sliced);
	}
	if (why)
		fail_msg("%s", why);
	str_buf_fini(b);
}

static void multiparts_1000_deep_are_opened_up_to_the_cap(void **state)
{
	(void)state;
	struct str_buf b = {0};
	struct arena arena = {0};
	struct mime_message m;

	for (int i = 0; i < 1000; i++)
		str_buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	str_buf_puts(&b, "\r\nhere\r\n");
	for (int i = 1000; i-- > 0;)
		str_buf_printf(&b, "--b%d--\r\n", i);
	scan_both_ways(&b, 1, &arena, &m);
	assert_true(m.capped);
	assert_int_equal(m.parts_n, mime_caps_default.depth + 1);
	assert_string_equal(m.parts[m.parts_n - 1].type, "application");
	assert_int_equal(m.parts[m.parts_n - 1].kind, MIME_LEAF);
	arena_fini(&arena);
}

static void messages_1000_deep_are_opened_up_to_the_cap(void **state)
{
	(void)state;
	struct str_buf b = {0};
	struct arena arena = {0};
	struct mime_message m;

	for (int i = 0; i < 1000; i++)
		str_buf_puts(&b, "Content-Type: message/rfc822\r\n\r\n");
	scan_both_ways(&b, 7, &arena, &m);
	assert_true(m.capped);
	assert_int_equal(m.parts_n, mime_caps_default.depth + 1);
	arena_fini(&arena);
}

static void parts_past_the_cap_are_left_out(void **state)
{
	(void)state;
	struct str_buf b = {0};
	struct arena arena = {0};
	struct mime_message m;

	str_buf_puts(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		str_buf_puts(&b, "--b\r\n\r\nx\r\n");
	str_buf_puts(&b, "--b--\r\n");
	scan_both_ways(&b, 4096, &arena, &m);
	assert_true(m.capped);
	assert_int_equal(m.parts_n, mime_caps_default.parts);
	assert_int_equal(m.parts[m.parts_n - 1].body_n, 1); /* the last one told is told truly */
	arena_fini(&arena);
}

static void exactly_as_many_parts_as_the_cap_are_all_told(void **state)
{
	(void)state;
	struct str_buf b = {0};
	struct arena arena = {0};
	struct mime_message m;

	str_buf_puts(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (uint32_t i = 1; i < mime_caps_default.parts; i++)
		str_buf_puts(&b, "--b\r\n\r\nx\r\n");
	str_buf_puts(&b, "--b--\r\n");
	scan_both_ways(&b, 100, &arena, &m);
	assert_false(m.capped);
	assert_int_equal(m.parts_n, mime_caps_default.parts);
	arena_fini(&arena);
}

static void a_header_line_of_10_mb_becomes_body(void **state)
{
	(void)state;
	struct str_buf b = {0};
	struct arena arena = {0};
	struct mime_message m;

	str_buf_puts(&b, "Subject: kept\r\nX-Long: ");
	for (int i = 0; i < 10 * 1024; i++)
		str_buf_printf(&b, "%01024d", i);
	str_buf_puts(&b, "\r\nTo: a@b\r\n\r\nbody\r\n");
	scan_both_ways(&b, 4095, &arena, &m);
	assert_true(m.capped);
	assert_int_equal(m.header_n, strlen("Subject: kept\r\n"));
	assert_string_equal(m.subject, "kept");
	arena_fini(&arena);
}

static void headers_without_end_become_body_at_a_line(void **state)
{
	(void)state;
	struct str_buf b = {0};
	struct arena arena = {0};
	struct mime_message m;

	for (int i = 0; i < 200000; i++)
		str_buf_printf(&b, "X-%d: x\r\n", i);
	scan_both_ways(&b, 1, &arena, &m);
	assert_true(m.capped);
	assert_true(m.header_n <= mime_caps_default.header_octets);
	assert_true(m.header_n > mime_caps_default.header_octets - 20);
	arena_fini(&arena);
}

/* Each of these is quadratic in a parser that looks ahead carelessly. */
static void a_megabyte_of_one_character_stays_linear(void **state)
{
	(void)state;
	static const char *const units[] = {"(", "\"", "<", ",", "@", "@,", "\"\\", "(\\", ":", ";", "g:",
		"a,", "<a,", "=?a?q?", "=?a?q?b", "\\", "[", ";a=b", ";a*1=b", "/", ";a=\"", "\r\n ", " "};
	static const char *const fields[] = {"To", "From", "Subject", "Content-Type: a/b; x",
		"Content-Disposition: a", "Date", "Content-Language", "Content-Type"};

	for (size_t u = 0; u < sizeof units / sizeof units[0]; u++)
		for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
			struct str_buf b = {0};
			struct arena arena = {0};
			struct mime_message m;

			str_buf_printf(&b, "%s: ", fields[f]);
			while (b.n < 100000)
				str_buf_puts(&b, units[u]);
			str_buf_puts(&b, "\r\n\r\n");
			scan_both_ways(&b, 65536, &arena, &m);
			arena_fini(&arena);
		}
}

static void structure_text_is_bounded(void **state)
{
	(void)state;
	struct mime_caps caps = mime_caps_default;
	struct str_buf b = {0};
	struct arena arena = {0};
	struct mime_message m;

	caps.structure_octets = 20000;
	str_buf_puts(&b, "To: ");
	for (int i = 0; i < 50000; i++)
		str_buf_puts(&b, "a,");
	str_buf_puts(&b, "\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 20; i++)
		str_buf_printf(&b, "--b\r\nContent-Type: message/rfc822; x=%05000d\r\n\r\nSubject: %05000d\r\n\r\n\r\n",
		    i, i);
	scan_octets(str_buf_view(&b), 0, &caps, &arena, &m);
	const char *why = check_message(&m);

	if (why)
		fail_msg("%s", why);
	assert_true(m.capped);
	assert_true(m.envelope.n < 21000);
	assert_true(m.bodystructure.n < 2 * 20000);
	assert_int_equal(m.parts_n, 41);
	str_buf_fini(&b);
	arena_fini(&arena);
}

static void binary_octets_are_any_other_message(void **state)
{
	(void)state;
	unsigned seed = 3;

	for (int round = 0; round < 50; round++) {
		struct str_buf b = {0};
		struct arena arena = {0};
		struct mime_message m;

		if (round % 2)
			str_buf_puts(&b, "Content-Type: multipart/mixed; boundary=\"-\"\r\n\r\n");
		for (int i = 0; i < 20000; i++) {
			seed = seed * 1103515245u + 12345u;
			str_buf_putc(&b, (char)((seed >> 16) % 5 ? (seed >> 20) : (unsigned)"\r\n-:\0"[(seed >> 20) % 5]));
		}
		assert_null(check_eol(str_buf_view(&b), seed));
		assert_null(check_decoders(str_buf_view(&b)));
		scan_both_ways(&b, 1, &arena, &m);
		arena_fini(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multiparts_1000_deep_are_opened_up_to_the_cap),
		cmocka_unit_test(messages_1000_deep_are_opened_up_to_the_cap),
		cmocka_unit_test(parts_past_the_cap_are_left_out),
		cmocka_unit_test(exactly_as_many_parts_as_the_cap_are_all_told),
		cmocka_unit_test(a_header_line_of_10_mb_becomes_body),
		cmocka_unit_test(headers_without_end_become_body_at_a_line),
		cmocka_unit_test(a_megabyte_of_one_character_stays_linear),
		cmocka_unit_test(structure_text_is_bounded),
		cmocka_unit_test(binary_octets_are_any_other_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

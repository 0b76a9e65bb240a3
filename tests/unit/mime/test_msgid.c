/* mime/msgid and mime/envelope_read: ids and addresses read back. */
#include "mime/envelope_read.h"
#include "mime/msgid.h"
#include "mime/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void ids_are_found_one_after_the_other(void **state)
{
	static const struct {
		const char *field, *ids;
	} cases[] = {
		{"", ""},
		{"<a@b>", "a@b|"},
		{" <a@b>\r\n <c@d>\t<e@f>", "a@b|c@d|e@f|"},
		{"<a@b><c@d>", "a@b|c@d|"},
		{"Your message of Monday <a@b> (was: <x@y>)", "a@b|x@y|"},
		{"<\"a\"@b>", "a@b|"},
		{"<\"a>\\\"\"@b>", "a>\"@b|"},
		{"< a @ b >", "a@b|"},
		{"<a\r\n @b>", "a@b|"},
		{"<ab> <@b> <a@> <>", ""},
		{"<a@b", ""},
		{"<x <a@b>", "a@b|"},
		{"<\"a@b> <c@d>", "c@d|"},
		{"<\"a\" <c@d>", "c@d|"},
		{"a@b", ""},
	};
	struct str_buf id = {0}, all = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_view rest = str_view(cases[i].field, strlen(cases[i].field));

		str_buf_clear(&all);
		while (mime_msgid_next(&rest, &id)) {
			str_buf_put(&all, id.p, id.n);
			str_buf_putc(&all, '|');
		}
		assert_string_equal(all.n ? all.p : "", cases[i].ids);
	}
	str_buf_fini(&id);
	str_buf_fini(&all);
}

static void a_megabyte_of_halves_takes_linear_time(void **state)
{
	static const char *const pieces[] = {"<", "<\"", "<\"\\", "<a", "<a@", "\"", "<\"a\"", "<>"};
	struct str_buf text = {0}, id = {0};

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		str_buf_clear(&text);
		while (text.n < 1 << 20)
			str_buf_puts(&text, pieces[i]);
		struct str_view rest = str_buf_view(&text);

		while (mime_msgid_next(&rest, &id))
			continue;
	}
	str_buf_fini(&text);
	str_buf_fini(&id);
}

static struct envelope_read read_back(const char *header, struct arena *arena)
{
	struct mime_scan *scan = mime_scan_new(&mime_caps_default);
	struct mime_message m;
	struct envelope_read envelope;

	mime_scan_feed(scan, header, strlen(header));
	mime_scan_finish(&scan, arena, &m);
	assert_true(mime_envelope_read(m.envelope, arena, &envelope));
	return envelope;
}

#define IS(view, text) (assert_int_equal((view).n, strlen(text)), assert_memory_equal((view).p, (text), (view).n))

static void what_the_scanner_writes_is_read_back(void **state)
{
	struct arena arena = {0};
	struct envelope_read e = read_back("Subject: a \"quoted\" \\ thing\r\n"
	    "From: \"Zoe \\\"Z\\\" Adams\" <zoe@example.org>, b@c\r\nTo: Team: x@y, z@y;\r\n"
	    "In-Reply-To: <a@b>\r\nMessage-ID: <c@d>\r\n\r\n", &arena);

	(void)state;
	IS(e.subject, "a \"quoted\" \\ thing");
	IS(e.from.name, "Zoe \"Z\" Adams");
	IS(e.from.mailbox, "zoe");
	IS(e.from.host, "example.org");
	IS(e.to.mailbox, "Team");
	assert_null(e.to.host.p);
	assert_null(e.cc.mailbox.p);
	IS(e.in_reply_to, "<a@b>");
	IS(e.message_id, "<c@d>");
	e = read_back("Subject: caf\xc3\xa9\r\nCc: =?utf-8?q?=C3=89?= <e@f>\r\n\r\n", &arena);
	IS(e.subject, "caf\xc3\xa9");
	IS(e.cc.name, "=?utf-8?q?=C3=89?=");
	assert_null(e.from.mailbox.p);
	e = read_back("\r\n", &arena);
	assert_null(e.subject.p);
	arena_fini(&arena);
}

static void what_is_no_envelope_is_refused(void **state)
{
	static const char good[] = "(NIL \"s\" ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL {2}\r\nid)";
	struct envelope_read e;
	struct arena arena = {0};

	(void)state;
	assert_true(mime_envelope_read(SV(good), &arena, &e));
	IS(e.message_id, "id");
	for (size_t n = 0; n < sizeof good - 1; n++)
		assert_false(mime_envelope_read(str_view(good, n), &arena, &e));
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_found_one_after_the_other),
		cmocka_unit_test(a_megabyte_of_halves_takes_linear_time),
		cmocka_unit_test(what_the_scanner_writes_is_read_back),
		cmocka_unit_test(what_is_no_envelope_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

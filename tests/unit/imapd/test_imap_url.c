/* imapd/imap_url: what CATENATE may name, and what it may not. */
#include "imapd/catenate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct parse_limits limits = {.nesting_max = 10, .list_max = 5, .keyword_max = 8};

static bool parse(const char *text, struct arena *arena, struct imap_url *url)
{
	return imap_url_parse(str_view(text, strlen(text)), arena, &limits, url);
}

static void a_url_names_folder_message_section_and_octets(void **state)
{
	struct arena arena = {0};
	struct imap_url url;

	(void)state;
	assert_true(parse("/Work%2Fa%20b;UIDVALIDITY=7/;UID=20/;SECTION=1.2.MIME/;PARTIAL=5.10", &arena,
	    &url));
	assert_string_equal(url.mailbox, "Work/a b");
	assert_int_equal(url.uidvalidity, 7);
	assert_int_equal(url.uid, 20);
	assert_true(str_equal(url.section.number, SV("1.2")));
	assert_int_equal(url.section.text, FETCH_MIME);
	assert_true(url.section.is_partial);
	assert_int_equal(url.section.from, 5);
	assert_int_equal(url.section.octets_max, 10);
	arena_fini(&arena);
}

static void a_url_without_a_folder_is_of_the_one_that_is_open(void **state)
{
	struct arena arena = {0};
	struct imap_url url;

	(void)state;
	assert_true(parse(";uid=4294967295/;section=header.fields%20(To%20Cc)", &arena, &url));
	assert_null(url.mailbox);
	assert_int_equal(url.uid, UINT32_MAX);
	assert_int_equal(url.section.text, FETCH_FIELDS);
	assert_int_equal(url.section.fields_n, 2);
	assert_true(parse("/inbox/;UID=1", &arena, &url));
	assert_string_equal(url.mailbox, "INBOX");
	assert_int_equal(url.section.text, FETCH_WHOLE);
	assert_true(parse("/a/b/;UID=1/;PARTIAL=3", &arena, &url));
	assert_string_equal(url.mailbox, "a/b");
	assert_int_equal(url.section.octets_max, UINT32_MAX);
	arena_fini(&arena);
}

static void what_is_no_url_of_ours_is_refused(void **state)
{
	static const char *const bad[] = {"", "/", "/INBOX", "/INBOX/", "/INBOX/;UID=", "/INBOX/;UID=0",
	    "/INBOX/;UID=4294967296", "/INBOX/;UID=1x", "/INBOX/;UID=1/", "/INBOX/;UID=1/x",
	    "/INBOX/;UID=1/;SECTION=", "/INBOX/;UID=1/;SECTION=x", "/INBOX/;UID=1/;SECTION=1]",
	    "/INBOX/;UID=1/;SECTION=1%", "/INBOX/;UID=1/;SECTION=1%0", "/INBOX/;UID=1/;SECTION=%00",
	    "/INBOX/;UID=1/;PARTIAL=", "/INBOX/;UID=1/;PARTIAL=1.", "/INBOX/;UID=1/;PARTIAL=1.0",
	    "/INBOX/;UID=1/;PARTIAL=.1", "/INBOX/;UID=1/;PARTIAL=1/;SECTION=1",
	    "/INBOX;UIDVALIDITY=0/;UID=1", "/INBOX;UIDVALIDITY=/;UID=1", "/;UID=1", "//;UID=1",
	    "/%00/;UID=1", "/a%/;UID=1", "/%ff/;UID=1", "//host/INBOX/;UID=1", "imap://host/INBOX/;UID=1",
	    "INBOX/;UID=1"};
	struct arena arena = {0};
	struct imap_url url;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i], &arena, &url))
			fail_msg("taken: %s", bad[i]);
	arena_fini(&arena);
}

static void a_bad_url_is_told_as_a_quoted_string_can(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_string_equal(catenate_badurl(&arena, SV("/a;b")), "BADURL \"/a;b\"");
	assert_string_equal(catenate_badurl(&arena, SV("a\"\\\r\n\xe9]")), "BADURL \"a%22%5C%0D%0A%E9]\"");
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_url_names_folder_message_section_and_octets),
	    cmocka_unit_test(a_url_without_a_folder_is_of_the_one_that_is_open),
	    cmocka_unit_test(what_is_no_url_of_ours_is_refused),
	    cmocka_unit_test(a_bad_url_is_told_as_a_quoted_string_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

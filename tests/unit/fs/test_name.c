/* tests/unit/fs/test_name.c - names of files and folders. */
#include "fs/name.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_message_is_named_by_time_uid_and_slug(void **state)
{
	static const struct {
		int64_t idate_ms;
		uint32_t uid;
		const char *slug, *name;
	} rows[] = {
	    {1740996001000, 123, "alice.Quarterly_report",
	        "20250303-100001.00000123.alice.Quarterly_report.eml"},
	    {0, 1, "", "19700101-000000.00000001.eml"},
	    {-1000, 4294967295u, "x", "19691231-235959.4294967295.x.eml"},
	    {1740996001999, 7, "a/b\nc", "20250303-100001.00000007.a_b_c.eml"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str_buf out = {0};

		name_of_message(rows[i].idate_ms, rows[i].uid, rows[i].slug, &out);
		assert_string_equal(out.p, rows[i].name);
		str_buf_fini(&out);
	}
}

static void a_long_slug_is_cut_at_a_characters_border(void **state)
{
	struct str_buf slug = {0}, out = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		str_buf_puts(&slug, "\xc3\xa9");
	name_of_message(1740996001000, 5, slug.p, &out);
	assert_true(out.n <= 160);
	/* Before ".eml" stands a whole character. */
	assert_int_equal((unsigned char)out.p[out.n - 5], 0xa9);
	assert_int_equal((unsigned char)out.p[out.n - 6], 0xc3);
	str_buf_fini(&slug);
	str_buf_fini(&out);
}

static void names_speak_of_uids(void **state)
{
	static const struct {
		const char *name;
		enum name_form form;
		uint32_t uid;
	} rows[] = {
	    {"20250303-100001.00000123.alice.x.eml", NAME_FULL, 123},
	    {"20250303-100001.00000123.eml", NAME_FULL, 123},
	    {"20250303-100001.4294967295.eml", NAME_FULL, 4294967295u},
	    {"20250303-100001.4294967296.eml", NAME_OTHER, 0},
	    {"20250303-100001.0000012.eml", NAME_OTHER, 0},
	    {"20250303-100001.00000000.eml", NAME_OTHER, 0},
	    {"123.eml", NAME_ALIAS, 123},
	    {"00000123.eml", NAME_ALIAS, 123},
	    {"0.eml", NAME_OTHER, 0},
	    {".eml", NAME_OTHER, 0},
	    {"99999999999.eml", NAME_OTHER, 0},
	    {"-1.eml", NAME_OTHER, 0},
	    {"123", NAME_OTHER, 0},
	    {"report.eml", NAME_OTHER, 0},
	    {"20250303", NAME_OTHER, 0},
	    {"", NAME_OTHER, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint32_t uid = 0;

		assert_int_equal(name_parse(rows[i].name, &uid), rows[i].form);
		assert_int_equal(uid, rows[i].uid);
	}
}

static void a_name_tells_mail_scratch_and_nonsense_apart(void **state)
{
	static const struct {
		const char *name;
		enum name_use use;
	} rows[] = {
	    {"x.eml", NAME_MAIL}, {"sed123.eml", NAME_MAIL}, {".x.eml.AbCdEf", NAME_SCRATCH},
	    {".x.eml", NAME_SCRATCH}, {"x.eml~", NAME_SCRATCH}, {"x.tmp", NAME_SCRATCH},
	    {"x.swp", NAME_SCRATCH}, {"4913", NAME_SCRATCH}, {"sedAbCdEf", NAME_SCRATCH},
	    {"sedAbCdE", NAME_REFUSED}, {"x", NAME_REFUSED}, {"x.EML", NAME_REFUSED},
	    {"x.txt", NAME_REFUSED}, {"4914", NAME_REFUSED},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(name_use(rows[i].name), rows[i].use);
}

static void folder_names_go_there_and_back(void **state)
{
	static const struct {
		const char *component, *name;
	} rows[] = {
	    {"INBOX", "INBOX"}, {"R\xc3\xa9sum\xc3\xa9", "R\xc3\xa9sum\xc3\xa9"}, {".", "%2E"},
	    {"..", "%2E."}, {".hidden", "%2Ehidden"}, {"a.b", "a.b"}, {"mail.eml", "mail%2Eeml"},
	    {"100%", "100%"}, {"%41", "%2541"}, {"%4", "%4"}, {"a\tb", "a%09b"}, {"a\x7f", "a%7F"},
	    {".eml", "%2Eeml"}, {"two words", "two words"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str_buf name = {0}, back = {0};

		name_folder_encode(str_view(rows[i].component, strlen(rows[i].component)), &name);
		assert_string_equal(name.p, rows[i].name);
		assert_int_equal(name_folder_decode(name.p, &back), 0);
		assert_string_equal(back.p, rows[i].component);
		str_buf_fini(&name);
		str_buf_fini(&back);
	}
}

static void folder_names_that_nothing_is_shown_as_are_refused(void **state)
{
	static const struct {
		const char *name;
		int err;
	} rows[] = {
	    {"x.eml", ENOENT}, {".hidden", ENOENT}, {"%2f", ENOENT}, {"%2F", ENOENT}, {"%41", ENOENT},
	    {"%2ehidden", ENOENT}, {"%00", ENOENT}, {"\xff\xfe", EILSEQ}, {"a%FF", EILSEQ},
	};
	struct str_buf out = {0};
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(name_folder_decode(rows[i].name, &out), rows[i].err);
	memset(name, 'a', sizeof name);
	name[256] = '\0';
	assert_int_equal(name_folder_decode(name, &out), ENAMETOOLONG);
	str_buf_fini(&out);
}

static void decomposed_folder_names_are_the_composed_ones(void **state)
{
	struct str_buf out = {0};

	(void)state;
	assert_int_equal(name_folder_decode("Re\xcc\x81sume\xcc\x81", &out), 0);
	assert_string_equal(out.p, "R\xc3\xa9sum\xc3\xa9");
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_is_named_by_time_uid_and_slug),
	    cmocka_unit_test(a_long_slug_is_cut_at_a_characters_border),
	    cmocka_unit_test(names_speak_of_uids),
	    cmocka_unit_test(a_name_tells_mail_scratch_and_nonsense_apart),
	    cmocka_unit_test(folder_names_go_there_and_back),
	    cmocka_unit_test(folder_names_that_nothing_is_shown_as_are_refused),
	    cmocka_unit_test(decomposed_folder_names_are_the_composed_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

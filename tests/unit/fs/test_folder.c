/* tests/unit/fs/test_folder.c - a folder's messages by UID and by name. */
#include "fs/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct fs_show show;

static struct fs_msg *msg(uint32_t uid, const char *name)
{
	struct message_info info = {.uid = {uid}, .idate_ms = 1740996001000, .slug = "a.b",
	    .name = name, .size = 100, .size_lf = 90, .size_in = 100};

	return fs_msg_new(&info, &show);
}

static void put(struct fs_folder *f, uint32_t uid, const char *name)
{
	assert_null(fs_folder_put(f, msg(uid, name)));
}

static void messages_stand_in_the_order_of_uids(void **state)
{
	static const uint32_t uids[] = {5, 1, 9, 3, 7, 4294967295u};
	struct fs_folder f = {0};
	uint32_t last = 0;
	struct fs_msg *m;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		put(&f, uids[i], NULL);
	while ((m = fs_folder_next(&f, last))) {
		assert_true(m->uid.n > last);
		last = m->uid.n;
		n++;
	}
	assert_int_equal(n, 6);
	m = fs_folder_drop(&f, 3);
	assert_non_null(m);
	fs_msg_free(m);
	assert_null(fs_folder_drop(&f, 3));
	assert_null(fs_folder_by_uid(&f, 3));
	assert_int_equal(fs_folder_next(&f, 1)->uid.n, 5);
	fs_folder_clear(&f);
}

static void a_name_finds_its_message_and_no_other(void **state)
{
	struct fs_folder f = {0};
	bool is_alias;

	(void)state;
	put(&f, 1, NULL);
	put(&f, 2, "report.eml");
	assert_int_equal(fs_folder_by_name(&f, "20250303-100001.00000001.a.b.eml", &is_alias)->uid.n, 1);
	assert_false(is_alias);
	assert_int_equal(fs_folder_by_name(&f, "report.eml", &is_alias)->uid.n, 2);
	assert_int_equal(fs_folder_by_name(&f, "2.eml", &is_alias)->uid.n, 2);
	assert_true(is_alias);
	assert_int_equal(fs_folder_by_name(&f, "00000001.eml", &is_alias)->uid.n, 1);
	/* A name that was given stands for the one it would have had otherwise. */
	assert_null(fs_folder_by_name(&f, "20250303-100001.00000002.a.b.eml", &is_alias));
	assert_null(fs_folder_by_name(&f, "20250303-100001.00000001.other.eml", &is_alias));
	assert_null(fs_folder_by_name(&f, "3.eml", &is_alias));
	assert_null(fs_folder_by_name(&f, "Report.eml", &is_alias));
	fs_folder_clear(&f);
}

static void a_given_name_comes_before_what_looks_like_a_uid(void **state)
{
	struct fs_folder f = {0};
	bool is_alias;

	(void)state;
	put(&f, 1, NULL);
	put(&f, 2, "1.eml");
	put(&f, 3, "20250303-100001.00000001.a.b.eml");
	assert_int_equal(fs_folder_by_name(&f, "1.eml", &is_alias)->uid.n, 2);
	assert_false(is_alias);
	assert_int_equal(fs_folder_by_name(&f, "20250303-100001.00000001.a.b.eml", &is_alias)->uid.n, 3);
	fs_folder_clear(&f);
}

static void many_given_names_are_found_after_others_went(void **state)
{
	struct fs_folder f = {0};
	char name[32];
	bool is_alias;

	(void)state;
	for (uint32_t i = 1; i <= 1000; i++) {
		snprintf(name, sizeof name, "m%u.eml", i);
		put(&f, i, name);
	}
	for (uint32_t i = 1; i <= 1000; i += 2)
		fs_msg_free(fs_folder_drop(&f, i));
	for (uint32_t i = 1; i <= 1000; i++) {
		snprintf(name, sizeof name, "m%u.eml", i);
		if (i % 2)
			assert_null(fs_folder_by_name(&f, name, &is_alias));
		else
			assert_int_equal(fs_folder_by_name(&f, name, &is_alias)->uid.n, i);
	}
	fs_folder_clear(&f);
}

static void a_message_that_changed_takes_its_own_place(void **state)
{
	struct fs_folder f = {0};
	struct fs_msg *old;
	bool is_alias;

	(void)state;
	put(&f, 1, "a.eml");
	put(&f, 2, NULL);
	old = fs_folder_put(&f, msg(1, "b.eml"));
	assert_non_null(old);
	fs_msg_free(old);
	assert_int_equal(f.n, 2);
	assert_null(fs_folder_by_name(&f, "a.eml", &is_alias));
	assert_int_equal(fs_folder_by_name(&f, "b.eml", &is_alias)->uid.n, 1);
	fs_folder_clear(&f);
}

static void wire_mail_is_served_with_lf_and_what_was_put_here_as_it_came(void **state)
{
	static const struct {
		enum eol_kind lineends;
		const char *name;
		bool exact, is_lf;
		uint64_t size;
	} rows[] = {
	    {EOL_CRLF, NULL, false, true, 90}, {EOL_CRLF, "x.eml", false, false, 100},
	    {EOL_CRLF, NULL, true, false, 100}, {EOL_LF, "x.eml", false, false, 95},
	    {EOL_MIXED, NULL, false, false, 97},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fs_show how = {.exact = rows[i].exact};
		struct message_info info = {.uid = {1}, .slug = "", .name = rows[i].name, .size = 100,
		    .size_lf = 90, .lineends = rows[i].lineends};
		struct fs_msg *m;

		info.size_in = rows[i].lineends == EOL_CRLF ? 100 : rows[i].lineends == EOL_LF ? 95 : 97;
		m = fs_msg_new(&info, &how);
		assert_int_equal(m->is_lf, rows[i].is_lf);
		assert_int_equal(m->size, rows[i].size);
		fs_msg_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_stand_in_the_order_of_uids),
	    cmocka_unit_test(a_name_finds_its_message_and_no_other),
	    cmocka_unit_test(a_given_name_comes_before_what_looks_like_a_uid),
	    cmocka_unit_test(many_given_names_are_found_after_others_went),
	    cmocka_unit_test(a_message_that_changed_takes_its_own_place),
	    cmocka_unit_test(wire_mail_is_served_with_lf_and_what_was_put_here_as_it_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

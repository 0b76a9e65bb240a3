/* tests/unit/fs/test_maildir_name.c - names in the Maildir view. */
#include "fs/maildir_name.h"

#include "store/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_name_is_taken_apart(void **state)
{
	static const struct {
		const char *name, *base;
		uint32_t uid;
		int info;
		uint32_t flags;
		bool forwarded;
	} rows[] = {
	    {"1740996001.123.postern,U=123:2,S", "1740996001.123.postern", 123, MAILDIR_LETTERS, STORE_FLAG_SEEN, false},
	    {"1740996001.123.postern,U=123", "1740996001.123.postern", 123, MAILDIR_NO_INFO, 0, false},
	    {"1.M2P3.host:2,", "1.M2P3.host", 0, MAILDIR_LETTERS, 0, false},
	    {"1.M2P3.host:2,DFPRST", "1.M2P3.host", 0, MAILDIR_LETTERS, 31, true},
	    {"1.M2P3.host:2,TSR", "1.M2P3.host", 0, MAILDIR_LETTERS,
	        STORE_FLAG_DELETED | STORE_FLAG_SEEN | STORE_FLAG_ANSWERED, false},
	    {"1.M2P3.host:2,Sab?", "1.M2P3.host", 0, MAILDIR_LETTERS, STORE_FLAG_SEEN, false},
	    {"1.M2P3.host:2,F:2,S", "1.M2P3.host", 0, MAILDIR_LETTERS, STORE_FLAG_FLAGGED | STORE_FLAG_SEEN, false},
	    {"1.M2P3.host:1,S", "1.M2P3.host", 0, MAILDIR_OTHER_INFO, 0, false},
	    {"1.M2P3.host:2", "1.M2P3.host", 0, MAILDIR_OTHER_INFO, 0, false},
	    {"1.M2P3.host:", "1.M2P3.host", 0, MAILDIR_OTHER_INFO, 0, false},
	    {"1.host,U=7,S=100,W=104:2,", "1.host,S=100,W=104", 7, MAILDIR_LETTERS, 0, false},
	    {"1.host,S=100,U=7", "1.host,S=100", 7, MAILDIR_NO_INFO, 0, false},
	    {"1.host,U=:2,", "1.host,U=", 0, MAILDIR_LETTERS, 0, false},
	    {"1.host,U=0", "1.host,U=0", 0, MAILDIR_NO_INFO, 0, false},
	    {"1.host,U=4294967295", "1.host", 4294967295u, MAILDIR_NO_INFO, 0, false},
	    {"1.host,U=4294967296", "1.host,U=4294967296", 0, MAILDIR_NO_INFO, 0, false},
	    {"1.host:2,S,U=5", "1.host", 0, MAILDIR_LETTERS, STORE_FLAG_SEEN, false},
	    {"with blanks", "with blanks", 0, MAILDIR_NO_INFO, 0, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct maildir_name n;

		assert_true(maildir_name_parse(rows[i].name, &n));
		assert_string_equal(n.base, rows[i].base);
		assert_int_equal(n.uid, rows[i].uid);
		assert_int_equal(n.info, rows[i].info);
		assert_int_equal(n.flags, rows[i].flags);
		assert_int_equal(n.forwarded, rows[i].forwarded);
	}
}

static void what_is_hidden_or_has_no_base_is_no_message(void **state)
{
	static const char *const names[] = {"", ".", ".hidden", ":2,S", ",U=5:2,S", ",U=5"};
	char longest[NAME_MAX_BYTES + 2];
	struct maildir_name n;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_false(maildir_name_parse(names[i], &n));
	memset(longest, 'x', sizeof longest - 1);
	longest[NAME_MAX_BYTES] = '\0';
	assert_true(maildir_name_parse(longest, &n));
	assert_null(maildir_name_to_keep(&n));
	longest[NAME_MAX_BYTES] = 'x';
	longest[NAME_MAX_BYTES + 1] = '\0';
	assert_false(maildir_name_parse(longest, &n));
}

static void the_longest_base_that_is_kept_fits_with_all_that_stands_behind_it(void **state)
{
	char base[NAME_MAX_BYTES + 1];
	struct str_buf name = {0};
	struct maildir_name n;
	size_t longest = 0;

	(void)state;
	for (size_t len = 1; len <= NAME_MAX_BYTES; len++) {
		memset(base, 'x', len);
		base[len] = '\0';
		if (maildir_base_fits(base))
			longest = len;
	}
	memset(base, 'x', longest);
	base[longest] = '\0';
	str_buf_puts(&name, base);
	maildir_tail_put(UINT32_MAX, true, 31, true, &name);
	assert_int_equal(name.n, NAME_MAX_BYTES);
	assert_true(maildir_name_parse(name.p, &n));
	assert_string_equal(n.base, base);
	str_buf_fini(&name);
}

static void bases_that_would_be_read_otherwise_are_not_kept(void **state)
{
	static const char *const bases[] = {"a:b", "a,U=5", "a/b", ".a", ""};

	(void)state;
	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
		assert_false(maildir_base_fits(bases[i]));
	assert_true(maildir_base_fits("1732.M1P2Q3.host,S=5"));
}

static void a_name_is_put_together(void **state)
{
	static const struct {
		uint32_t uid;
		bool in_cur;
		uint32_t flags;
		bool forwarded;
		const char *tail;
	} rows[] = {
	    {5, true, 0, false, ",U=5:2,"},
	    {5, false, 0, false, ",U=5"},
	    {0, false, 0, false, ""},
	    {0, true, STORE_FLAG_SEEN | STORE_FLAG_FLAGGED, false, ":2,FS"},
	    {UINT32_MAX, true, 31, true, ",U=4294967295:2,DFPRST"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str_buf out = {0};

		str_buf_puts(&out, "x");
		maildir_tail_put(rows[i].uid, rows[i].in_cur, rows[i].flags, rows[i].forwarded, &out);
		assert_string_equal(out.p + 1, rows[i].tail);
		str_buf_fini(&out);
	}
}

static void our_own_bases_are_known(void **state)
{
	struct str_buf out = {0};
	uint32_t uid = 0;

	(void)state;
	maildir_own_base(1740996001999, 123, &out);
	assert_string_equal(out.p, "1740996001.123.postern");
	assert_true(maildir_is_own_base(out.p, &uid));
	assert_int_equal(uid, 123);
	str_buf_clear(&out);
	maildir_own_base(-5000, 1, &out);
	assert_string_equal(out.p, "0.1.postern");
	assert_false(maildir_is_own_base("1740996001.postern", &uid));
	assert_false(maildir_is_own_base("1740996001..postern", &uid));
	assert_false(maildir_is_own_base("1740996001.1.posternx", &uid));
	assert_false(maildir_is_own_base("x.1.postern", &uid));
	assert_false(maildir_is_own_base("1740996001.4294967296.postern", &uid));
	str_buf_fini(&out);
}

static void folders_are_flat_and_come_back(void **state)
{
	static const struct {
		const char *path, *name;
	} rows[] = {
	    {"A", ".A"},
	    {"A/B/C", ".A.B.C"},
	    {"v1.2/x", ".v1%2E2.x"},
	    {"100%20", ".100%2520"},
	    {"100%", ".100%"},
	    {"Entw\xc3\xbcrfe", ".Entw\xc3\xbcrfe"},
	    {"a\001b", ".a%01b"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str_buf name = {0}, path = {0};

		maildir_folder_encode(rows[i].path, &name);
		assert_string_equal(name.p, rows[i].name);
		assert_int_equal(maildir_folder_decode(name.p, &path), 0);
		assert_string_equal(path.p, rows[i].path);
		str_buf_fini(&name);
		str_buf_fini(&path);
	}
}

static void what_no_folder_is_called_is_refused(void **state)
{
	static const struct {
		const char *name;
		int err;
	} rows[] = {
	    {"A", ENOENT},
	    {".", ENOENT},
	    {".A.", ENOENT},
	    {".A..B", ENOENT},
	    {".A%2FB", ENOENT},
	    {".A%00", ENOENT},
	    {".%41", ENOENT},
	    {".A%2e", ENOENT},
	    {".\xff", EILSEQ},
	};
	struct str_buf path = {0};
	char longest[NAME_MAX_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(maildir_folder_decode(rows[i].name, &path), rows[i].err);
	memset(longest, '.', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(maildir_folder_decode(longest, &path), ENAMETOOLONG);
	str_buf_fini(&path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_is_taken_apart),
	    cmocka_unit_test(what_is_hidden_or_has_no_base_is_no_message),
	    cmocka_unit_test(the_longest_base_that_is_kept_fits_with_all_that_stands_behind_it),
	    cmocka_unit_test(bases_that_would_be_read_otherwise_are_not_kept),
	    cmocka_unit_test(a_name_is_put_together),
	    cmocka_unit_test(our_own_bases_are_known),
	    cmocka_unit_test(folders_are_flat_and_come_back),
	    cmocka_unit_test(what_no_folder_is_called_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The small parts of lib/base: strings, arenas, errors, clock, files, locks, ini files, the log. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static int dir_fd;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/postern-base-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	close(dir_fd);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static void put(const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void views_are_compared_cut_and_trimmed(void **state)
{
	struct str_view rest = SV("  one\ttwo  three ");

	(void)state;
	assert_true(str_equal(SV("a\0b"), SV("a\0b")));
	assert_false(str_equal(SV("a"), SV("A")));
	assert_true(str_equal_nocase(SV("Inbox"), SV("INBOX")));
	assert_false(str_equal_nocase(SV("Inbox"), SV("INBOXES")));
	assert_false(str_equal_nocase(SV("\xc4"), SV("\xe4"))); /* ASCII letters only */
	assert_true(str_begins_nocase(SV("Subject: x"), SV("subject:")));
	assert_true(str_equal(str_trim(SV(" \t\r\nx y\n ")), SV("x y")));
	assert_int_equal(str_trim(SV("  ")).n, 0);
	assert_true(str_equal(str_word(&rest), SV("one")));
	assert_true(str_equal(str_word(&rest), SV("two")));
	assert_true(str_equal(str_word(&rest), SV("three")));
	assert_int_equal(str_word(&rest).n, 0);
}

static void numbers_are_whole_and_bounded(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, n;
		bool ok;
	} cases[] = {
	    {"0", 0, 0, true}, {"00017", 17, 17, true}, {"18", 17, 0, false}, {"", 9, 0, false},
	    {"-1", 9, 0, false}, {"+1", 9, 0, false}, {" 1", 9, 0, false}, {"1 ", 9, 0, false},
	    {"4294967295", UINT32_MAX, UINT32_MAX, true}, {"4294967296", UINT32_MAX, 0, false},
	    {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
	    {"18446744073709551616", UINT64_MAX, 0, false},
	    {"99999999999999999999999", UINT64_MAX, 0, false}, {"5", 3, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t n = 0;

		assert_int_equal(str_number(str_view(cases[i].text, strlen(cases[i].text)), cases[i].max,
		    &n), cases[i].ok);
		assert_int_equal(n, cases[i].n);
	}
}

static void buffers_grow_and_stay_strings(void **state)
{
	struct str_buf b = {0};

	(void)state;
	assert_int_equal(str_buf_view(&b).n, 0);
	for (int i = 0; i < 1000; i++)
		str_buf_printf(&b, "%d,", i);
	assert_int_equal(b.n, 3890);
	assert_int_equal(strlen(b.p), b.n);
	str_buf_consume(&b, 3886);
	assert_string_equal(b.p, "999,");
	str_buf_clear(&b);
	str_buf_put_number(&b, 0);
	str_buf_put_number(&b, UINT64_MAX);
	assert_string_equal(b.p, "018446744073709551615");
	str_buf_put(&b, "\0x", 2);
	assert_int_equal(b.n, 23);
	str_buf_fini(&b);
	assert_null(b.p);
}

static void arena_memory_is_zeroed_aligned_and_freed_whole(void **state)
{
	struct arena a = {0};

	(void)state;
	for (size_t n = 1; n < 20000; n = n * 3 + 1) {
		unsigned char *p = arena_alloc(&a, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	assert_string_equal(arena_strn(&a, "hello", 2), "he");
	arena_fini(&a);
	arena_fini(&a);
}

static void errors_carry_meaning_errno_and_context(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, ERR_LIMIT, "held %d", 16), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_string_equal(e.what, "held 16");
	err_sys(&e, ERR_IO, ENOSPC, "write %s", "x");
	assert_int_equal(e.code, ERR_NOSPACE);
	assert_int_equal(e.sys, ENOSPC);
	assert_string_equal(e.what, "write x: No space left on device");
	err_sys(&e, ERR_IO, ENOENT, "open x");
	assert_int_equal(e.code, ERR_NOTFOUND);
	err_sys(&e, ERR_PERM, ENOENT, "open x");
	assert_int_equal(e.code, ERR_PERM);
	err_context(&e, "mailbox %s", "alice");
	assert_string_equal(e.what, "mailbox alice: open x: No such file or directory");
	assert_string_equal(err_name(ERR_QUOTA), "QUOTA");
}

static void long_errors_are_cut(void **state)
{
	char text[1000];
	struct err e;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	err_sys(&e, ERR_IO, EIO, "%s", text);
	err_context(&e, "%s", text);
	assert_int_equal(strlen(e.what), sizeof e.what - 1);
}

static void clock_is_moved_by_tests_only(void **state)
{
	int64_t mono = clock_mono_ms(), wall = clock_wall_ms();
	char out[CLOCK_RFC3339_SIZE];

	(void)state;
	clock_advance(3600000);
	assert_in_range(clock_mono_ms() - mono, 3600000, 3660000);
	assert_in_range(clock_wall_ms() - wall, 3600000, 3660000);
	clock_jump(-7200000);
	assert_in_range(wall - clock_wall_ms(), 3540000, 3600000);
	clock_jump(7200000);
	clock_suspend(600000);
	assert_in_range(clock_mono_ms() - mono, 3600000, 3660000);
	assert_in_range(clock_wall_ms() - wall, 4200000, 4260000);
	assert_string_equal(clock_rfc3339(1763870416123, out), "2025-11-23T04:00:16.123Z");
	assert_string_equal(clock_rfc3339(0, out), "1970-01-01T00:00:00.000Z");
}

static void time_since_boot_goes_on_in_sleep_and_is_never_set(void **state)
{
	int64_t then = clock_boot_ms(), wall = clock_wall_ms();

	(void)state;
	clock_suspend(600000);
	assert_in_range(clock_boot_ms() - then, 600000, 660000);
	assert_in_range(clock_wall_of_boot(then) - wall + 1000, 0, 61000);
	clock_jump(86400000);
	assert_in_range(clock_boot_ms() - then, 600000, 660000);
	assert_in_range(clock_wall_of_boot(then) - wall, 86399000, 86460000);
	clock_jump(-86400000);
}

static void files_are_replaced_whole(void **state)
{
	struct str_buf text = {0};
	struct stat st;
	struct err e;

	(void)state;
	put("f", "old and long");
	assert_int_equal(io_replace_file(dir_fd, "f", "new", 3, 0640, &e), 0);
	assert_int_equal(io_read_file(dir_fd, "f", 100, &text, &e), 0);
	assert_string_equal(text.p, "new");
	assert_int_equal(fstatat(dir_fd, "f", &st, 0), 0);
	assert_int_equal(io_read_file(dir_fd, "f", 2, &text, &e), -1);
	assert_int_equal(e.code, ERR_TOOBIG);
	assert_int_equal(io_read_file(dir_fd, "g", 2, &text, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(io_replace_file(dir_fd, "no/such/f", "x", 1, 0640, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	str_buf_fini(&text);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(io_mkdir_all(dir_fd, "a/b/c", 0700, &e), 0);
	assert_int_equal(io_mkdir_all(dir_fd, "a/b/c", 0700, &e), 0);
	assert_int_equal(fstatat(dir_fd, "a/b/c", &st, 0), 0);
	put("file", "x");
	assert_int_equal(io_mkdir_all(dir_fd, "file/d", 0700, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

static void locks_exclude_per_open_file(void **state)
{
	int one, two;

	(void)state;
	put("lock", "");
	one = openat(dir_fd, "lock", O_RDWR | O_CLOEXEC);
	two = openat(dir_fd, "lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(io_lock_wait(one, 5, 1), 0);
	assert_int_equal(io_try_lock(one, 5, 1), 0);
	assert_int_equal(io_try_lock(two, 5, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(io_try_lock(two, 6, 1), 0);
	assert_int_equal(io_is_locked(two, 5, 1), 1);
	assert_int_equal(io_is_locked(one, 5, 1), 0); /* one's own locks are not in one's way */
	assert_int_equal(io_lock_until(two, 5, 1, 20), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(io_unlock(one, 5, 1), 0);
	assert_int_equal(io_lock_until(two, 5, 1, 20), 0);
	close(two);
	assert_int_equal(io_is_locked(one, 0, 0), 0);
	close(one);
}

static void sections_of_an_ini_file_are_listed_in_its_order(void **state)
{
	struct conf *conf;
	struct err e;

	(void)state;
	put("c", "[tls b]\nkey=1\ncertificate=2\n[tls]\nkey=3\n[TLS a]\nkey=4\n[tls b]\nmore=5\n");
	assert_int_equal(conf_load(dir_fd, "c", &conf, &e), 0);
	assert_string_equal(conf_section(conf, "tls ", 0), "tls b");
	assert_string_equal(conf_section(conf, "tls ", 1), "TLS a");
	assert_null(conf_section(conf, "tls ", 2));
	assert_null(conf_section(conf, "x", 0));
	conf_free(&conf);
}

static void ini_files_are_read_without_case(void **state)
{
	struct conf *conf;
	struct err e;

	(void)state;
	put("c", "; comment\n[Store]\nid = 17 \nempty =\n[tls]\nkey=a b\n");
	assert_int_equal(conf_load(dir_fd, "c", &conf, &e), 0);
	assert_string_equal(conf_get(conf, "store", "ID"), "17");
	assert_string_equal(conf_get(conf, "store", "empty"), "");
	assert_string_equal(conf_get(conf, "TLS", "key"), "a b");
	assert_null(conf_get(conf, "store", "key"));
	conf_free(&conf);
	assert_null(conf);
	put("c", "[store]\nid = 1\nnonsense\n");
	assert_int_equal(conf_load(dir_fd, "c", &conf, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_string_equal(e.what, "c: line 3 is neither [section] nor key = value");
}

static void log_words_are_printable_and_short(void **state)
{
	char text[200];

	(void)state;
	assert_string_equal(log_q("a b\nc\"\x7f\xc3"), "a?b?c???");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(strlen(log_q(text)), 64);
	assert_int_equal(log_level_parse("warn"), LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("loud"), -1);
}

/* The key is the process's own, so no value is known: what holds of a good hash under any key. */
static void a_hash_is_of_all_octets_and_their_number(void **state)
{
	char octets[40] = {0};

	(void)state;
	for (size_t n = 0; n <= sizeof octets; n++) {
		uint64_t hash = hash_bytes(octets, n);

		assert_true(hash == hash_bytes(octets, n));
		assert_true(n == 0 || hash != hash_bytes(octets, n - 1));
		for (size_t i = 0; i < n; i++) {
			octets[i] ^= 1;
			assert_true(hash != hash_bytes(octets, n));
			octets[i] ^= 1;
		}
	}
}

#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(views_are_compared_cut_and_trimmed),
	    cmocka_unit_test(numbers_are_whole_and_bounded),
	    cmocka_unit_test(buffers_grow_and_stay_strings),
	    cmocka_unit_test(arena_memory_is_zeroed_aligned_and_freed_whole),
	    cmocka_unit_test(errors_carry_meaning_errno_and_context),
	    cmocka_unit_test(long_errors_are_cut),
	    cmocka_unit_test(clock_is_moved_by_tests_only),
	    cmocka_unit_test(time_since_boot_goes_on_in_sleep_and_is_never_set),
	    DIR_TEST(files_are_replaced_whole),
	    DIR_TEST(folders_are_made_with_their_parents),
	    DIR_TEST(locks_exclude_per_open_file),
	    DIR_TEST(sections_of_an_ini_file_are_listed_in_its_order),
	    DIR_TEST(ini_files_are_read_without_case),
	    cmocka_unit_test(log_words_are_printable_and_short),
	    cmocka_unit_test(a_hash_is_of_all_octets_and_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

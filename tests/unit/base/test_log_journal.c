/* The log as the journal's fields, at a journal of the test's own. */
#include "base/clock.h"
#include "base/log.h"
#include "base/log_journal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/postern-journal-XXXXXX";
static char path[64];
static char got[16384];

static int listen_at(const char *where)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", where);
	unlink(where);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static void choose(const char *how)
{
	struct err e;

	if (log_journal_choose(how, &e) < 0)
		fail_msg("%s", e.what);
}

/* The next datagram; "" where there is none. */
static const char *next(int fd)
{
	ssize_t n = recv(fd, got, sizeof got - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void line_is_fields(void **state)
{
	int fd = listen_at(path);

	(void)state;
	choose(path);
	log_info("login-refused", "user=%s peer=%s limit=\"%s\" value=%u held=%u why=\"%s\"", "alice", "127.0.0.1:5", "Max Sessions",
	    16u, 17u, "store: \"x\" is 16, a=b; raise it: reg add -v 'x' -d N");
	assert_string_equal(next(fd),
	    "MESSAGE=login-refused user=alice peer=127.0.0.1:5 limit=\"Max Sessions\" value=16 held=17 "
	    "why=\"store: \"x\" is 16, a=b; raise it: reg add -v 'x' -d N\"\n"
	    "PRIORITY=6\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=postern-test\nPOSTERN_EVENT=login-refused\n"
	    "POSTERN_USER=alice\nPOSTERN_PEER=127.0.0.1:5\nPOSTERN_LIMIT=Max Sessions\nPOSTERN_VALUE=16\nPOSTERN_HELD=17\n"
	    "POSTERN_WHY=store: \"x\" is 16, a=b; raise it: reg add -v 'x' -d N\n");
	close(fd);
}

static void quote_ends_a_value_where_a_key_follows(void **state)
{
	int fd = listen_at(path);

	(void)state;
	choose(path);
	log_error("trouble", "%s error=io text=\"open \"x\": no=such\" empty=\"\" idle-ms=7 no-key Upper=1 open=\"a", "words, then:");
	assert_non_null(strstr(next(fd),
	    "PRIORITY=3\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=postern-test\nPOSTERN_EVENT=trouble\n"
	    "POSTERN_ERROR=io\nPOSTERN_TEXT=open \"x\": no=such\nPOSTERN_EMPTY=\nPOSTERN_IDLE_MS=7\nPOSTERN_OPEN=a\n"));
	close(fd);
}

static void line_end_in_a_value_begins_no_field(void **state)
{
	int fd = listen_at(path);

	(void)state;
	choose(path);
	log_warn("odd", "user=a\nPRIORITY=0 text=\"b\nMESSAGE=forged\"");
	next(fd);
	assert_null(strstr(got, "\nPRIORITY=0"));
	assert_null(strstr(got, "\nMESSAGE=forged"));
	assert_non_null(strstr(got, "POSTERN_TEXT=b MESSAGE=forged\n"));
	close(fd);
}

static void long_lines_are_cut_and_go_out(void **state)
{
	int fd = listen_at(path);
	static char text[4000];

	(void)state;
	choose(path);
	memset(text, 'x', sizeof text - 1);
	for (size_t i = 0; i + 3 < 2000; i += 4)
		memcpy(text + i, "a=1 ", 4);
	log_info("long", "%s", text);
	assert_true(strlen(next(fd)) > 4000);
	assert_int_equal(got[strlen(got) - 1], '\n');
	close(fd);
}

/* What cmocka prints must not be in the way: standard error is a file meanwhile. */
static int divert_stderr(void)
{
	int was = dup(STDERR_FILENO), fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return was;
}

static off_t give_stderr_back(int was)
{
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	dup2(was, STDERR_FILENO);
	close(was);
	return st.st_size;
}

static void journal_that_stands_still_keeps_nobody_waiting(void **state)
{
	int fd = listen_at(path), was = divert_stderr();
	unsigned kept = 0, lost;
	const char *told;

	(void)state;
	choose(path);
	for (int i = 0; i < 5000; i++)
		log_info("many", "i=%d", i);
	assert_int_equal(give_stderr_back(was), 0);
	while (*next(fd))
		kept++;
	assert_in_range(kept, 1, 4999);
	log_info("again", "i=%d", 0);
	assert_non_null(strstr(next(fd), "POSTERN_EVENT=again\n"));
	told = strstr(next(fd), "POSTERN_EVENT=log-lost\nPOSTERN_LINES=");
	assert_non_null(told);
	assert_int_equal(sscanf(strstr(told, "LINES="), "LINES=%u", &lost), 1);
	assert_int_equal(kept + lost, 5000);
	log_info("again", "i=%d", 1);
	assert_non_null(strstr(next(fd), "POSTERN_EVENT=again\n"));
	assert_string_equal(next(fd), "");
	close(fd);
}

static void lines_go_to_standard_error_while_the_journal_is_gone(void **state)
{
	int fd = listen_at(path), was = divert_stderr();

	(void)state;
	choose(path);
	close(fd);
	log_info("gone", "i=%d", 1);
	assert_true(give_stderr_back(was) > 0);
	fd = listen_at(path);
	clock_advance(2000);
	log_info("back", "i=%d", 2);
	assert_non_null(strstr(next(fd), "POSTERN_EVENT=back\n"));
	close(fd);
}

static void journal_is_chosen_by_what_standard_error_is(void **state)
{
	struct stat st;
	char stream[64];
	struct err e;
	int was;

	(void)state;
	/* No journal runs where this test does, or it is not this test's: to be told is enough. */
	was = divert_stderr();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(log_journal_is_stderr());
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_journal_is_stderr());
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_false(log_journal_is_stderr());
	setenv("JOURNAL_STREAM", "none", 1);
	assert_false(log_journal_is_stderr());
	choose("auto");
	log_info("plain", "i=%d", 1);
	assert_true(give_stderr_back(was) > 0);
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(log_journal_choose("sometimes", &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
}

static void journal_that_is_not_there_is_said_and_passed_over(void **state)
{
	int was = divert_stderr();

	(void)state;
	unlink(path);
	choose(path);
	log_info("plain", "i=%d", 1);
	assert_true(give_stderr_back(was) > 0);
}

static int make_folder(void **state)
{
	(void)state;
	log_init("postern-test", LOG_LEVEL_INFO);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_is_fields),
	    cmocka_unit_test(quote_ends_a_value_where_a_key_follows),
	    cmocka_unit_test(line_end_in_a_value_begins_no_field),
	    cmocka_unit_test(long_lines_are_cut_and_go_out),
	    cmocka_unit_test(journal_that_stands_still_keeps_nobody_waiting),
	    cmocka_unit_test(lines_go_to_standard_error_while_the_journal_is_gone),
	    cmocka_unit_test(journal_is_chosen_by_what_standard_error_is),
	    cmocka_unit_test(journal_that_is_not_there_is_said_and_passed_over),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

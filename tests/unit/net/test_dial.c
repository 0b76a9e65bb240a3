/* A connection that we make: lines, and how it fails. */
#include "net/dial.h"

#include "base/clock.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 50

struct server {
	char folder[64];
	struct sockaddr_un address;
	int listening, peer;
	struct dial dial;
};

static int setup(void **state)
{
	struct server *server = calloc(1, sizeof *server);

	strcpy(server->folder, "/tmp/postern-test-XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	server->address.sun_family = AF_UNIX;
	snprintf(server->address.sun_path, sizeof server->address.sun_path, "%s/s", server->folder);
	server->listening = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(server->listening, (void *)&server->address, sizeof server->address), 0);
	assert_int_equal(listen(server->listening, 1), 0);
	*state = server;
	return 0;
}

static int teardown(void **state)
{
	struct server *server = *state;

	close(server->listening);
	unlink(server->address.sun_path);
	rmdir(server->folder);
	free(server);
	return 0;
}

static void connect_both(struct server *server)
{
	struct err e;

	assert_int_equal(dial_unix(server->address.sun_path, WAIT_MS, &server->dial, &e), 0);
	server->peer = accept(server->listening, NULL, NULL);
	assert_true(server->peer >= 0);
}

static void answer(struct server *server, const char *text)
{
	assert_int_equal(write(server->peer, text, strlen(text)), strlen(text));
}

static void expect(struct server *server, const char *text)
{
	struct str_buf line = {0};
	struct err e;

	str_buf_puts(&line, "what was there before");
	assert_int_equal(dial_line(&server->dial, &line, &e), 0);
	assert_int_equal(line.n, strlen(text));
	assert_memory_equal(line.p, text, line.n);
	str_buf_fini(&line);
}

static void expect_error(struct server *server, enum err_code code)
{
	struct str_buf line = {0};
	struct err e;

	assert_int_equal(dial_line(&server->dial, &line, &e), -1);
	assert_int_equal(e.code, code);
	str_buf_fini(&line);
}

static void lines_come_one_by_one_however_they_are_cut(void **state)
{
	struct server *server = *state;

	connect_both(server);
	answer(server, "250-one\r\n\r\n250 two\nthr");
	expect(server, "250-one");
	expect(server, "");
	expect(server, "250 two");
	answer(server, "ee\r");
	answer(server, "\n");
	expect(server, "three");
	close(server->peer);
	dial_close(&server->dial);
}

static void what_is_sent_comes_whole(void **state)
{
	struct server *server = *state;
	char got[16];
	struct err e;

	connect_both(server);
	assert_int_equal(dial_send(&server->dial, "LHLO x\r\n", 8, &e), 0);
	assert_int_equal(read(server->peer, got, sizeof got), 8);
	assert_memory_equal(got, "LHLO x\r\n", 8);
	close(server->peer);
	dial_close(&server->dial);
}

static void who_hangs_up_or_says_nothing_is_a_passing_fault(void **state)
{
	struct server *server = *state;
	int64_t begun;
	struct err e;

	connect_both(server);
	begun = clock_mono_ms();
	expect_error(server, ERR_TEMP);
	assert_true(clock_mono_ms() - begun >= WAIT_MS - 10);
	answer(server, "no end");
	close(server->peer);
	expect_error(server, ERR_TEMP);
	assert_int_equal(dial_send(&server->dial, "x", 1, &e), -1); /* and no SIGPIPE */
	assert_int_equal(e.code, ERR_TEMP);
	dial_close(&server->dial);
}

static void who_takes_nothing_is_not_waited_for(void **state)
{
	struct server *server = *state;
	char *much = calloc(1, 1 << 22);
	struct err e;

	connect_both(server);
	assert_int_equal(dial_send(&server->dial, much, 1 << 22, &e), -1);
	assert_int_equal(e.code, ERR_TEMP);
	close(server->peer);
	dial_close(&server->dial);
	free(much);
}

static void line_without_end_is_given_up(void **state)
{
	struct server *server = *state;
	char text[1001];

	memset(text, 'x', 1000);
	text[1000] = '\0';
	connect_both(server);
	for (int i = 0; i < 20; i++)
		answer(server, text);
	expect_error(server, ERR_TOOBIG);
	close(server->peer);
	dial_close(&server->dial);
}

static void errors_say_why_there_is_no_connection(void **state)
{
	struct server *server = *state;
	char path[PATH_MAX];
	struct dial dial;
	struct err e;

	snprintf(path, sizeof path, "%s/none", server->folder);
	assert_int_equal(dial_unix(path, WAIT_MS, &dial, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	shutdown(server->listening, SHUT_RDWR);
	assert_int_equal(dial_unix(server->address.sun_path, WAIT_MS, &dial, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(dial_unix("", WAIT_MS, &dial, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	memset(path, 'x', 108);
	path[108] = '\0';
	assert_int_equal(dial_unix(path, WAIT_MS, &dial, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	if (geteuid() != 0) {
		chmod(server->address.sun_path, 0);
		assert_int_equal(dial_unix(server->address.sun_path, WAIT_MS, &dial, &e), -1);
		assert_int_equal(e.code, ERR_PERM);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_come_one_by_one_however_they_are_cut),
	    TEST(what_is_sent_comes_whole),
	    TEST(who_hangs_up_or_says_nothing_is_a_passing_fault),
	    TEST(who_takes_nothing_is_not_waited_for),
	    TEST(line_without_end_is_given_up),
	    TEST(errors_say_why_there_is_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

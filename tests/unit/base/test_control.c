/* Control sockets: a line asked, a line answered, whatever the other end does. */
#include "base/control.h"
#include "base/clock.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[64];
static int dir_fd;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/postern-control-XXXXXX");
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

static void echo(void *arg, struct str_view request, struct str_buf *out)
{
	(*(int *)arg)++;
	str_buf_puts(out, "you said ");
	str_buf_put(out, request.p, request.n);
}

static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%.50s/%.20s", dir, name);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void expect_answer(const char *request, const char *answer)
{
	struct str_buf out = {0};
	struct err e;

	if (control_ask(dir_fd, "sock", str_view(request, strlen(request)), 5000, &out, &e) < 0)
		fail_msg("%s", e.what);
	assert_string_equal(out.p, answer);
	str_buf_fini(&out);
}

static void line_is_answered_with_a_line(void **state)
{
	struct control_server *server;
	struct err e;
	int asked = 0;

	(void)state;
	assert_int_equal(control_serve(dir_fd, "sock", echo, &asked, &server, &e), 0);
	expect_answer("hello there", "you said hello there");
	expect_answer("", "you said ");
	assert_int_equal(asked, 2);
	control_stop(&server);
	assert_null(server);
	control_stop(&server);
}

static void nobody_there_is_told_from_no_answer(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct str_buf out = {0};
	struct err e;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(control_ask(dir_fd, "sock", SV("x"), 1000, &out, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	snprintf(address.sun_path, sizeof address.sun_path, "%.50s/sock", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(control_ask(dir_fd, "sock", SV("x"), 1000, &out, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(listen(fd, 1), 0);
	int64_t start_ms = clock_mono_ms();

	assert_int_equal(control_ask(dir_fd, "sock", SV("x"), 50, &out, &e), -1);
	assert_int_equal(e.code, ERR_TEMP);
	assert_true(clock_mono_ms() - start_ms >= 50);
	close(fd);
	str_buf_fini(&out);
}

static void socket_left_by_a_killed_process_is_replaced(void **state)
{
	struct control_server *first, *second;
	struct err e;
	int asked_first = 0, asked_second = 0;

	(void)state;
	assert_int_equal(control_serve(dir_fd, "sock", echo, &asked_first, &first, &e), 0);
	assert_int_equal(control_serve(dir_fd, "sock", echo, &asked_second, &second, &e), 0);
	expect_answer("x", "you said x");
	assert_int_equal(asked_first, 0);
	assert_int_equal(asked_second, 1);
	control_stop(&first);
	control_stop(&second);
}

static void path_longer_than_an_address_works(void **state)
{
	struct control_server *server;
	char name[201];
	struct err e;
	int fd, asked = 0;

	(void)state;
	memset(name, 'd', 200);
	name[200] = '\0';
	assert_int_equal(mkdirat(dir_fd, name, 0700), 0);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(control_serve(fd, "sock", echo, &asked, &server, &e), 0);
	struct str_buf out = {0};

	assert_int_equal(control_ask(fd, "sock", SV("x"), 5000, &out, &e), 0);
	assert_string_equal(out.p, "you said x");
	str_buf_fini(&out);
	control_stop(&server);
	close(fd);
}

static void peers_that_say_nothing_or_too_much_keep_nobody_waiting(void **state)
{
	struct control_server *server;
	char flood[8192];
	struct err e;
	int silent[5], asked = 0, fd;
	char c;

	(void)state;
	assert_int_equal(control_serve(dir_fd, "sock", echo, &asked, &server, &e), 0);
	for (int i = 0; i < 5; i++) {
		silent[i] = connect_to("sock");
		assert_int_equal(send(silent[i], "half a li", 9, 0), 9);
	}
	expect_answer("x", "you said x");
	fd = connect_to("sock");
	memset(flood, 'x', sizeof flood);
	for (int i = 0; i < 100; i++)
		if (send(fd, flood, sizeof flood, MSG_NOSIGNAL) < 0)
			break;
	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
	expect_answer("y", "you said y");
	assert_int_equal(asked, 2);
	for (int i = 0; i < 5; i++)
		close(silent[i]);
	expect_answer("z", "you said z");
	control_stop(&server);
}

static void *ask_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		expect_answer("x", "you said x");
	return NULL;
}

static void many_ask_at_once(void **state)
{
	struct control_server *server;
	pthread_t threads[8];
	struct err e;
	int asked = 0;

	(void)state;
	assert_int_equal(control_serve(dir_fd, "sock", echo, &asked, &server, &e), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_many, NULL), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	control_stop(&server);
	assert_int_equal(asked, 800);
}

#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    DIR_TEST(line_is_answered_with_a_line),
	    DIR_TEST(nobody_there_is_told_from_no_answer),
	    DIR_TEST(socket_left_by_a_killed_process_is_replaced),
	    DIR_TEST(path_longer_than_an_address_works),
	    DIR_TEST(peers_that_say_nothing_or_too_much_keep_nobody_waiting),
	    DIR_TEST(many_ask_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

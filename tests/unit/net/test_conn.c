/* A server with a small door of its own, and real sockets on loopback. */
#include "base/clock.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/tls.h"
#include "peer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the door: a line "VERB ARG" makes it do something ------------------------------------ */

#define LINE_MAX_OCTETS 20

struct echo {
	size_t big_left;
	bool skipping, holds;
};
static _Atomic uint64_t last_id;      /* of the connection that said ID */
static _Atomic int open_n, closed_n, last_end;
static _Atomic int busy_n, busy_most; /* connections inside BUSY now, and the most ever */
static _Atomic bool busy_may_go;
static _Atomic uint32_t admit_max;
static _Atomic size_t big_put; /* octets that BIG has put so far */

static void *echo_open(struct conn *conn, void *arg)
{
	(void)conn, (void)arg;
	open_n++;
	return mem_alloc(sizeof(struct echo));
}

static void echo_close(struct conn *conn, void *state, enum conn_end end)
{
	(void)conn;
	free(state);
	last_end = (int)end;
	closed_n++;
}

static bool echo_admit(void *arg, uint32_t total, uint32_t from_address, const char **say_r)
{
	(void)arg, (void)from_address;
	*say_r = "full\r\n";
	return !admit_max || total <= admit_max;
}

static enum conn_next big(struct conn *conn, struct echo *echo)
{
	static const char block[1024] = "................";

	while (echo->big_left && !conn_should_yield(conn)) {
		size_t n = echo->big_left < sizeof block ? echo->big_left : sizeof block;

		conn_put(conn, block, n);
		big_put += n;
		echo->big_left -= n;
	}
	if (echo->big_left)
		return CONN_YIELD;
	conn_puts(conn, "big done\r\n");
	return CONN_WAIT;
}

static void busy(struct conn *conn)
{
	int now = ++busy_n, most = busy_most;

	while (now > most && !atomic_compare_exchange_weak(&busy_most, &most, now))
		;
	while (!busy_may_go)
		usleep(1000);
	busy_n--;
	conn_puts(conn, "was busy\r\n");
}

static enum conn_next verb(struct conn *conn, struct echo *echo, struct str_view line)
{
	struct str_view word = str_word(&line);
	uint64_t n = 0;

	line = str_trim(line);
	str_number(line, UINT32_MAX, &n);
	if (str_equal(word, SV("BIG"))) {
		echo->big_left = n;
		return big(conn, echo);
	}
	if (str_equal(word, SV("HOLD"))) {
		last_id = conn_id(conn);
		conn_hold_for(conn, (int64_t)n);
		echo->holds = true;
		return CONN_HOLD;
	}
	if (str_equal(word, SV("QUIT"))) {
		conn_puts(conn, "bye\r\n");
		return CONN_CLOSE;
	}
	if (str_equal(word, SV("AUTH"))) {
		conn_authenticated(conn, n);
	} else if (str_equal(word, SV("TIMEOUT"))) {
		conn_set_timeout(conn, (int64_t)n);
	} else if (str_equal(word, SV("ID"))) {
		last_id = conn_id(conn);
	} else if (str_equal(word, SV("STARTTLS"))) {
		conn_puts(conn, "go\r\n");
		conn_starttls(conn);
		return CONN_WAIT;
	} else if (str_equal(word, SV("BUSY"))) {
		busy(conn);
	}
	conn_printf(conn, "%.*s ok\r\n", (int)word.n, word.p);
	return CONN_WAIT;
}

static enum conn_next lines(struct conn *conn, struct echo *echo)
{
	struct str_view line;

	for (;;) {
		if (echo->skipping && !conn_skip_line(conn))
			return CONN_WAIT;
		echo->skipping = false;
		switch (conn_line(conn, LINE_MAX_OCTETS, &line)) {
		case CONN_LINE_PART:
			return CONN_WAIT;
		case CONN_LINE_TOO_LONG:
			conn_puts(conn, "too long\r\n");
			echo->skipping = true;
			break;
		case CONN_LINE: {
			enum conn_next next = verb(conn, echo, line);

			if (next != CONN_WAIT || str_equal(line, SV("STARTTLS")))
				return next;
		}
		}
	}
}

static enum conn_next echo_run(struct conn *conn, void *state, unsigned events)
{
	struct echo *echo = state;

	if (events & CONN_OPENED)
		conn_puts(conn, "hello\r\n");
	if (events & CONN_TLS_UP)
		conn_puts(conn, "private\r\n");
	if (events & CONN_WOKEN)
		conn_puts(conn, "woken\r\n");
	if (events & CONN_TIMEOUT)
		conn_puts(conn, "timeout\r\n");
	if (events & CONN_HELD)
		conn_puts(conn, "held\r\n");
	echo->holds = echo->holds && !(events & (CONN_WOKEN | CONN_HELD | CONN_STOPPING));
	if (echo->holds)
		return CONN_HOLD;
	if (events & CONN_STOPPING) {
		if (!echo->big_left)
			conn_puts(conn, "stopping\r\n");
		return CONN_CLOSE;
	}
	if (echo->big_left) {
		enum conn_next next = big(conn, echo);

		if (next != CONN_WAIT)
			return next;
	}
	return lines(conn, echo);
}

static const struct net_door echo_door = {
    .name = "echo",
    .open = echo_open,
    .run = echo_run,
    .close = echo_close,
    .admit = echo_admit,
};

/* --- the server ---------------------------------------------------------------------------- */

static struct net_server *server;
static struct net_tls *tls;
static pthread_t server_thread;
static char folder[64];

static void *serve(void *arg)
{
	(void)arg;
	net_server_run(server);
	return NULL;
}

static void start(const struct net_limits *limits)
{
	const struct net_listen listens[] = {
	    {.address = "127.0.0.1:0", .tls = false, .door = &echo_door},
	    {.address = "127.0.0.1:0", .tls = true, .door = &echo_door},
	};
	struct err e;

	open_n = closed_n = busy_most = 0;
	admit_max = 0;
	big_put = 0;
	busy_may_go = false;
	assert_int_equal(net_server_new(listens, tls ? 2 : 1, tls, limits, &server, &e), 0);
	assert_int_equal(pthread_create(&server_thread, NULL, serve, NULL), 0);
}

static void stop(void)
{
	busy_may_go = true; /* whatever failed, nobody is left in there */
	net_server_stop(server);
	pthread_join(server_thread, NULL);
	assert_int_equal(open_n, closed_n);
	net_server_free(&server);
}

static int start_default(void **state)
{
	(void)state;
	start(&net_limits_default);
	return 0;
}

static int stop_it(void **state)
{
	(void)state;
	stop();
	return 0;
}

static void greet(struct peer *peer)
{
	peer_open(peer, net_server_port(server, 0));
	peer_expect(peer, "hello\r\n");
}

static void wait_closed(int n)
{
	for (int i = 0; i < 10000 && closed_n < n; i++)
		usleep(1000);
	assert_int_equal(closed_n, n);
}

/* --- holding ------------------------------------------------------------------------------- */

static uint64_t id_said(void)
{
	for (int i = 0; i < 10000 && !last_id; i++)
		usleep(1000);
	return last_id;
}

static void what_is_held_hears_nothing_until_it_is_woken(void **state)
{
	struct peer peer;

	(void)state;
	last_id = 0;
	greet(&peer);
	peer_send(&peer, "HOLD 60000\r\nA\r\n");
	id_said();
	peer_send(&peer, "B\r\n");
	usleep(20000); /* were it read, it would be answered before the wake */
	net_wake(server, last_id);
	peer_expect(&peer, "woken\r\nA ok\r\nB ok\r\n");
	peer_close(&peer);
}

static void half_closed_peer_still_gets_what_it_was_held_for(void **state)
{
	struct peer peer;

	(void)state;
	last_id = 0;
	greet(&peer);
	peer_send(&peer, "HOLD 60000\r\n");
	shutdown(peer.fd, SHUT_WR);
	id_said();
	usleep(20000);
	net_wake(server, last_id);
	peer_expect(&peer, "woken\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
	wait_closed(1);
}

static void hold_ends_with_its_time(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "TIMEOUT 60000\r\nHOLD 10\r\nA\r\n");
	peer_expect(&peer, "TIMEOUT ok\r\nheld\r\nA ok\r\n");
	peer_close(&peer);
}

static void who_is_held_does_not_keep_the_server_from_stopping(void **state)
{
	struct peer peer;

	(void)state;
	start(&net_limits_default);
	last_id = 0;
	greet(&peer);
	peer_send(&peer, "HOLD 60000\r\n");
	id_said();
	stop();
	peer_expect(&peer, "stopping\r\n");
	peer_close(&peer);
}

/* --- connections that we make -------------------------------------------------------------- */

static _Atomic int dialled_lines, dialled_closed;

static void *dialled_open(struct conn *conn, void *arg)
{
	(void)conn;
	return arg;
}

static enum conn_next dialled_run(struct conn *conn, void *arg, unsigned events)
{
	struct str_view line;

	(void)arg;
	if (events & CONN_STOPPING)
		return CONN_CLOSE;
	if (events & CONN_OPENED)
		conn_puts(conn, "A\r\n");
	while (conn_line(conn, 100, &line) == CONN_LINE)
		if (++dialled_lines == 2) /* "hello", "A ok" */
			return CONN_CLOSE;
	return CONN_WAIT;
}

static void dialled_close(struct conn *conn, void *arg, enum conn_end end)
{
	(void)conn, (void)arg, (void)end;
	dialled_closed++;
}

static const struct net_door dialled_door = {
    .name = "dialled", .open = dialled_open, .run = dialled_run, .close = dialled_close};

static void connection_that_we_make_is_served_as_one_that_came(void **state)
{
	char address[64];
	struct net_listen listen = {.address = address, .door = &echo_door};
	uint64_t id;
	struct err e;

	(void)state;
	snprintf(address, sizeof address, NET_UNIX "/tmp/postern-test-%d", (int)getpid());
	open_n = closed_n = dialled_lines = dialled_closed = 0;
	admit_max = 0;
	assert_int_equal(net_server_new(&listen, 1, NULL, &net_limits_default, &server, &e), 0);
	assert_int_equal(pthread_create(&server_thread, NULL, serve, NULL), 0);
	assert_int_equal(net_dial(server, address, &dialled_door, NULL, &id, &e), 0);
	for (int i = 0; i < 10000 && !dialled_closed; i++)
		usleep(1000);
	assert_int_equal(dialled_lines, 2);
	assert_int_equal(net_dial(server, "127.0.0.1:1", &dialled_door, NULL, &id, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	unlink(address + sizeof NET_UNIX - 1);
	assert_int_equal(net_dial(server, address, &dialled_door, NULL, &id, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	stop();
	assert_int_equal(dialled_closed, 1);
}

/* --- several that begin at once -------------------------------------------------------------- */

#define BEGINNERS_N 4

static void listen_in_child(const char *address, int said_fd, int end_fd)
{
	struct net_listen how = {.address = address};
	struct err e;
	int fd;
	char end, said = net_listen_open(&how, &fd, &e) == 0 ? 'y' : 'n';

	if (write(said_fd, &said, 1) == 1)
		(void)!read(end_fd, &end, 1);
	_exit(0);
}

static bool is_answered(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is;

	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	is = connect(fd, (const void *)&to, sizeof to) == 0;
	close(fd);
	return is;
}

static void one_of_many_that_begin_at_once_listens(void **state)
{
	char address[64], said[BEGINNERS_N];
	int result[2], end[2];

	(void)state;
	snprintf(address, sizeof address, NET_UNIX "/tmp/postern-test-%d", (int)getpid());
	for (int round = 0; round < 100; round++) {
		unsigned listen_n = 0;

		assert_int_equal(pipe2(result, O_CLOEXEC), 0);
		assert_int_equal(pipe2(end, O_CLOEXEC), 0);
		for (int i = 0; i < BEGINNERS_N; i++)
			if (fork() == 0) {
				close(end[1]);
				listen_in_child(address, result[1], end[0]);
			}
		for (int i = 0; i < BEGINNERS_N; i++) {
			assert_int_equal(read(result[0], &said[i], 1), 1);
			listen_n += said[i] == 'y';
		}
		assert_int_equal(listen_n, 1);
		assert_true(is_answered(address + sizeof NET_UNIX - 1));
		close(end[1]);
		for (int i = 0; i < BEGINNERS_N; i++)
			assert_true(wait(NULL) > 0);
		close(end[0]);
		close(result[0]);
		close(result[1]);
	}
	unlink(address + sizeof NET_UNIX - 1);
}

/* --- lines --------------------------------------------------------------------------------- */

static void line_in_pieces_is_answered_when_it_is_whole(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	for (const char *p = "NOOP\r\n"; *p; p++) {
		char one[2] = {*p, '\0'};

		peer_send(&peer, one);
		usleep(500); /* let the pieces arrive apart; no answer depends on it */
	}
	peer_expect(&peer, "NOOP ok\r\n");
	peer_close(&peer);
}

static void lines_in_one_piece_are_answered_in_order(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "A\r\nB\nC\r\nQUIT\r\nD\r\n");
	peer_expect(&peer, "A ok\r\nB ok\r\nC ok\r\nbye\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
	wait_closed(1);
	assert_int_equal(last_end, CONN_END_DOOR);
}

static void line_from_a_piped_telnet_has_no_nul_at_its_end(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send_n(&peer, "A\r\0\r\nQUIT\r\0\r\n", 13);
	peer_expect(&peer, "A ok\r\nbye\r\n");
	peer_close(&peer);
}

static void line_too_long_is_said_once_and_skipped(void **state)
{
	char longest[LINE_MAX_OCTETS + 1], over[100000];
	struct peer peer;

	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	memset(over, 'y', sizeof over - 1);
	over[sizeof over - 1] = '\0';
	greet(&peer);
	peer_send(&peer, "AUTH 1\r\n"); /* the budget before it is smaller than this line */
	peer_expect(&peer, "AUTH ok\r\n");
	peer_send(&peer, longest);
	peer_send(&peer, "\r\n");
	peer_expect(&peer, longest);
	peer_expect(&peer, " ok\r\n");
	peer_send(&peer, longest);
	peer_send(&peer, "x\r\n");
	peer_expect(&peer, "too long\r\n");
	peer_send(&peer, over);
	peer_send(&peer, "\r\nNOOP\r\n");
	peer_expect(&peer, "too long\r\nNOOP ok\r\n");
	peer_close(&peer);
}

static void peer_that_closes_is_noticed(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "half a li");
	peer_close(&peer);
	wait_closed(1);
	assert_int_equal(last_end, CONN_END_PEER);
}

static void commands_before_a_half_close_are_answered(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "A\r\nBIG 3000000\r\n");
	shutdown(peer.fd, SHUT_WR);
	peer_expect(&peer, "A ok\r\n");
	char *octets = malloc(3000000);

	assert_int_equal(peer_read(&peer, octets, 3000000), 3000000);
	free(octets);
	peer_expect(&peer, "big done\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
}

/* --- output -------------------------------------------------------------------------------- */

static void slow_reader_holds_the_door_back_and_loses_nothing(void **state)
{
	const size_t n = 20000000;
	char *octets = malloc(n);
	struct peer slow, other;

	(void)state;
	peer_open_narrow(&slow, net_server_port(server, 0));
	peer_expect(&slow, "hello\r\n");
	peer_send(&slow, "BIG 20000000\r\nNOOP\r\n");
	/* Another connection is served while this one is stuck. */
	greet(&other);
	peer_send(&other, "NOOP\r\n");
	peer_expect(&other, "NOOP ok\r\n");
	peer_close(&other);
	assert_true(big_put < n);
	assert_int_equal(peer_read(&slow, octets, n), n);
	peer_expect(&slow, "big done\r\nNOOP ok\r\n");
	peer_close(&slow);
	free(octets);
}

static void peer_that_never_reads_is_cut_after_the_send_timeout(void **state)
{
	struct peer peer;

	(void)state;
	peer_open_narrow(&peer, net_server_port(server, 0));
	peer_expect(&peer, "hello\r\n");
	peer_send(&peer, "AUTH 1\r\nBIG 20000000\r\n");
	/* Once the door has put all it may, only the clock can end this. */
	for (size_t before = 1; before != big_put || !before; usleep(50000))
		before = big_put;
	assert_int_equal(closed_n, 0);
	for (int i = 0; i < 100 && !closed_n; i++) {
		clock_advance(net_limits_default.send_timeout_ms);
		net_server_look(server);
		usleep(20000);
	}
	wait_closed(1);
	assert_int_equal(last_end, CONN_END_SLOW);
	peer_close(&peer);
}

/* --- waking, time, budgets ----------------------------------------------------------------- */

static void wake_calls_the_door_and_a_stale_id_nobody(void **state)
{
	struct peer peer, next;

	(void)state;
	greet(&peer);
	peer_send(&peer, "ID\r\n");
	peer_expect(&peer, "ID ok\r\n");
	net_wake(server, last_id);
	peer_expect(&peer, "woken\r\n");
	peer_send(&peer, "QUIT\r\n");
	peer_expect(&peer, "bye\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
	wait_closed(1);
	greet(&next); /* gets the slot of the first */
	net_wake(server, last_id);
	net_wake(server, 0);
	net_wake(server, UINT64_MAX);
	peer_send(&next, "NOOP\r\n");
	peer_expect(&next, "NOOP ok\r\n");
	peer_close(&next);
}

static void end_reaches_a_connection_whose_peer_reads_nothing(void **state)
{
	struct peer peer;

	(void)state;
	peer_open_narrow(&peer, net_server_port(server, 0));
	peer_expect(&peer, "hello\r\n");
	peer_send(&peer, "ID\r\nBIG 20000000\r\n");
	peer_expect(&peer, "ID ok\r\n");
	for (size_t before = 1; before != big_put || !before; usleep(50000))
		before = big_put;
	net_end(server, last_id);
	wait_closed(1);
	assert_int_equal(last_end, CONN_END_STOP);
	peer_close(&peer);
}

static void timeout_is_told_after_silence_only(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "AUTH 1\r\nTIMEOUT 60000\r\n");
	peer_expect(&peer, "AUTH ok\r\nTIMEOUT ok\r\n");
	clock_advance(59000);
	peer_send(&peer, "NOOP\r\n"); /* begins the silence anew */
	peer_expect(&peer, "NOOP ok\r\n");
	clock_advance(59000);
	net_server_look(server);
	peer_send(&peer, "NOOP\r\n");
	peer_expect(&peer, "NOOP ok\r\n");
	clock_advance(61000);
	net_server_look(server);
	peer_expect(&peer, "timeout\r\n");
	peer_close(&peer);
}

static void stranger_has_a_budget_of_seconds(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "NOOP\r\n"); /* activity buys no time */
	peer_expect(&peer, "NOOP ok\r\n");
	clock_advance(net_limits_default.preauth_ms + 1);
	net_server_look(server);
	peer_expect(&peer, "timeout\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
	assert_int_equal(last_end, CONN_END_BUDGET);
}

static void stranger_has_a_budget_of_octets(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	for (uint32_t i = 0; i <= net_limits_default.preauth_octets / 8; i++)
		peer_send(&peer, "123456\r\n");
	wait_closed(1);
	assert_int_equal(last_end, CONN_END_BUDGET);
	peer_close(&peer);
}

static void user_keeps_no_more_workers_busy_than_allowed(void **state)
{
	struct peer peers[7], other;

	(void)state;
	for (int i = 0; i < 7; i++) {
		greet(&peers[i]);
		peer_send(&peers[i], "AUTH 7\r\n");
		peer_expect(&peers[i], "AUTH ok\r\n");
	}
	for (int i = 0; i < 7; i++)
		peer_send(&peers[i], "BUSY\r\n");
	while (busy_n < 4)
		usleep(1000);
	greet(&other); /* another user is served meanwhile */
	peer_send(&other, "AUTH 8\r\nNOOP\r\n");
	peer_expect(&other, "AUTH ok\r\nNOOP ok\r\n");
	assert_int_equal(busy_n, 4);
	busy_may_go = true;
	for (int i = 0; i < 7; i++) {
		peer_expect(&peers[i], "was busy\r\nBUSY ok\r\n");
		peer_close(&peers[i]);
	}
	assert_int_equal(busy_most, 4);
	peer_close(&other);
}

static void strangers_keep_half_of_the_workers_busy_at_most(void **state)
{
	struct net_limits limits = net_limits_default;
	struct peer peers[5], friend;

	(void)state;
	limits.workers_max = 8;
	start(&limits);
	greet(&friend);
	peer_send(&friend, "AUTH 1\r\n");
	peer_expect(&friend, "AUTH ok\r\n");
	for (int i = 0; i < 4; i++) {
		greet(&peers[i]);
		peer_send(&peers[i], "BUSY\r\n");
	}
	while (busy_n < 4)
		usleep(1000);
	peer_send(&friend, "NOOP\r\n");
	peer_expect(&friend, "NOOP ok\r\n");
	peer_open(&peers[4], net_server_port(server, 0)); /* not even greeted until one is done */
	busy_may_go = true;
	peer_expect(&peers[4], "hello\r\n");
	for (int i = 0; i < 5; i++) {
		if (i < 4)
			peer_expect(&peers[i], "was busy\r\nBUSY ok\r\n");
		peer_close(&peers[i]);
	}
	assert_int_equal(busy_most, 4);
	peer_close(&friend);
	stop();
}

/* By the kernel's own count: a listing of /proc/self/task leaves some out while others end. */
static int threads_n(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int n = 0;

	assert_non_null(status);
	while (n == 0 && fgets(line, sizeof line, status))
		sscanf(line, "Threads: %d", &n); /* NOLINT: the kernel wrote it */
	fclose(status);
	assert_true(n > 0);
	return n;
}

static void workers_of_a_burst_end_after_it_and_come_back_for_the_next(void **state)
{
	struct net_limits limits = net_limits_default;
	struct peer peers[4];
	int before;

	(void)state;
	limits.workers_max = 8;
	limits.rest_ms = 50;
	before = threads_n();
	start(&limits);
	for (int i = 0; i < 4; i++)
		greet(&peers[i]);
	for (int burst = 0; burst < 2; burst++) {
		busy_may_go = false;
		for (int i = 0; i < 4; i++)
			peer_send(&peers[i], "BUSY\r\n");
		while (busy_n < 4)
			usleep(1000);
		assert_true(threads_n() >= before + 5); /* the time-keeper, and who are busy */
		busy_may_go = true;
		for (int i = 0; i < 4; i++)
			peer_expect(&peers[i], "was busy\r\nBUSY ok\r\n");
		for (int i = 0; threads_n() > before + 3 && i < 20000; i++)
			usleep(1000);
		assert_int_equal(threads_n(), before + 3); /* two of them are left */
	}
	for (int i = 0; i < 4; i++)
		peer_close(&peers[i]);
	stop();
}

static void accept_over_the_limit_is_told_in_words(void **state)
{
	struct peer first, second, third;

	(void)state;
	admit_max = 1;
	greet(&first);
	peer_open(&second, net_server_port(server, 0));
	peer_expect(&second, "full\r\n");
	peer_expect_eof(&second);
	peer_close(&second);
	peer_send(&first, "QUIT\r\n");
	peer_expect(&first, "bye\r\n");
	peer_expect_eof(&first);
	peer_close(&first);
	greet(&third);
	peer_close(&third);
}

/* In a child, whose descriptor 3 and limits are its own; what it exits with says what went wrong. */
static int child_status(int (*run)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(run());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Were it not taken, to listen there a second time would fail. */
static int take_socket(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof at;
	struct net_listen listen_there = {.door = &echo_door};
	char address[32], pid[16];
	struct net_server *taker;
	struct err e;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 5) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0 || dup2(fd, 3) < 0)
		return 2;
	snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(at.sin_port));
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	listen_there.address = address;
	if (net_server_new(&listen_there, 1, NULL, &net_limits_default, &taker, &e) == 0)
		return 3; /* nobody passed it in yet */
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	if (net_server_new(&listen_there, 1, NULL, &net_limits_default, &taker, &e) < 0)
		return 4;
	net_server_free(&taker);
	return 0;
}

static void socket_that_was_passed_in_is_taken(void **state)
{
	(void)state;
	assert_int_equal(child_status(take_socket), 0);
}

/* Connects and reads the first octet: 'h' of "hello", or 0 where the server closes. */
static char first_octet(int fd)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(net_server_port(server, 0))};
	const struct timeval patience = {.tv_sec = 10};
	char c = '?';

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return '!';
	return recv(fd, &c, 1, 0) == 0 ? 0 : c;
}

/* Peers that find no descriptor left are turned away, and when there are some again, served. */
static int run_out_of_descriptors(void)
{
	const struct rlimit few = {40, 40};
	int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
	int held[64], n = 0;
	char c = 0;

	start(&net_limits_default);
	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		return 2;
	if (first_octet(first) != 'h')
		return 3;
	while (n < 64 && (held[n] = dup(0)) >= 0)
		n++;
	if (first_octet(second) != 0)
		return 4;
	close(second);
	while (n > 0)
		close(held[--n]);
	/* The server may just be turning somebody away. */
	for (int i = 0; i < 100 && c != 'h'; i++) {
		second = socket(AF_INET, SOCK_STREAM, 0);
		c = first_octet(second);
		close(second);
	}
	return c == 'h' ? 0 : 5;
}

static void peers_are_turned_away_when_descriptors_run_out(void **state)
{
	(void)state;
	assert_int_equal(child_status(run_out_of_descriptors), 0);
}

static void stop_says_goodbye_to_everybody(void **state)
{
	struct peer peers[20];

	(void)state;
	start(&net_limits_default);
	for (int i = 0; i < 20; i++)
		greet(&peers[i]);
	stop();
	assert_int_equal(closed_n, 20);
	for (int i = 0; i < 20; i++) {
		peer_expect(&peers[i], "stopping\r\n");
		peer_expect_eof(&peers[i]);
		peer_close(&peers[i]);
	}
}

/* --- TLS ----------------------------------------------------------------------------------- */

static void tls_from_the_first_octet(void **state)
{
	struct peer peer;
	char *octets = malloc(1000000);

	(void)state;
	peer_open(&peer, net_server_port(server, 1));
	assert_int_equal(peer_tls(&peer), 0);
	peer_expect(&peer, "hello\r\n");
	peer_send(&peer, "NOOP\r\nBIG 1000000\r\n");
	peer_expect(&peer, "NOOP ok\r\n");
	assert_int_equal(peer_read(&peer, octets, 1000000), 1000000);
	peer_expect(&peer, "big done\r\n");
	peer_send(&peer, "QUIT\r\n");
	peer_expect(&peer, "bye\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
	free(octets);
}

static void starttls_throws_away_what_was_read_before(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "STARTTLS\r\nINJECTED\r\n");
	peer_expect(&peer, "go\r\n");
	assert_int_equal(peer_tls(&peer), 0);
	peer_expect(&peer, "private\r\n");
	peer_send(&peer, "NOOP\r\n");
	peer_expect(&peer, "NOOP ok\r\n"); /* and no word of INJECTED */
	peer_close(&peer);
}

static void commands_before_a_half_close_of_tls_are_answered(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, net_server_port(server, 1));
	assert_int_equal(peer_tls(&peer), 0);
	peer_expect(&peer, "hello\r\n");
	peer_send(&peer, "A\r\nB\r\n");
	assert_int_equal(gnutls_bye(peer.tls, GNUTLS_SHUT_WR), 0);
	peer_expect(&peer, "A ok\r\nB ok\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
}

/* TLS 1.2 lets a client ask for another handshake (CVE-2011-1473): it does not get one. */
static void renegotiation_ends_the_connection(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, net_server_port(server, 1));
	assert_int_equal(peer_tls_with(&peer, "NORMAL:-VERS-TLS-ALL:+VERS-TLS1.2"), 0);
	peer_expect(&peer, "hello\r\n");
	peer_send(&peer, "A\r\n");
	peer_expect(&peer, "A ok\r\n");
	assert_true(gnutls_handshake(peer.tls) < 0);
	wait_closed(1);
	peer_close(&peer);
}

static void handshake_of_nonsense_ends_the_connection(void **state)
{
	struct peer peer;
	char answer[64];

	(void)state;
	peer_open(&peer, net_server_port(server, 1));
	peer_send(&peer, "USER alice\r\nPASS postern\r\nand more of the same\r\n");
	peer_read(&peer, answer, sizeof answer); /* an alert, then the end */
	peer_close(&peer);
	assert_int_equal(open_n, 0);
}

static void handshake_that_stalls_has_a_budget(void **state)
{
	struct peer peer;

	(void)state;
	peer_open(&peer, net_server_port(server, 1));
	peer_send(&peer, "\x16\x03\x01");
	/* It is accepted when a worker comes to it: the first jump of the clock after that ends it. */
	for (int i = 0; i < 200 && poll(&(struct pollfd){.fd = peer.fd, .events = POLLIN}, 1, 50) == 0; i++) {
		clock_advance(net_limits_default.preauth_ms + 1);
		net_server_look(server);
	}
	peer_expect_eof(&peer);
	peer_close(&peer);
}

static int make_certificate(void **state)
{
	char command[512], certificate[128], key[128];
	const struct net_tls_pair pair = {.certificate = certificate, .key = key};
	const struct net_tls_config config = {.pairs = &pair, .pairs_n = 1, .priority = NET_TLS_PRIORITY};
	struct err e;

	(void)state;
	strcpy(folder, "/tmp/postern-net-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(key, sizeof key, "%s/key.pem", folder);
	snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
	snprintf(command, sizeof command,
	    "cd %s && printf 'cn = localhost\\ndns_name = localhost\\ntls_www_server\\n' > t && "
	    "certtool --generate-privkey --ecc --outfile key.pem 2>/dev/null && certtool "
	    "--generate-self-signed --load-privkey key.pem --template t --outfile cert.pem 2>/dev/null",
	    folder);
	if (system(command) != 0) /* NOLINT: fixed words */
		return -1;
	return net_tls_load(&config, &tls, &e);
}

static int remove_certificate(void **state)
{
	char command[128];

	(void)state;
	net_tls_free(&tls);
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command); /* NOLINT: fixed words */
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, start_default, stop_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SERVED(line_in_pieces_is_answered_when_it_is_whole),
	    SERVED(what_is_held_hears_nothing_until_it_is_woken),
	    SERVED(half_closed_peer_still_gets_what_it_was_held_for),
	    SERVED(hold_ends_with_its_time),
	    cmocka_unit_test(who_is_held_does_not_keep_the_server_from_stopping),
	    cmocka_unit_test(connection_that_we_make_is_served_as_one_that_came),
	    cmocka_unit_test(one_of_many_that_begin_at_once_listens),
	    SERVED(line_from_a_piped_telnet_has_no_nul_at_its_end),
	    SERVED(lines_in_one_piece_are_answered_in_order),
	    SERVED(line_too_long_is_said_once_and_skipped),
	    SERVED(peer_that_closes_is_noticed),
	    SERVED(commands_before_a_half_close_are_answered),
	    SERVED(slow_reader_holds_the_door_back_and_loses_nothing),
	    SERVED(peer_that_never_reads_is_cut_after_the_send_timeout),
	    SERVED(wake_calls_the_door_and_a_stale_id_nobody),
	    SERVED(end_reaches_a_connection_whose_peer_reads_nothing),
	    SERVED(timeout_is_told_after_silence_only),
	    SERVED(stranger_has_a_budget_of_seconds),
	    SERVED(stranger_has_a_budget_of_octets),
	    SERVED(user_keeps_no_more_workers_busy_than_allowed),
	    cmocka_unit_test(strangers_keep_half_of_the_workers_busy_at_most),
	    cmocka_unit_test(workers_of_a_burst_end_after_it_and_come_back_for_the_next),
	    SERVED(accept_over_the_limit_is_told_in_words),
	    cmocka_unit_test(socket_that_was_passed_in_is_taken),
	    cmocka_unit_test(peers_are_turned_away_when_descriptors_run_out),
	    cmocka_unit_test(stop_says_goodbye_to_everybody),
	    SERVED(tls_from_the_first_octet),
	    SERVED(starttls_throws_away_what_was_read_before),
	    SERVED(commands_before_a_half_close_of_tls_are_answered),
	    SERVED(renegotiation_ends_the_connection),
	    SERVED(handshake_of_nonsense_ends_the_connection),
	    SERVED(handshake_that_stalls_has_a_budget),
	};

	return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}

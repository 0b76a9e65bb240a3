/*
 * What lib/net costs: a round trip of one short command, against a thread that does nothing but
 * recv and send; the same with eight peers at once; and the memory of a connection that idles.
 * Medians of five, all in one run.
 */
#include "net/conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIPS 20000
#define PEERS 8
#define IDLERS 2000

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- a door that answers, and a thread that does ------------------------------------------- */

static void *door_open(struct conn *conn, void *arg)
{
	(void)arg;
	conn_set_timeout(conn, 1800000);
	return conn;
}

static enum conn_next door_run(struct conn *conn, void *state, unsigned events)
{
	struct str_view line;

	(void)state;
	if (events & CONN_STOPPING)
		return CONN_CLOSE;
	while (conn_line(conn, 100, &line) == CONN_LINE) {
		if (line.n && line.p[0] == 'A')
			conn_authenticated(conn, conn_id(conn));
		conn_puts(conn, "+OK\r\n");
	}
	return CONN_WAIT;
}

static void door_close(struct conn *conn, void *state, enum conn_end end)
{
	(void)conn, (void)state, (void)end;
}

static const struct net_door door = {
    .name = "bench", .open = door_open, .run = door_run, .close = door_close};

static void *bare_server(void *arg)
{
	int listener = *(int *)arg, on = 1, fd = accept(listener, NULL, NULL);
	char line[100];

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	while (recv(fd, line, sizeof line, 0) > 0)
		must(send(fd, "+OK\r\n", 5, MSG_NOSIGNAL) == 5, "send");
	close(fd);
	return NULL;
}

/* --- the peer's end ------------------------------------------------------------------------ */

static int dial(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static void trip(int fd, const char *line)
{
	char answer[16];
	size_t n = strlen(line);

	must(send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n, "send");
	must(recv(fd, answer, sizeof answer, 0) == 5, "recv");
}

/* Microseconds a round trip. */
static double trips(int fd)
{
	double begun;

	trip(fd, "AUTH\r\n");
	begun = now_s();
	for (int i = 0; i < TRIPS; i++)
		trip(fd, "NOOP\r\n");
	return (now_s() - begun) * 1e6 / TRIPS;
}

static double bare(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	pthread_t thread;
	double us;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)&at, size) == 0 && listen(listener, 1) == 0 &&
		 getsockname(listener, (struct sockaddr *)&at, &size) == 0, "listen");
	pthread_create(&thread, NULL, bare_server, &listener);
	fd = dial(ntohs(at.sin_port));
	us = trips(fd);
	close(fd);
	pthread_join(thread, NULL);
	close(listener);
	return us;
}

static uint16_t port;

static void *one_peer(void *arg)
{
	int fd = dial(port);

	(void)arg;
	trips(fd);
	close(fd);
	return NULL;
}

static double served(void)
{
	int fd = dial(port);
	double us = trips(fd);

	close(fd);
	return us;
}

/* Microseconds a round trip, over all peers. */
static double crowd(void)
{
	pthread_t threads[PEERS];
	double begun = now_s();

	for (int i = 0; i < PEERS; i++)
		pthread_create(&threads[i], NULL, one_peer, NULL);
	for (int i = 0; i < PEERS; i++)
		pthread_join(threads[i], NULL);
	return (now_s() - begun) * 1e6 / TRIPS / PEERS;
}

static size_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, resident = 0;

	must(f && fscanf(f, "%lu %lu", &size, &resident) == 2, "/proc/self/statm");
	fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t idle_bytes(void)
{
	static int fds[IDLERS];
	size_t before;

	trip(fds[0] = dial(port), "AUTH\r\n");
	close(fds[0]);
	before = resident_bytes();
	for (int i = 0; i < IDLERS; i++) {
		fds[i] = dial(port);
		trip(fds[i], "AUTH\r\n");
	}
	usleep(10000); /* the last ones are handed back */
	size_t each = (resident_bytes() - before) / IDLERS;

	for (int i = 0; i < IDLERS; i++)
		close(fds[i]);
	return each;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of_five(double (*measure)(void))
{
	double us[5];

	for (int i = 0; i < 5; i++)
		us[i] = measure();
	qsort(us, 5, sizeof *us, by_size);
	return us[2];
}

static void *serve(void *server)
{
	net_server_run(server);
	return NULL;
}

int main(void)
{
	const struct net_listen listen = {.address = "127.0.0.1:0", .door = &door};
	struct rlimit files;
	struct net_server *server;
	pthread_t thread;
	struct err e;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	must(net_server_new(&listen, 1, NULL, &net_limits_default, &server, &e) == 0, "server");
	pthread_create(&thread, NULL, serve, server);
	port = net_server_port(server, 0);

	double bare_us = median_of_five(bare), served_us = median_of_five(served);

	printf("figure: bare round trip | %.1f us |\n", bare_us);
	printf("figure: round trip | %.1f us, %.2f x bare |\n", served_us, served_us / bare_us);
	printf("figure: %d peers, each round trip | %.1f us |\n", PEERS, median_of_five(crowd));
	printf("figure: memory of an idle connection | %zu bytes |\n", idle_bytes());
	net_server_stop(server);
	pthread_join(thread, NULL);
	net_server_free(&server);
	return 0;
}

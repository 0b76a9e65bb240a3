/*
 * What IMAP and the store cost above SQLite: appends of 4 KB messages over one connection to a real
 * postern-imapd (LITERAL+, one command at a time), against the bare transaction of bare.h.  Server,
 * client and floor share one CPU; rounds interleaved, medians.
 * Many short rounds: what else the machine does then spoils a few of them, not the median.
 *
 * usage: bench_imap_append POSTERN-IMAPD
 */
#include "bare.h"

#include "auth/account.h"
#include "limits/session.h"
#include "limits/site.h"
#include "store/directory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 21
#define PER_ROUND 200
#define SERVER_WAIT_MS 10000

static struct err e;
static struct site *site;
static char dir[] = "/tmp/postern-bench-XXXXXX";
static pid_t server;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s %s\n", what, err_name(e.code), e.what);
	if (server > 0)
		kill(server, SIGTERM);
	exit(1);
}
#define OK(call)                                                                                   \
	do                                                                                         \
		if ((call) < 0)                                                                    \
			die(#call);                                                                \
	while (0)

/* ---- the server ---- */

static struct sockaddr_in free_address(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, n) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		die("no free port");
	close(fd);
	return a;
}

static void server_start(const char *program, const char *store, uint16_t port)
{
	char path[96];
	FILE *conf;

	snprintf(path, sizeof path, "%s/store.conf", store);
	conf = fopen(path, "a");
	if (!conf || fprintf(conf, "\n[imap]\nlisten = 127.0.0.1:%u\n", port) < 0 || fclose(conf) != 0)
		die("store.conf");
	server = fork();
	if (server == 0) {
		execl(program, program, "--store", store, "--log-level", "warn", (char *)NULL);
		_exit(127);
	}
}

/* ---- the client ---- */

static int client_connect(const struct sockaddr_in *address)
{
	for (int waited_ms = 0; waited_ms < SERVER_WAIT_MS; waited_ms += 10) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

		if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			return fd;
		}
		close(fd);
		usleep(10000);
	}
	die("the server does not answer");
	return -1;
}

/* Reads until a line that begins so has come whole. */
static void client_expect(int fd, const char *begins)
{
	static char got[65536];
	size_t n = 0;

	for (;;) {
		ssize_t r = read(fd, got + n, sizeof got - 1 - n);
		char *line = got;

		if (r <= 0)
			die("the connection ended");
		n += (size_t)r;
		got[n] = '\0';
		for (char *end; (end = strstr(line, "\r\n")); line = end + 2)
			if (strncmp(line, begins, strlen(begins)) == 0)
				return;
		if (got[n - 1] == '\n' && strncmp(line, "a ", 2) == 0)
			die(got);
	}
}

static double imap_round(int fd, int n)
{
	static char command[BARE_MAIL_OCTETS + 64];
	size_t head = (size_t)snprintf(command, sizeof command, "a APPEND INBOX {%d+}\r\n", BARE_MAIL_OCTETS);
	double begun = bench_now_us();

	memcpy(command + head, bare_mail, BARE_MAIL_OCTETS);
	memcpy(command + head + BARE_MAIL_OCTETS, "\r\n", 2);
	head += BARE_MAIL_OCTETS + 2;
	for (int i = 0; i < n; i++) {
		if (write(fd, command, head) != (ssize_t)head)
			die("write");
		client_expect(fd, "a OK");
	}
	return (bench_now_us() - begun) / n;
}

static void log_in(int fd)
{
	static const char login[] = "a LOGIN alice bench\r\n";

	client_expect(fd, "* OK");
	if (write(fd, login, sizeof login - 1) < 0)
		die("write");
	client_expect(fd, "a OK");
}

/* ---- the figure ---- */

static struct store *open_store(struct user_id user)
{
	struct session_request request = {.service = SESSION_ADMIN, .actor = user, .mailbox = user,
	    .actor_name = "bench", .mailbox_name = "bench"};
	struct session_refusal why;
	struct session *session;
	struct store *store;

	OK(session_acquire(site, &request, &session, &why, &e));
	OK(store_open(session, &store, &e));
	return store;
}

static struct bare *floor_open(struct user_id user)
{
	struct store *store = open_store(user);
	struct session *session = store_session(store);
	struct append_how how = {.idate_ms = 1795402800000};
	struct arena arena = {0};
	struct folder_info inbox;
	struct append *append;
	struct append_done done;
	struct bare *bare;

	OK(folder_by_name(store, "INBOX", &arena, &inbox, &e));
	how.folder = inbox.id;
	OK(append_begin(store, &append, &e));
	OK(append_write(append, bare_mail, sizeof bare_mail, &e));
	OK(append_commit(&append, &how, 1, &done, &e));
	bare = bare_open(store, dir, user);
	store_close(&store);
	session_release(&session);
	arena_fini(&arena);
	return bare;
}

static void bench(int fd, struct bare *floor)
{
	double bare[ROUNDS], imap[ROUNDS], ratio[ROUNDS];

	imap_round(fd, 20);
	for (int i = 0; i < ROUNDS; i++) {
		bare[i] = bare_round(floor, PER_ROUND);
		imap[i] = imap_round(fd, PER_ROUND);
		ratio[i] = imap[i] / bare[i];
	}
	printf("append 4 KB: bare %.0f us, over IMAP4 %.0f us\n", bench_median(bare, ROUNDS),
	    bench_median(imap, ROUNDS));
	printf("figure: append 4 KB over IMAP4 (LITERAL+), over bare SQLite | %.2f | <= 1.2\n",
	    bench_median(ratio, ROUNDS));
}

static void one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = free_address();
	char store_dir[64], command[96];
	struct user_id alice, bob;
	struct bare *floor;
	int fd;

	if (argc != 2 || !mkdtemp(dir))
		return 2;
	one_cpu();
	signal(SIGPIPE, SIG_IGN);
	snprintf(store_dir, sizeof store_dir, "%s/s", dir);
	bare_mail_make();
	OK(site_create(store_dir, "run", &e));
	server_start(argv[1], store_dir, ntohs(address.sin_port));
	OK(site_open(store_dir, "bench", &site, &e));
	OK(directory_user_add(site, "alice", NULL, &alice, &e));
	credential_permit();
	OK(account_set_password(site, "alice", "bench", &e));
	OK(directory_user_add(site, "bob", NULL, &bob, &e));
	floor = floor_open(bob);
	fd = client_connect(&address);
	log_in(fd);
	bench(fd, floor);
	close(fd);
	bare_close(&floor);
	site_close(&site);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? 0 : 1;
}

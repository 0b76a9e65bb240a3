/*
 * tests/mount/mailtool.c - another process that uses the store, for the tests of the mount.
 *
 *   mailtool STORE init                    makes a store, its runtime folder inside
 *   mailtool STORE user NAME [ACCOUNT]     adds a user
 *   mailtool STORE add USER FOLDER         appends what stands on standard input
 *   mailtool STORE gen USER FOLDER N SIZE  appends N messages of about SIZE octets, CRLF
 *   mailtool STORE rm USER FOLDER UID      expunges
 *   mailtool STORE flag USER FOLDER UID    sets \Seen
 *   mailtool STORE notice USER FOLDER UID PATH N
 *                                          changes flags N times; how long stat(PATH) says what was before
 *   mailtool STORE ls USER FOLDER          UID, flags, CRLF size
 *   mailtool STORE check USER              the invariants; findings on standard output
 *   mailtool STORE held USER               sessions held
 *   mailtool STORE limit NAME VALUE        a setting of ParametersSystem
 */
#include "base/log.h"
#include "limits/registry.h"
#include "store/directory.h"
#include "store/flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct site *site;
static struct session *session;
static struct store *store;
static struct folder_info folder;
static struct arena arena;

static void die(const struct err *e)
{
	fprintf(stderr, "mailtool: %s\n", e->what);
	exit(1);
}

static void open_mailbox(const char *name, const char *folder_name)
{
	struct directory_user user;
	struct session_refusal why;
	struct session_request request = {.service = SESSION_ADMIN};
	struct err e;

	if (directory_user_find(site, name, &arena, &user, &e) < 0)
		die(&e);
	request.actor = request.mailbox = user.id;
	request.actor_name = request.mailbox_name = user.name;
	if (session_acquire(site, &request, &session, &why, &e) < 0 || store_open(session, &store, &e) < 0)
		die(&e);
	if (folder_name && folder_by_name(store, folder_name, &arena, &folder, &e) < 0 &&
	    (folder_create(store, folder_name, FOLDER_NO_USE, &folder.id, &e) < 0))
		die(&e);
}

static void close_mailbox(void)
{
	if (store)
		store_close(&store);
	if (session)
		session_release(&session);
}

static void cmd_init(char **args)
{
	(void)args;
}

static void cmd_user(char **args)
{
	struct user_id id;
	struct err e;

	if (directory_user_add(site, args[0], args[1], &id, &e) < 0)
		die(&e);
}

static void cmd_add(char **args)
{
	struct append *append;
	struct append_done done;
	struct append_how how = {.idate_ms = INT64_MIN};
	char buf[65536];
	struct err e;
	ssize_t n;

	open_mailbox(args[0], args[1]);
	how.folder = folder.id;
	if (append_begin(store, &append, &e) < 0)
		die(&e);
	while ((n = read(STDIN_FILENO, buf, sizeof buf)) > 0)
		if (append_write(append, buf, (size_t)n, &e) < 0)
			die(&e);
	if (append_commit(&append, &how, 1, &done, &e) < 0)
		die(&e);
	printf("%u\n", done.uid.n);
}

/* The nth message: its text is told by n alone. */
static void message_text(unsigned n, size_t size, struct str_buf *out)
{
	str_buf_printf(out, "From: sender%u <sender%u@example.org>\r\nTo: alice@example.org\r\n"
	    "Subject: Message number %u\r\nDate: Mon, 3 Mar 2025 10:00:%02u +0000\r\n"
	    "Message-ID: <m%u@example.org>\r\n\r\n", n % 97, n % 97, n, n % 60, n);
	for (unsigned line = 0; out->n < size; line++)
		str_buf_printf(out, "Line %u of message %u, with nothing much to say.\r\n", line, n);
}

static void cmd_gen(char **args)
{
	enum { BATCH = 100 };
	unsigned n = (unsigned)strtoul(args[2], NULL, 10), done_n = 0;
	size_t size = strtoul(args[3], NULL, 10);
	struct append *appends[BATCH];
	struct append_how hows[BATCH];
	struct append_done done[BATCH];
	struct str_buf text = {0};
	struct err e;

	open_mailbox(args[0], args[1]);
	while (done_n < n) {
		size_t batch = n - done_n < BATCH ? n - done_n : BATCH;

		for (size_t i = 0; i < batch; i++) {
			str_buf_clear(&text);
			message_text(done_n + (unsigned)i + 1, size, &text);
			hows[i] = (struct append_how){.folder = folder.id,
			    .idate_ms = 1740996000000 + (int64_t)(done_n + i) * 1000};
			if (append_begin(store, &appends[i], &e) < 0 ||
			    append_write(appends[i], text.p, text.n, &e) < 0)
				die(&e);
		}
		if (append_commit(appends, hows, batch, done, &e) < 0)
			die(&e);
		done_n += (unsigned)batch;
	}
	str_buf_fini(&text);
}

static void cmd_rm(char **args)
{
	uint32_t uid = (uint32_t)strtoul(args[2], NULL, 10);
	struct uid_range range = {uid, uid};
	struct store_uid *gone;
	struct err e;
	size_t n;

	open_mailbox(args[0], args[1]);
	if (message_expunge(store, folder.id, &range, 1, false, &arena, &gone, &n, &e) < 0)
		die(&e);
	printf("%zu\n", n);
}

static void cmd_flag(char **args)
{
	uint32_t uid = (uint32_t)strtoul(args[2], NULL, 10);
	struct uid_range range = {uid, uid};
	struct flags_change change = {.how = FLAGS_ADD, .flags = STORE_FLAG_SEEN};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;
	struct err e;

	open_mailbox(args[0], args[1]);
	if (flags_store(store, folder.id, &range, 1, &change, &arena, &now, &n, &failed, &failed_n, &e) < 0)
		die(&e);
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static struct timespec ctime_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		perror(path);
		exit(1);
	}
	return st.st_ctim;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void cmd_notice(char **args)
{
	uint32_t uid = (uint32_t)strtoul(args[2], NULL, 10);
	struct uid_range range = {uid, uid};
	size_t rounds = strtoul(args[4], NULL, 10), n, failed_n;
	int64_t *lags = ARENA_ARRAY(&arena, int64_t, rounds), begun;
	struct message_info *now;
	struct store_uid *failed;
	struct err e;

	open_mailbox(args[0], args[1]);
	for (size_t i = 0; i < rounds; i++) {
		struct flags_change change = {.how = i % 2 ? FLAGS_REMOVE : FLAGS_ADD, .flags = STORE_FLAG_FLAGGED};
		struct timespec was = ctime_of(args[3]), is = was;

		if (flags_store(store, folder.id, &range, 1, &change, &arena, &now, &n, &failed, &failed_n, &e) < 0)
			die(&e);
		begun = now_us();
		while (is.tv_sec == was.tv_sec && is.tv_nsec == was.tv_nsec && now_us() - begun < 10000000)
			is = ctime_of(args[3]);
		lags[i] = now_us() - begun;
		usleep(3000); /* a change's time is told in milliseconds */
	}
	qsort(lags, rounds, sizeof *lags, by_size);
	printf("stat of a cached name lags by p50 %lld us, p99 %lld us, at most %lld us\n",
	    (long long)lags[rounds / 2], (long long)lags[rounds * 99 / 100], (long long)lags[rounds - 1]);
	if (lags[rounds - 1] >= 10000000)
		exit(1);
}

static void cmd_ls(char **args)
{
	struct uid_range range = {1, UINT32_MAX};
	struct message_info *list;
	struct err e;
	size_t n;

	open_mailbox(args[0], args[1]);
	if (message_list(store, folder.id, &range, 1, MESSAGE_BASIC, 1000000, &arena, &list, &n, &e) < 0)
		die(&e);
	for (size_t i = 0; i < n; i++)
		printf("%u %u %llu\n", list[i].uid.n, list[i].flags, (unsigned long long)list[i].size);
}

static void cmd_check(char **args)
{
	struct str_buf report = {0};
	size_t findings;
	struct err e;

	open_mailbox(args[0], NULL);
	if (store_check(store, &report, &findings, &e) < 0)
		die(&e);
	fputs(report.p ? report.p : "", stdout);
	str_buf_fini(&report);
	if (findings) {
		close_mailbox();
		exit(1);
	}
}

static void cmd_held(char **args)
{
	struct session_counts counts;
	struct directory_user user;
	struct err e;

	if (directory_user_find(site, args[0], &arena, &user, &e) < 0 ||
	    session_count(site, user.id, &counts, &e) < 0)
		die(&e);
	printf("%u\n", counts.all);
}

static void cmd_limit(char **args)
{
	struct err e;

	if (registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM, args[0],
	        (uint32_t)strtoul(args[1], NULL, 10), &e) < 0)
		die(&e);
}

static const struct {
	const char *name;
	int args_min;
	void (*run)(char **args);
} commands[] = {
    {"init", 0, cmd_init},
    {"user", 1, cmd_user},
    {"add", 2, cmd_add},
    {"gen", 4, cmd_gen},
    {"rm", 3, cmd_rm},
    {"flag", 3, cmd_flag},
    {"notice", 5, cmd_notice},
    {"ls", 2, cmd_ls},
    {"check", 1, cmd_check},
    {"held", 1, cmd_held},
    {"limit", 2, cmd_limit},
};

int main(int argc, char **argv)
{
	struct err e;

	log_init("mailtool", LOG_LEVEL_WARN);
	for (size_t i = 0; argc >= 3 && i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(commands[i].name, argv[2]) != 0 || argc < 3 + commands[i].args_min)
			continue;
		if (commands[i].run == cmd_init && site_create(argv[1], "run", &e) < 0)
			die(&e);
		if (site_open(argv[1], "mailtool", &site, &e) < 0)
			die(&e);
		commands[i].run(argv + 3);
		close_mailbox();
		arena_fini(&arena);
		site_close(&site);
		return 0;
	}
	fputs("usage: see the head of tests/mount/mailtool.c\n", stderr);
	return 2;
}

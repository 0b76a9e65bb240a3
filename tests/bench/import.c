/*
 * import POSTERN [FOLDER...]: `postern import` of a Maildir of 10,000 messages of mail's usual sizes
 * (and of the folders named, a corpus), against appending the same files one by one, each in a
 * transaction of its own.  Interleaved; the messages a second of both, and their ratio.
 */
#include "limits/session.h"
#include "limits/site.h"
#include "store/directory.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGES 10000
#define ROUNDS 5

static struct err e;
static struct arena arena;
static const char *postern;
static char dir[] = "/tmp/postern-import-XXXXXX", store_dir[64], maildir[64];

/* Where the one-by-one walk appends to. */
static struct site *site;
static struct store *store;
static struct folder_id inbox;
static size_t appended;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s %s\n", what, err_name(e.code), e.what);
	exit(1);
}
#define OK(call)                                                                                   \
	do                                                                                         \
		if ((call) < 0)                                                                    \
			die(#call);                                                                \
	while (0)

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 1 to 9 KB of text, one in fifty of 100 KB: lengths as they come in a mailbox. */
static void message_write(const char *path, unsigned n)
{
	FILE *f = fopen(path, "w");
	unsigned lines = n % 50 == 0 ? 1500 : 10 + n * 7919 % 120;

	if (!f)
		die(path);
	fprintf(f, "From: Sender %u <s%u@example.org>\nTo: alice@example.org\nSubject: Message number %u\n"
		   "Date: Mon, 23 Nov 2026 %02u:%02u:00 +0000\nMessage-ID: <%u@example.org>\n\n",
	    n % 97, n % 97, n, n / 60 % 24, n % 60, n);
	for (unsigned i = 0; i < lines; i++)
		fprintf(f, "Line %u of message %u says nothing that has not been said before.\n", i, n);
	fclose(f);
}

static void maildir_make(void)
{
	static const char *const below[] = {"", "/cur", "/new", "/tmp"};
	char path[128];

	for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
		snprintf(path, sizeof path, "%s%s", maildir, below[i]);
		if (mkdir(path, 0700) < 0)
			die(path);
	}
	for (unsigned n = 0; n < MESSAGES; n++) {
		snprintf(path, sizeof path, "%s/cur/%u.bench:2,S", maildir, 1700000000 + n);
		message_write(path, n);
	}
}

static struct user_id user_make(const char *name)
{
	struct user_id id;

	OK(site_open(store_dir, "bench", &site, &e));
	OK(directory_user_add(site, name, NULL, &id, &e));
	site_close(&site);
	return id;
}

static double import_time(const char *name, const char *folder)
{
	double begun = now_s();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		execl(postern, postern, "--store", store_dir, "import", name, folder, (char *)NULL);
		_exit(127);
	}
	/* 1: some files were named and skipped, which a corpus may want. */
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		fprintf(stderr, "postern import failed\n");
		exit(1);
	}
	return now_s() - begun;
}

static int append_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct append_how how = {.folder = inbox, .idate_ms = INT64_MIN};
	struct append_done done;
	struct append *append;
	char octets[65536];
	ssize_t n;
	int fd;

	(void)st, (void)ftw;
	if (type != FTW_F || (fd = open(path, O_RDONLY)) < 0)
		return 0;
	OK(append_begin(store, &append, &e));
	while ((n = read(fd, octets, sizeof octets)) > 0)
		OK(append_write(append, octets, (size_t)n, &e));
	close(fd);
	OK(append_commit(&append, &how, 1, &done, &e));
	appended++;
	return 0;
}

static double each_time(struct user_id user, const char *folder)
{
	struct session_request request = {.service = SESSION_FS, .actor = user, .mailbox = user,
	    .actor_name = "bench", .mailbox_name = "bench"};
	struct session_refusal why;
	struct session *session;
	struct folder_info info;
	double begun;

	OK(site_open(store_dir, "bench", &site, &e));
	OK(session_acquire(site, &request, &session, &why, &e));
	OK(store_open(session, &store, &e));
	OK(folder_by_name(store, "INBOX", &arena, &info, &e));
	inbox = info.id;
	appended = 0;
	begun = now_s();
	nftw(folder, append_file, 16, FTW_PHYS);
	begun = now_s() - begun;
	store_close(&store);
	session_release(&session);
	site_close(&site);
	return begun;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void bench(const char *what, const char *folder)
{
	double import[ROUNDS], each[ROUNDS], ratio[ROUNDS];
	static unsigned users;

	for (unsigned i = 0; i < ROUNDS; i++) {
		char name[32];
		struct user_id user;

		snprintf(name, sizeof name, "import%u", users);
		user_make(name);
		import[i] = import_time(name, folder);
		snprintf(name, sizeof name, "each%u", users++);
		user = user_make(name);
		each[i] = each_time(user, folder);
		ratio[i] = each[i] / import[i];
	}
	qsort(import, ROUNDS, sizeof *import, by_value);
	qsort(each, ROUNDS, sizeof *each, by_value);
	qsort(ratio, ROUNDS, sizeof *ratio, by_value);
	printf("%s: %zu files, postern import %.0f/s, one by one %.0f/s\n", what, appended,
	    (double)appended / import[ROUNDS / 2], (double)appended / each[ROUNDS / 2]);
	printf("figure: import of %s over one by one | %.1f | >= 5\n", what, ratio[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
	char command[96];

	if (argc < 2) {
		fprintf(stderr, "import POSTERN [FOLDER...]\n");
		return 2;
	}
	postern = argv[1];
	if (!mkdtemp(dir))
		return 1;
	snprintf(store_dir, sizeof store_dir, "%s/s", dir);
	snprintf(maildir, sizeof maildir, "%s/Maildir", dir);
	OK(site_create(store_dir, "run", &e));
	maildir_make();
	bench("10,000 messages", maildir);
	for (int i = 2; i < argc; i++)
		bench(basename(argv[i]), argv[i]);
	arena_fini(&arena);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? 0 : 1;
}

/*
 * tests/limits/multitude.c - ten thousand users at their limits at once, and one more who is not.
 *
 *     multitude [USERS [PROCESSES]]
 *
 * Every process holds half of the sessions of the users that it has, and so shares each with another process: 16 service
 * sessions, and for every eighth user 16 handles in the mount besides.  Then all try to get one more for each, at the same
 * time.  Nobody may; each refusal is in one event of its user and limit, with the right count; and whoever is not at his limit
 * gets in meanwhile.  Afterwards nothing is held.
 */
#include "limits/event.h"
#include "limits/registry.h"
#include "limits/session.h"
#include "limits/site.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define SERVICE_MAX 16u
#define DIRECT_MAX 16u
#define SESSIONS_MAX (SERVICE_MAX + DIRECT_MAX)
#define MORE 2 /* tries of each process for each of its users */

static struct shared {
	pthread_barrier_t barrier;
	_Atomic int64_t slowest_ns; /* of the tries */
	_Atomic unsigned wrong;
	_Atomic uint32_t refused[]; /* by user */
} *shared;

static unsigned users_n = 10000, processes_n = 8;
static char dir[64];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void wrong(const char *what, unsigned user, const char *why)
{
	if (shared->wrong++ < 10)
		fprintf(stderr, "multitude: user %u: %s: %s\n", user, what, why);
}

static struct site *open_site(void)
{
	struct site *site;
	struct err e;

	if (site_open(dir, "multitude", &site, &e) < 0) {
		fprintf(stderr, "multitude: %s\n", e.what);
		exit(1);
	}
	return site;
}

/* ---- a process ---- */

static bool has_direct(unsigned user)
{
	return user % 8 == 0;
}

static unsigned held_by(unsigned user)
{
	return SERVICE_MAX + (has_direct(user) ? DIRECT_MAX : 0);
}

/* Those of every user are with two processes. */
static bool has(unsigned process, unsigned user)
{
	return user % processes_n == process || (user + 1) % processes_n == process;
}

static int open_one(struct site *site, unsigned user, enum session_service service, struct session **session_r,
    struct session_refusal *why, struct err *e)
{
	char name[32];
	struct session_request request = {.service = service, .actor = {user + 1}, .mailbox = {user + 1},
	    .actor_name = name, .mailbox_name = name};

	snprintf(name, sizeof name, "user%u", user);
	return session_acquire(site, &request, session_r, why, e);
}

static size_t hold(struct site *site, unsigned user, struct session **held)
{
	struct session_refusal why;
	struct err e;
	size_t n = 0;

	for (unsigned i = 0; i < held_by(user) / 2; i++)
		if (open_one(site, user, i < SERVICE_MAX / 2 ? SESSION_IMAP4 : SESSION_FS, &held[n], &why, &e) < 0)
			wrong("an open below the limit", user, e.what);
		else
			n++;
	return n;
}

static void note_slowest(int64_t ns)
{
	int64_t was = shared->slowest_ns;

	while (ns > was && !atomic_compare_exchange_weak(&shared->slowest_ns, &was, ns))
		;
}

static void try_more(struct site *site, unsigned user)
{
	struct session_refusal why = {0};
	struct session *session;
	struct err e;

	for (int i = 0; i < MORE; i++) {
		int64_t begun = now_ns();
		int r = open_one(site, user, SESSION_IMAP4, &session, &why, &e);

		note_slowest(now_ns() - begun);
		if (r == 0)
			wrong("one more", user, "was granted");
		else if (e.code != ERR_LIMIT || why.held != (has_direct(user) ? SESSIONS_MAX : SERVICE_MAX))
			wrong("one more", user, e.what);
		else
			shared->refused[user]++;
	}
}

static void run(unsigned process)
{
	struct site *site = open_site();
	struct session **held = calloc((size_t)users_n * SESSIONS_MAX / 2, sizeof *held);
	size_t n = 0;

	for (unsigned user = 0; user < users_n; user++)
		if (has(process, user))
			n += hold(site, user, held + n);
	pthread_barrier_wait(&shared->barrier); /* all are held */
	for (unsigned user = 0; user < users_n; user++)
		if (has(process, user))
			try_more(site, user);
	pthread_barrier_wait(&shared->barrier); /* all have tried */
	pthread_barrier_wait(&shared->barrier); /* all was looked at */
	while (n > 0)
		session_release(&held[--n]);
	free(held);
	site_close(&site);
}

/* ---- who looks on ---- */

/* Exactly his limit, while ten thousand others are refused. */
static void one_more_user(struct site *site)
{
	struct session *held[SERVICE_MAX], *one;
	struct session_refusal why;
	struct err e;
	unsigned n = 0;

	while (n < SERVICE_MAX && open_one(site, users_n, SESSION_IMAP4, &held[n], &why, &e) == 0)
		n++;
	if (n < SERVICE_MAX)
		wrong("a user who is not at his limit", users_n, e.what);
	else if (open_one(site, users_n, SESSION_IMAP4, &one, &why, &e) == 0)
		wrong("the newcomer's 17th", users_n, "was granted");
	while (n > 0)
		session_release(&held[--n]);
}

static void expect_counts(struct site *site, bool all_held)
{
	for (unsigned user = 0; user < users_n; user++) {
		struct session_counts counts;
		struct err e;

		if (session_count(site, (struct user_id){user + 1}, &counts, &e) < 0)
			wrong("count", user, e.what);
		else if (counts.all != (all_held ? held_by(user) : 0) || counts.service != (all_held ? SERVICE_MAX : 0))
			wrong("count", user, all_held ? "not what is held" : "something is left");
	}
}

static void expect_events(struct site *site)
{
	uint32_t *told = calloc(users_n + 1, sizeof *told);
	struct arena arena = {0};
	struct event *events;
	struct err e;
	size_t n = 0;

	if (event_list(site, 0, 0, NULL, &arena, &events, &n, &e) < 0)
		wrong("events", 0, e.what);
	for (size_t i = 0; i < n; i++) {
		unsigned user = (unsigned)strtoul(events[i].user + strlen("user"), NULL, 10);

		if (user > users_n || events[i].limit != (user < users_n && has_direct(user) ? SESSIONS_MAX : SERVICE_MAX))
			wrong("an event", user, "names another limit");
		else
			told[user] += (uint32_t)events[i].count;
		for (size_t k = i; k-- > 0 && events[k].time_ms / 60000 == events[i].time_ms / 60000 && k + 10 > i;)
			if (strcmp(events[k].user, events[i].user) == 0)
				wrong("an event", user, "there are two of a minute");
	}
	for (unsigned user = 0; user < users_n; user++)
		if (told[user] != shared->refused[user] || told[user] != 2 * MORE)
			wrong("events", user, "their counts are not the refusals");
	if (told[users_n] != 1)
		wrong("events", users_n, "not one refusal of the newcomer");
	arena_fini(&arena);
	free(told);
}

static void look_on(void)
{
	struct site *site = open_site();
	int64_t begun = now_ns(), held, tried;

	pthread_barrier_wait(&shared->barrier);
	held = now_ns();
	one_more_user(site);
	pthread_barrier_wait(&shared->barrier);
	tried = now_ns();
	expect_counts(site, true);
	printf("%u users at their limits in %.1f s; %u refusals by %u processes at once in %.1f s, the slowest %.0f ms\n", users_n,
	    (double)(held - begun) / 1e9, users_n * 2 * MORE, processes_n, (double)(tried - held) / 1e9,
	    (double)shared->slowest_ns / 1e6);
	pthread_barrier_wait(&shared->barrier);
	site_close(&site);
}

static void make_store(void)
{
	struct rlimit files;
	struct site *site;
	struct err e;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* a descriptor for each user who holds something */
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	snprintf(dir, sizeof dir, "/tmp/postern-test-XXXXXX");
	if (!mkdtemp(dir) || site_create(dir, "run", &e) < 0) {
		perror(dir);
		exit(1);
	}
	site = open_site();
	if (registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM, "Maximum Allowed Exchange Sessions Per Service", UINT32_MAX, &e) < 0 ||
	    registry_set_dword(site, REGISTRY_IMAP4, "MaxConnectionsPerUser", 1000, &e) < 0)
		wrong("settings", 0, e.what);
	site_close(&site);
}

static void *shared_memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return at;
}

static bool ended_well(const pid_t *pids)
{
	bool well = true;
	int status;

	for (unsigned i = 0; i < processes_n; i++)
		well = waitpid(pids[i], &status, 0) == pids[i] && status == 0 && well;
	return well;
}

int main(int argc, char **argv)
{
	pthread_barrierattr_t between;
	pid_t pids[PROCESSES_MAX];
	struct site *site;
	char command[128];

	if (argc > 1)
		users_n = (unsigned)atoi(argv[1]);
	if (argc > 2)
		processes_n = (unsigned)atoi(argv[2]);
	if (users_n < 1 || processes_n < 3 || processes_n > PROCESSES_MAX)
		return 64;
	shared = shared_memory(sizeof *shared + (users_n + 1) * sizeof shared->refused[0]);
	pthread_barrierattr_init(&between);
	pthread_barrierattr_setpshared(&between, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->barrier, &between, processes_n + 1);
	make_store();
	for (unsigned i = 0; i < processes_n; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			run(i);
			_exit(0);
		}
	}
	look_on();
	if (!ended_well(pids))
		wrong("a process", 0, "ended badly");
	site = open_site();
	expect_counts(site, false);
	expect_events(site);
	site_close(&site);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) != 0 || shared->wrong != 0;
}

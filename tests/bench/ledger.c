/*
 * tests/bench/ledger.c - what a session costs: medians of five runs, in microseconds.
 *
 *     ledger [FOLDER]     the store of the bench is made in FOLDER (default: /dev/shm), then removed
 *
 * Prints one line per case: name, wall time, processor time (what a busy machine leaves as it is; of
 * the processes that are timed), and the bar the wall time is held against.  It times and never fails.
 */
#include "limits/ledger.h"
#include "limits/registry.h"
#include "limits/session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS 5
#define PROCESSES 8
#define USER 0xa11ce

static char dir[256];

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "ledger: %s: %s\n", what, e->what);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct timing {
	double wall_us, cpu_us;
};

static double cpu_us(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static struct timing timing_start(int who)
{
	return (struct timing){now_us(), cpu_us(who)};
}

static struct timing timing_end(struct timing start, int who, int n)
{
	return (struct timing){(now_us() - start.wall_us) / n, (cpu_us(who) - start.cpu_us) / n};
}

static void tell(const char *name, struct timing (*run)(struct site *site), struct site *site,
    const char *bar)
{
	double wall[RUNS], cpu[RUNS];

	for (int i = 0; i < RUNS; i++) {
		struct timing t = run(site);

		wall[i] = t.wall_us;
		cpu[i] = t.cpu_us;
	}
	qsort(wall, RUNS, sizeof *wall, by_size);
	qsort(cpu, RUNS, sizeof *cpu, by_size);
	printf("figure: %s | %.2f us, %.2f us cpu | %s\n", name, wall[RUNS / 2], cpu[RUNS / 2], bar);
	fflush(stdout);
}

static struct site *open_site(void)
{
	struct site *site;
	struct err e;

	if (site_open(dir, "bench", &site, &e) < 0)
		die(dir, &e);
	return site;
}

static void set(struct site *site, const char *name, uint32_t value)
{
	struct err e;

	if (registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM, name, value, &e) < 0)
		die(name, &e);
}

static struct session_request request_for(uint64_t user)
{
	return (struct session_request){.service = SESSION_EWS, .actor = {user}, .mailbox = {user},
	    .actor_name = "alice", .mailbox_name = "alice", .peer = "127.0.0.1:50000",
	    .administrator = true};
}

/* ---- one process ---- */

static struct timing user_file_alone(struct site *site)
{
	enum { N = 100000 };
	struct ledger *ledger = ledger_new(site_runtime_fd(site), -1);
	struct ledger_file *file;
	struct timing start;
	struct err e;

	if (ledger_get(ledger, (struct ledger_key){LEDGER_USER, USER}, &file, &e) < 0)
		die("get", &e);
	start = timing_start(RUSAGE_SELF);
	for (int i = 0; i < N; i++) {
		if (ledger_lock(file, 1000, &e) < 0 || ledger_add(file, SESSION_EWS, NULL, &e) < 0)
			die("lock", &e);
		ledger_unlock(file);
		ledger_sub(file, SESSION_EWS);
	}
	start = timing_end(start, RUSAGE_SELF, N);
	ledger_put(file);
	ledger_free(&ledger);
	return start;
}

static struct timing whole_session(struct site *site)
{
	enum { N = 50000 };
	struct session_request request = request_for(USER);
	struct session_refusal why;
	struct session *session;
	struct err e;
	struct timing start = timing_start(RUSAGE_SELF);

	for (int i = 0; i < N; i++) {
		if (session_acquire(site, &request, &session, &why, &e) < 0)
			die("acquire", &e);
		session_release(&session);
	}
	return timing_end(start, RUSAGE_SELF, N);
}

/* A session each for many users: no file is held in the cache twice. */
static struct timing many_users(struct site *site)
{
	enum { N = 10000 };
	struct session_refusal why;
	struct session *session;
	struct err e;
	struct timing start = timing_start(RUSAGE_SELF);

	for (uint64_t user = 1; user <= N; user++) {
		struct session_request request = request_for(user);

		if (session_acquire(site, &request, &session, &why, &e) < 0)
			die("acquire", &e);
		session_release(&session);
	}
	return timing_end(start, RUSAGE_SELF, N);
}

/* ---- several processes ---- */

struct shared {
	_Atomic int ready, go, done;
	_Atomic long refused;
};

static struct shared *share(void)
{
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		exit(1);
	return shared;
}

/* Each of them holds `hold` sessions, then is refused `refuse` times, and waits for the end. */
static void child(struct shared *shared, int hold, int refuse)
{
	struct session_request request = request_for(USER);
	struct site *site = open_site();
	struct session_refusal why;
	struct session *session;
	struct err e;

	for (int i = 0; i < hold; i++)
		if (session_acquire(site, &request, &session, &why, &e) < 0)
			die("hold", &e);
	request.administrator = false;
	shared->ready++;
	while (!shared->go)
		usleep(100);
	for (int i = 0; i < refuse; i++)
		shared->refused += session_acquire(site, &request, &session, &why, &e) < 0 &&
		    e.code == ERR_LIMIT;
	shared->done++;
	pause();
	_exit(0);
}

static void start(pid_t pids[PROCESSES], struct shared *shared, int hold, int refuse)
{
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* they spin: nobody may leave them behind */
			child(shared, hold, refuse);
		}
	}
	while (shared->ready < PROCESSES)
		usleep(1000);
}

static void stop(const pid_t pids[PROCESSES])
{
	for (int i = 0; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

/* 32 held by eight processes, all of which ask for more at once: wall time by refusals. */
static struct timing refused_in_eight(struct site *site)
{
	enum { EACH = 20000 };
	struct shared *shared = share();
	pid_t pids[PROCESSES];
	struct timing timing = timing_start(RUSAGE_CHILDREN);

	(void)site;
	start(pids, shared, 32 / PROCESSES, EACH);
	timing.wall_us = now_us();
	shared->go = 1;
	while (shared->done < PROCESSES)
		usleep(200);
	timing.wall_us = (now_us() - timing.wall_us) / (PROCESSES * EACH);
	stop(pids);
	timing.cpu_us = (cpu_us(RUSAGE_CHILDREN) - timing.cpu_us) / (PROCESSES * EACH);
	if (shared->refused != PROCESSES * EACH)
		fprintf(stderr, "ledger: %ld of %d were refused\n", shared->refused, PROCESSES * EACH);
	munmap(shared, sizeof *shared);
	return timing;
}

static void with_held(struct site *site, int each, const char *name)
{
	struct shared *shared = share();
	pid_t pids[PROCESSES];

	start(pids, shared, each, 0);
	tell(name, whole_session, site, "flat");
	stop(pids);
	munmap(shared, sizeof *shared);
}

int main(int argc, char **argv)
{
	char command[300];
	struct site *site;
	struct err e;

	snprintf(dir, sizeof dir, "%.200s/postern-bench-XXXXXX", argc > 1 ? argv[1] : "/dev/shm");
	if (!mkdtemp(dir) || site_create(dir, "run", &e) < 0)
		die(dir, &e);
	site = open_site();
	set(site, "Maximum Allowed Sessions Per Administrator", 1000000);
	set(site, "Maximum Allowed Service Sessions Per User", 1000000);
	set(site, "Maximum Allowed Exchange Sessions Per Service", 1000000);
	if (registry_set(site, REGISTRY_POLICIES "\\default", "EWSMaxConcurrency", "null", &e) < 0)
		die("policy", &e);
	tell("acquire+release, the user's file alone", user_file_alone, site, "<= 3");
	tell("acquire+release, with the service's file and the roster", whole_session, site,
	    "<= 6");
	tell("acquire+release, 10,000 users in turn", many_users, site, "");
	set(site, "Maximum Allowed Sessions Per User", 32);
	tell("refusal, 8 processes at one user's limit", refused_in_eight, site, "<= 5");
	with_held(site, 1, "acquire+release, 8 held by 8 processes");
	with_held(site, 7500, "acquire+release, 60,000 held by 8 processes");
	site_close(&site);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : 1;
}

/*
 * tests/limits/storm.c - many processes race for one user's last sessions; an independent judge checks.
 *
 *     storm --grants N [--processes P] [--threads T]    until N sessions were granted, nobody is killed
 *     storm --kill SECONDS [--processes P] [--threads T]    SIGKILL all the while
 *     storm --self-test                                   the judge sees what it has to see
 *
 * The user may hold 4 sessions (--limit N), half of them service sessions.  With more, more is set aside for
 * processes and taken back (limits/lane.h).  Every worker writes the instants around its calls
 * into shared memory; of a call that was cut short by a kill, the parent knows the instants before the
 * kill and after the wait.  Afterwards exactly the limit must be free.
 */
#include "intervals.h"

#include "limits/registry.h"
#include "limits/session.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USER 0xa11ce
#define LIMIT_MAX 32
#define WORKERS_MAX 16
#define THREADS_MAX 4
#define ROUND_S 15
#define CALLS_MAX (1 << 20) /* of a thread; sparse until written */

/* One acquire and, if it was granted, its release.  0: has not come yet. */
struct call {
	_Atomic int64_t acquire_from, acquire_to, release_from, release_to;
	_Atomic int outcome; /* below */
	int service;
};
enum { UNKNOWN, GRANTED, REFUSED_ALL, REFUSED_SERVICE, TROUBLE };

struct log {
	_Atomic size_t n;
	struct call calls[CALLS_MAX];
};

static struct shared {
	_Atomic bool stop;
	_Atomic long grants;
	struct log logs[WORKERS_MAX][THREADS_MAX];
} *shared;

static struct {
	long grants, kill_s, left_s;
	int processes, threads, limit;
} how = {.processes = 8, .threads = 1, .limit = 4};

static char dir[64];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "storm: %s: %s\n", what, e->what);
	exit(1);
}

/* ---- a worker ---- */

struct worker {
	struct site *site;
	struct log *log;
	unsigned seed;
};

static struct session_request request_for(enum session_service service)
{
	return (struct session_request){.service = service, .actor = {USER}, .mailbox = {USER},
	    .actor_name = "alice", .mailbox_name = "alice"};
}

static int outcome_of(int r, const struct session_refusal *why)
{
	if (r == 0)
		return GRANTED;
	if (why->layer == SESSION_LAYER_STORE_USER)
		return REFUSED_ALL;
	return why->layer == SESSION_LAYER_STORE_SERVICE ? REFUSED_SERVICE : TROUBLE;
}

static void one_call(struct worker *worker, struct call *call)
{
	struct session_request request = request_for(rand_r(&worker->seed) % 2 ? SESSION_IMAP4 : SESSION_FS);
	struct session_refusal why;
	struct session *session;
	struct err e;
	int r;

	call->service = request.service == SESSION_IMAP4;
	call->acquire_from = now_ns();
	worker->log->n++;
	r = session_acquire(worker->site, &request, &session, &why, &e);
	call->outcome = outcome_of(r, &why);
	call->acquire_to = now_ns();
	if (call->outcome == TROUBLE)
		fprintf(stderr, "storm: %s\n", e.what);
	if (r < 0)
		return;
	shared->grants++;
	if (rand_r(&worker->seed) % 4 == 0)
		usleep((unsigned)rand_r(&worker->seed) % 200);
	call->release_from = now_ns();
	session_release(&session);
	call->release_to = now_ns();
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	while (!shared->stop && worker->log->n < CALLS_MAX)
		one_call(worker, &worker->log->calls[worker->log->n]);
	return NULL;
}

static void work_in_threads(int slot)
{
	struct worker workers[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	struct site *site;
	struct err e;

	if (site_open(dir, "storm", &site, &e) < 0)
		die("site_open", &e);
	for (int i = 0; i < how.threads; i++) {
		workers[i] = (struct worker){site, &shared->logs[slot][i],
		    (unsigned)(getpid() * 31 + i)};
		if (i > 0 && pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			abort();
	}
	work(&workers[0]);
	for (int i = 1; i < how.threads; i++)
		pthread_join(threads[i], NULL);
	site_close(&site);
	_exit(0);
}

/* ---- the parent ---- */

static pid_t start(int slot)
{
	pid_t pid = fork();

	if (pid == 0)
		work_in_threads(slot);
	return pid;
}

/* What a killed worker was in the middle of ended between these two instants. */
static void close_cut_calls(int slot, int64_t before_ns, int64_t after_ns)
{
	for (int i = 0; i < how.threads; i++) {
		struct log *log = &shared->logs[slot][i];
		struct call *call = &log->calls[log->n]; /* begun, perhaps not counted yet */

		if (call->acquire_from && log->n < CALLS_MAX)
			log->n++;
		if (log->n == 0)
			continue;
		call = &log->calls[log->n - 1];
		if (!call->acquire_to) {
			call->outcome = UNKNOWN;
			call->acquire_to = after_ns;
		} else if (call->outcome != GRANTED) {
			continue;
		}
		if (!call->release_from)
			call->release_from = before_ns;
		if (!call->release_to)
			call->release_to = after_ns;
	}
}

static long kill_and_replace(pid_t *pids)
{
	int64_t until_ns = now_ns() + how.kill_s * 1000000000;
	unsigned seed = 4711;
	long kills = 0;

	while (now_ns() < until_ns) {
		int slot = rand_r(&seed) % how.processes;
		int64_t before_ns;

		usleep(500 + (unsigned)rand_r(&seed) % 3000);
		before_ns = now_ns();
		kill(pids[slot], SIGKILL);
		waitpid(pids[slot], NULL, 0);
		close_cut_calls(slot, before_ns, now_ns());
		pids[slot] = start(slot);
		kills++;
	}
	return kills;
}

static long run(void)
{
	pid_t pids[WORKERS_MAX];
	long kills = 0;
	int bad = 0;

	for (int i = 0; i < how.processes; i++)
		pids[i] = start(i);
	if (how.kill_s)
		kills = kill_and_replace(pids);
	while (shared->grants < how.grants)
		usleep(1000);
	shared->stop = true;
	for (int i = 0; i < how.processes; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		bad += status != 0;
	}
	if (bad) {
		fprintf(stderr, "storm: %d workers failed\n", bad);
		exit(1);
	}
	return kills;
}

/* ---- the judgement ---- */

struct lists {
	struct interval *inner, *outer, *refusals;
	size_t inner_n, outer_n, refusals_n;
};

static void add(struct interval **list, size_t *n, int64_t from, int64_t to)
{
	if ((*n & (*n - 1)) == 0)
		*list = realloc(*list, (*n ? 2 * *n : 1) * sizeof **list);
	if (!*list)
		abort();
	(*list)[(*n)++] = (struct interval){from, to};
}

static void sort_call(struct lists *all, struct lists *service, const struct call *call)
{
	for (int i = 0; i < 1 + call->service; i++) {
		struct lists *lists = i ? service : all;

		if (call->outcome == GRANTED)
			add(&lists->inner, &lists->inner_n, call->acquire_to, call->release_from);
		if (call->outcome == GRANTED || call->outcome == UNKNOWN)
			add(&lists->outer, &lists->outer_n, call->acquire_from, call->release_to);
	}
	if (call->outcome == REFUSED_ALL)
		add(&all->refusals, &all->refusals_n, call->acquire_from, call->acquire_to);
	if (call->outcome == REFUSED_SERVICE)
		add(&service->refusals, &service->refusals_n, call->acquire_from, call->acquire_to);
}

static bool tell(const char *name, const struct lists *lists, int limit)
{
	struct judgement j = intervals_judge(lists->inner, lists->inner_n, lists->outer, lists->outer_n,
	    lists->refusals, lists->refusals_n, limit);

	printf("%-8s limit %d, most held at once %d, granted %zu, refused %zu, without reason %zu\n", name,
	    limit, j.most_held, lists->inner_n, lists->refusals_n, j.bad_refusals);
	free(lists->inner);
	free(lists->outer);
	free(lists->refusals);
	return j.most_held <= limit && j.bad_refusals == 0;
}

static bool judge(void)
{
	struct lists all = {0}, service = {0};
	long trouble = 0;
	bool ok;

	for (int slot = 0; slot < how.processes; slot++)
		for (int i = 0; i < how.threads; i++)
			for (size_t k = 0; k < shared->logs[slot][i].n; k++) {
				const struct call *call = &shared->logs[slot][i].calls[k];

				trouble += call->outcome == TROUBLE;
				sort_call(&all, &service, call);
			}
	if (all.refusals_n + service.refusals_n == 0) {
		fprintf(stderr, "storm: nobody was refused: this was no storm\n");
		return false;
	}
	ok = tell("all", &all, how.limit);
	ok = tell("service", &service, how.limit / 2) && ok;
	printf("trouble  %ld\n", trouble);
	return ok && trouble == 0;
}

/* After the storm exactly the limit is free: nothing leaked, nothing was counted twice. */
static bool limit_is_free(struct site *site)
{
	struct session_request service = request_for(SESSION_IMAP4), direct = request_for(SESSION_FS);
	struct session *held[LIMIT_MAX], *more;
	struct session_refusal why;
	struct err e;
	int n = 0;
	bool ok;

	while (n < how.limit / 2 && session_acquire(site, &service, &held[n], &why, &e) == 0)
		n++;
	ok = n == how.limit / 2 && session_acquire(site, &service, &more, &why, &e) < 0;
	while (ok && n < how.limit && session_acquire(site, &direct, &held[n], &why, &e) == 0)
		n++;
	ok = ok && n == how.limit && session_acquire(site, &direct, &more, &why, &e) < 0;
	printf("after    %d of %d were free\n", n, how.limit);
	while (n > 0)
		session_release(&held[--n]);
	return ok;
}

/* ---- the judge, judged ---- */

static int self_test(void)
{
	const struct interval held[] = {{0, 10}, {5, 15}, {10, 20}};
	const struct interval refused[] = {{6, 7}, {12, 13}, {20, 30}, {21, 30}};
	struct judgement j = intervals_judge(held, 3, held, 3, refused, 4, 2);
	bool ok = j.most_held == 2 && j.bad_refusals == 2;

	j = intervals_judge(held, 3, held, 3, refused, 2, 1);
	ok = ok && j.most_held > 1 && j.bad_refusals == 0;
	printf("self-test %s\n", ok ? "ok" : "FAILED");
	return ok ? 0 : 1;
}

static int parse(int argc, char **argv)
{
	static const struct option options[] = {{"grants", required_argument, NULL, 'g'},
	    {"kill", required_argument, NULL, 'k'}, {"processes", required_argument, NULL, 'p'},
	    {"threads", required_argument, NULL, 't'}, {"limit", required_argument, NULL, 'l'},
	    {"self-test", no_argument, NULL, 's'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'g':
			how.grants = atol(optarg);
			break;
		case 'k':
			how.left_s = atol(optarg);
			break;
		case 'p':
			how.processes = atoi(optarg);
			break;
		case 't':
			how.threads = atoi(optarg);
			break;
		case 'l':
			how.limit = atoi(optarg);
			break;
		case 's':
			exit(self_test());
		default:
			return -1;
		}
	return how.processes < 1 || how.processes > WORKERS_MAX || how.threads < 1 ||
	    how.threads > THREADS_MAX || how.limit < 2 || how.limit > LIMIT_MAX ? -1 : 0;
}

static void make_store(void)
{
	struct site *site;
	struct err e;

	snprintf(dir, sizeof dir, "/tmp/postern-storm-XXXXXX");
	if (!mkdtemp(dir) || site_create(dir, "run", &e) < 0 || site_open(dir, "storm", &site, &e) < 0 ||
	    registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM, "Maximum Allowed Sessions Per User",
	        (uint32_t)how.limit, &e) < 0 ||
	    registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM,
	        "Maximum Allowed Service Sessions Per User", (uint32_t)how.limit / 2, &e) < 0)
		die("make a store", &e);
	site_close(&site);
}

/* A long storm is judged in rounds, so that its logs never fill up. */
static bool one_round(void)
{
	struct site *site;
	struct err e;
	long kills;
	bool ok;

	how.kill_s = how.left_s < ROUND_S ? how.left_s : ROUND_S;
	how.left_s -= how.kill_s;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	kills = run();
	printf("processes %d, threads %d, kills %ld\n", how.processes, how.threads, kills);
	ok = judge();
	munmap(shared, sizeof *shared);
	if (site_open(dir, "storm", &site, &e) < 0)
		die("site_open", &e);
	ok = limit_is_free(site) && ok;
	site_close(&site);
	fflush(stdout);
	return ok;
}

int main(int argc, char **argv)
{
	char command[128];
	bool ok;

	if (parse(argc, argv) < 0) {
		fprintf(stderr, "usage: storm --grants N | --kill SECONDS [--processes P] [--threads T] [--limit N]\n");
		return 2;
	}
	make_store();
	do
		ok = one_round();
	while (ok && how.left_s > 0);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 && ok ? 0 : 1;
}

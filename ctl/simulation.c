/* ctl/simulation.c - see simulation.h. */
#include "ctl/simulation.h"
#include "base/mem.h"
#include "limits/policy.h"

#include <stdlib.h>
#include <string.h>

/* Memory and descriptors of who holds one, idle (doc/BENCHMARKS.md, "What a session costs"): with a connection, or without. */
static const struct session_cost costs[SESSION_SERVICES_N] = {
    [SESSION_FS] = {700, 0}, [SESSION_IMAP4] = {3500, 1}, [SESSION_POP3] = {3500, 1},
    [SESSION_OWA] = {700, 0}, [SESSION_EWS] = {3500, 1}, [SESSION_EAS] = {3500, 1},
    [SESSION_TRANSPORT] = {3500, 1}, [SESSION_ADMIN] = {700, 0},
};

struct user {
	uint32_t held[SESSION_SERVICES_N];
	bool was_refused;
};

/* In the order in which they close. */
struct close {
	int64_t at_ms;
	size_t open;
};

struct run {
	struct site *site;
	const struct trace *trace;
	struct simulation *result;
	struct session_term terms[16];
	size_t terms_n;
	struct user *users;
	bool *granted;
	const struct close *closes;
	size_t closed_n;
	uint32_t held, by_service[SESSION_SERVICES_N];
};

static int by_close(const void *a, const void *b)
{
	const struct close *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return (x->open > y->open) - (x->open < y->open);
}

static struct close *list_closes(const struct trace *trace)
{
	struct close *closes = mem_alloc((trace->n + 1) * sizeof *closes);

	for (size_t i = 0; i < trace->n; i++) {
		const struct trace_open *open = &trace->opens[i];

		closes[i] = (struct close){open->held_ms < 0 ? INT64_MAX : open->at_ms + open->held_ms, i};
	}
	if (trace->n)
		qsort(closes, trace->n, sizeof *closes, by_close);
	return closes;
}

static size_t column_of(const struct run *run, int64_t at_ms)
{
	int64_t column = run->trace->end_ms > 0 ? at_ms * SIMULATION_COLUMNS / (run->trace->end_ms + 1) : 0;

	return column < SIMULATION_COLUMNS ? (size_t)column : SIMULATION_COLUMNS - 1;
}

static void refuse(struct run *run, const struct trace_open *open, const struct session_check *told)
{
	struct simulation *s = run->result;

	s->refused++;
	s->refused_total += told->layer == SESSION_LAYER_STORE_USER;
	s->refused_service += told->layer == SESSION_LAYER_STORE_SERVICE;
	s->refused_server += told->layer == SESSION_LAYER_STORE_PER_SERVICE;
	s->refused_front += told->layer == SESSION_LAYER_PROTOCOL || told->layer == SESSION_LAYER_POLICY;
	s->refusals[column_of(run, open->at_ms)]++;
	s->users_refused += !run->users[open->user].was_refused;
	run->users[open->user].was_refused = true;
}

static void grant(struct run *run, const struct trace_open *open)
{
	struct simulation *s = run->result;
	size_t column = column_of(run, open->at_ms);

	run->users[open->user].held[open->service]++;
	run->by_service[open->service]++;
	run->held++;
	s->granted++;
	if (run->held > s->held[column])
		s->held[column] = run->held;
	if (run->held > s->peak) {
		s->peak = run->held;
		s->peak_at_ms = open->at_ms;
		memcpy(s->peak_by_service, run->by_service, sizeof s->peak_by_service);
	}
}

static void judge(struct run *run, size_t at)
{
	const struct trace_open *open = &run->trace->opens[at];
	const struct session_request request = {.service = (enum session_service)open->service};
	struct session_check checks[SESSION_CHECKS_MAX];
	const struct session_check *told;
	size_t n = session_judge(run->site, run->terms, run->terms_n, &request, run->users[open->user].held,
	    run->by_service[open->service], checks);

	told = session_check_refusing(checks, n);
	run->granted[at] = told == NULL;
	if (told)
		refuse(run, open, told);
	else
		grant(run, open);
}

static void give_back(struct run *run, const struct trace_open *open)
{
	run->users[open->user].held[open->service]--;
	run->by_service[open->service]--;
	run->held--;
}

/* Of those that were judged: one that closes when it opens is behind its own open. */
static void close_until(struct run *run, int64_t at_ms, size_t opened_n)
{
	for (; run->closed_n < run->trace->n; run->closed_n++) {
		const struct close *close = &run->closes[run->closed_n];

		if (close->at_ms > at_ms || close->open >= opened_n)
			return;
		if (run->granted[close->open])
			give_back(run, &run->trace->opens[close->open]);
	}
}

/* All that can refuse is read once: a look-up of a policy costs more than judging. */
static void set_terms(struct run *run, struct limit_pair limits)
{
	static const enum setting as_they_are[] = {SETTING_DISABLE_SESSION_LIMIT, SETTING_SESSIONS_PER_SERVICE,
	    SETTING_IMAP_MAX_CONNECTIONS_PER_USER, SETTING_POP_MAX_CONNECTIONS_PER_USER};
	enum setting setting;

	run->terms[run->terms_n++] = (struct session_term){SETTING_SESSIONS_PER_USER, limits.total};
	run->terms[run->terms_n++] = (struct session_term){SETTING_SERVICE_SESSIONS_PER_USER, limits.service};
	for (size_t i = 0; i < sizeof as_they_are / sizeof *as_they_are; i++)
		run->terms[run->terms_n++] = (struct session_term){as_they_are[i], setting_get(run->site, as_they_are[i])};
	for (int i = 0; i < SESSION_SERVICES_N; i++)
		if (policy_concurrency((enum session_service)i, &setting))
			run->terms[run->terms_n++] = (struct session_term){setting, policy_value(run->site, NULL, setting)};
}

static void run_one(struct site *site, const struct trace *trace, const struct close *closes, struct limit_pair limits,
    struct simulation *result_r)
{
	struct simulation result = {.limits = limits};
	struct run run = {.site = site, .trace = trace, .closes = closes, .result = &result};
	size_t column = 0;

	run.users = mem_alloc((trace->users_n + 1) * sizeof *run.users);
	run.granted = mem_alloc(trace->n + 1);
	set_terms(&run, limits);
	for (size_t i = 0; i < trace->n; i++) {
		int64_t at_ms = trace->opens[i].at_ms;

		close_until(&run, at_ms, i);
		/* A column in which nothing opens shows what is still held. */
		for (; column <= column_of(&run, at_ms); column++)
			result.held[column] = run.held;
		judge(&run, i);
	}
	for (; column < SIMULATION_COLUMNS; column++) {
		int64_t at_ms = trace->end_ms * (int64_t)column / SIMULATION_COLUMNS;

		close_until(&run, at_ms, trace->n);
		result.held[column] = run.held;
	}
	free(run.users);
	free(run.granted);
	*result_r = result;
}

void simulation_run(struct site *site, const struct trace *trace, const struct limit_pair *pairs, size_t n, struct simulation *list_r)
{
	struct close *closes = list_closes(trace);

	for (size_t i = 0; i < n; i++)
		run_one(site, trace, closes, pairs[i], &list_r[i]);
	free(closes);
}

struct session_cost simulation_cost(const struct simulation *s)
{
	struct session_cost sum = {0};

	for (int i = 0; i < SESSION_SERVICES_N; i++) {
		sum.bytes += s->peak_by_service[i] * costs[i].bytes;
		sum.fds += s->peak_by_service[i] * costs[i].fds;
	}
	return sum;
}

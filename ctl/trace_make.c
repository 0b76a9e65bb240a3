/* ctl/trace_make.c - a trace made up: users who come to work, and what their clients do. */
#include "base/mem.h"
#include "ctl/trace.h"

#include <stdlib.h>

/*
 * What a user has, as the story of the limits goes: each opens sessions in its own way.  A desktop client has a connection for each
 * folder that it watches, and makes them anew within the half hour (RFC 3501 5.4); a phone asks, and parks without a session.
 */
const struct trace_client trace_clients[] = {
    {"phone", SESSION_EAS, 90, 20, 1, 240, 3, 0}, /* asks over EAS, and waits without a session */
    {"webmail", SESSION_OWA, 40, 20, 1, 7200, 3600, 25}, /* signs in, and leaves the tab open */
    {"desktop", SESSION_IMAP4, 70, 35, 5, 1740, 1730, 8}, /* IMAP4, a connection for each of five folders */
    {"script", SESSION_POP3, 5, 10, 1, 300, 4, 1}, /* fetches over POP3 */
    {"addin", SESSION_EWS, 30, 0, 1, 120, 1, 0}, /* asks over EWS */
    {"mount", SESSION_FS, 3, 30, 12, 1200, 20, 0}, /* greps and lists in the mount */
};
const size_t trace_clients_n = sizeof trace_clients / sizeof *trace_clients;

#define STALE_MS (900 * 1000) /* until keepalive finds a dead peer, by default */
#define DEVICES_MAX 3 /* of one kind, of one user */
#define ARRIVAL_SHARE 4       /* of the length, in which users come to work */

/* splitmix64: the same everywhere, and a stream of its own for each user. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t n)
{
	return n ? next(state) % n : 0;
}

static int64_t about(uint64_t *state, int64_t ms)
{
	return ms / 2 + (int64_t)below(state, (uint64_t)ms);
}

static int run_client(const struct trace_client *client, const struct trace_plan *plan, uint32_t user, int64_t from_ms,
    int64_t to_ms, uint64_t *state, struct trace *trace, struct err *e)
{
	/* One that holds about as long as it waits comes again when it is done: a connection that is made anew. */
	bool renews = client->held_s * 10 >= client->every_s * 9;

	for (int64_t at_ms = from_ms + (int64_t)below(state, (uint64_t)client->every_s * 500); at_ms < to_ms;) {
		int64_t held_ms = about(state, (int64_t)client->held_s * 1000);
		int64_t stay_ms = held_ms;

		if (below(state, 100) < client->pile_up)
			stay_ms += STALE_MS;
		if (!renews && at_ms + stay_ms > plan->length_ms)
			stay_ms = -1;
		for (uint32_t i = 0; i < client->at_once; i++) {
			if (trace->n == TRACE_OPENS_MAX)
				return err_set(e, ERR_LIMIT, "that would be more than %u opens: fewer users, or fewer hours", TRACE_OPENS_MAX);
			trace_add(trace, (struct trace_open){at_ms + (int64_t)below(state, 2000), stay_ms, user, (uint16_t)client->service});
		}
		at_ms += renews ? held_ms + (int64_t)below(state, 3000) : about(state, (int64_t)client->every_s * 1000);
	}
	return 0;
}

static int run_user(const struct trace_plan *plan, uint32_t user, struct trace *trace, struct err *e)
{
	uint64_t state = plan->seed * 0xd1342543de82ef95u + user;
	/* Most come together: the sum of two dice. */
	uint64_t half = (uint64_t)plan->length_ms / ARRIVAL_SHARE / 2;
	int64_t from_ms = (int64_t)(below(&state, half) + below(&state, half));
	int64_t to_ms = plan->length_ms - (int64_t)(below(&state, half) + below(&state, half));

	for (size_t i = 0; i < trace_clients_n; i++) {
		uint32_t next_share = plan->shares[i];

		for (int device = 0; device < DEVICES_MAX && below(&state, 100) < next_share; device++) {
			if (run_client(&trace_clients[i], plan, user, from_ms, to_ms, &state, trace, e) < 0)
				return -1;
			next_share = trace_clients[i].second;
		}
	}
	return 0;
}

int trace_make(const struct trace_plan *plan, struct trace *trace_r, struct err *e)
{
	struct trace trace = {.users_n = plan->users, .end_ms = plan->length_ms};

	for (uint32_t user = 0; user < plan->users; user++)
		if (run_user(plan, user, &trace, e) < 0) {
			trace_fini(&trace);
			return -1;
		}
	trace_sort(&trace);
	*trace_r = trace;
	return 0;
}

/* ---- both kinds ---- */

void trace_fini(struct trace *trace)
{
	free(trace->opens);
	*trace = (struct trace){0};
}

void trace_add(struct trace *trace, struct trace_open open)
{
	if (trace->n == trace->room) {
		trace->room = trace->room * 2 + 1024;
		trace->opens = mem_realloc(trace->opens, trace->room * sizeof *trace->opens);
	}
	trace->opens[trace->n++] = open;
}

/* Of two at one time the order is settled, whatever qsort does with them. */
static int by_time(const void *a, const void *b)
{
	const struct trace_open *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->user != y->user)
		return x->user < y->user ? -1 : 1;
	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	return (x->held_ms > y->held_ms) - (x->held_ms < y->held_ms);
}

void trace_sort(struct trace *trace)
{
	if (trace->n)
		qsort(trace->opens, trace->n, sizeof *trace->opens, by_time);
}

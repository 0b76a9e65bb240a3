/*
 * A trace of opens and closes, for postern simulate: read from a log of the doors, from a file of its own form, or made up for a
 * number of users with a mix of clients.  Times are milliseconds from the first.
 */
#ifndef CTL_TRACE_H
#define CTL_TRACE_H

#include "base/err.h"
#include "base/str.h"
#include "limits/session.h"

#include <stdint.h>
#include <stdio.h>

/* One open, and how long what it opens is held if it is granted. */
struct trace_open {
	int64_t at_ms, held_ms; /* held_ms < 0: to the end of the trace */
	uint32_t user;          /* a number from 0 */
	uint16_t service;
};

struct trace {
	struct trace_open *opens; /* by time */
	size_t n, room;
	uint32_t users_n;
	int64_t end_ms;
	size_t refused_n; /* opens that the log says were refused */
};

void trace_fini(struct trace *trace);

/*
 * Of lines "SECONDS open USER SERVICE ID" and "SECONDS close ID" (a blank or # begins none), or of the doors' log, which is told by
 * its first line.  INVALID names the line.
 */
WARN_UNUSED int trace_read(FILE *in, const char *name, struct trace *trace_r, struct err *e);

/* A kind of client, and how it opens sessions while its user works. */
struct trace_client {
	const char *name;
	enum session_service service;
	uint32_t share;              /* percent of the users who have it */
	uint32_t second;             /* percent of those who have a second one, and of these a third */
	uint32_t at_once;            /* sessions that it opens together */
	uint32_t every_s, held_s;    /* about so often, for so long: each between half and one and a half times that */
	uint32_t pile_up;            /* percent of opens whose session before stays: a lost network, a tab forgotten */
};
extern const struct trace_client trace_clients[];
extern const size_t trace_clients_n;

struct trace_plan {
	uint32_t users;
	int64_t length_ms;
	uint64_t seed;
	const uint32_t *shares; /* by client, percent */
};
/* LIMIT: more than TRACE_OPENS_MAX opens. */
#define TRACE_OPENS_MAX 50000000u
WARN_UNUSED int trace_make(const struct trace_plan *plan, struct trace *trace_r, struct err *e);

/* For both. */
void trace_add(struct trace *trace, struct trace_open open);
void trace_sort(struct trace *trace);

#endif

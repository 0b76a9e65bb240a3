/*
 * A trace run against limits: each open is judged as it would be (session_judge), what is granted is held until it closes, and
 * what is refused is not tried again.
 */
#ifndef CTL_SIMULATION_H
#define CTL_SIMULATION_H

#include "ctl/trace.h"

#define SIMULATION_COLUMNS 240

struct limit_pair {
	uint32_t total, service;
};

struct simulation {
	struct limit_pair limits;
	size_t granted;
	size_t refused, refused_total, refused_service, refused_server, refused_front;
	uint32_t users_refused;
	uint32_t peak;      /* sessions held at once */
	int64_t peak_at_ms;
	uint32_t peak_by_service[SESSION_SERVICES_N];
	/* Over time, in columns of the same length: the most that was held, and what was refused. */
	uint32_t held[SIMULATION_COLUMNS], refusals[SIMULATION_COLUMNS];
};

/* Settings other than the pair are the site's. */
void simulation_run(struct site *site, const struct trace *trace, const struct limit_pair *pairs, size_t n,
    struct simulation *list_r);

/* What the sessions of the peak cost the server. */
struct session_cost {
	uint64_t bytes, fds;
};
struct session_cost simulation_cost(const struct simulation *s);

/* The picture: sessions held with each pair, and refusals of each. */
void simulation_draw(const struct trace *trace, const struct simulation *list, size_t n, const char *title, const char *subtitle,
    struct str_buf *out);

#endif

/*
 * metrics/page.c - see page.h.
 *
 * Labels have few values: services, limits, classes; and users by name only where they are near a limit, UsersNamed of them at most.
 */
#include "metrics/page.h"
#include "base/arena.h"
#include "limits/holder.h"
#include "limits/tally.h"
#include "metrics/text.h"
#include "store/nearness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct near {
	const struct holder *holder;
	struct nearness to;
};

struct look {
	struct site *site;
	struct str_buf *out;
	struct arena arena;
	struct session_info *list;
	struct holder *holders;
	struct near *near;
	size_t n, holders_n, near_n;
	uint64_t near_all, near_service;
	struct tally_sums sums;
};

/* ---- who is near his limits ---- */

static int by_nearness(const void *a, const void *b)
{
	const struct near *x = a, *y = b;
	uint64_t x_percent = nearness_percent(&x->to), y_percent = nearness_percent(&y->to);

	if (x_percent != y_percent)
		return x_percent > y_percent ? -1 : 1;
	return strcmp(x->holder->name, y->holder->name);
}

static void add_if_near(struct look *look, const struct holder *holder)
{
	uint32_t near = setting_get(look->site, SETTING_METRICS_NEAR_LIMIT);
	struct nearness to = nearness_of(look->site, holder);

	look->near_all += to.percent_of_all >= near;
	look->near_service += to.percent_of_service >= near;
	if (nearness_percent(&to) >= near)
		look->near[look->near_n++] = (struct near){holder, to};
}

static int look_at(struct look *look, struct err *e)
{
	if (session_list(look->site, (struct user_id){0}, &look->arena, &look->list, &look->n, e) < 0)
		return -1;
	holders_find(look->list, look->n, &look->arena, &look->holders, &look->holders_n);
	look->near = ARENA_ARRAY(&look->arena, struct near, look->holders_n + 1);
	if (setting_get(look->site, SETTING_DISABLE_SESSION_LIMIT) != 1)
		for (size_t i = 0; i < look->holders_n; i++)
			add_if_near(look, &look->holders[i]);
	if (look->near_n)
		qsort(look->near, look->near_n, sizeof *look->near, by_nearness);
	look->sums = tally_of(look->site);
	return 0;
}

/* ---- now ---- */

static void put_sessions(const struct look *look)
{
	uint64_t counts[SESSION_SERVICES_N] = {0}, stuck = 0;

	for (size_t i = 0; i < look->n; i++) {
		counts[look->list[i].service]++;
		stuck += look->list[i].holder_stuck;
	}
	metric_family(look->out, "postern_sessions", METRIC_GAUGE, NULL, "Sessions held now.");
	for (int i = 0; i < SESSION_SERVICES_N; i++) {
		enum session_service service = (enum session_service)i;

		metric_sample(look->out, "postern_sessions", "",
		    METRIC_LABELS({"service", session_service_name(service)}, {"class", session_class_name(session_service_class(service))}),
		    counts[i]);
	}
	metric_family(look->out, "postern_sessions_stuck", METRIC_GAUGE, NULL, "Sessions whose daemon does not run (stopped, or in disk sleep).");
	metric_sample(look->out, "postern_sessions_stuck", "", NULL, stuck);
}

static void put_limits(const struct look *look)
{
	static const enum setting told[] = {SETTING_SESSIONS_PER_USER, SETTING_SERVICE_SESSIONS_PER_USER,
	    SETTING_SESSIONS_PER_ADMINISTRATOR, SETTING_SESSIONS_PER_SERVICE};

	metric_family(look->out, "postern_limit", METRIC_GAUGE, NULL, "The store's session limits, as they are set.");
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		metric_sample(look->out, "postern_limit", "", METRIC_LABELS({"limit", setting_rows[told[i]].name}),
		    setting_get(look->site, told[i]));
	metric_family(look->out, "postern_limits_disabled", METRIC_GAUGE, NULL, "1 where Disable Session Limit is set.");
	metric_sample(look->out, "postern_limits_disabled", "", NULL, setting_get(look->site, SETTING_DISABLE_SESSION_LIMIT));
}

static void put_users(const struct look *look)
{
	uint32_t most = setting_get(look->site, SETTING_METRICS_USERS_MAX);

	metric_family(look->out, "postern_users", METRIC_GAUGE, NULL, "Users who hold sessions that count for them.");
	metric_sample(look->out, "postern_users", "", NULL, look->holders_n);
	metric_family(look->out, "postern_users_near_limit", METRIC_GAUGE, NULL,
	    "Users who hold at least NearLimit percent of a limit; of=all: of all sessions, of=service: of service sessions.");
	metric_sample(look->out, "postern_users_near_limit", "", METRIC_LABELS({"of", "all"}), look->near_all);
	metric_sample(look->out, "postern_users_near_limit", "", METRIC_LABELS({"of", "service"}), look->near_service);
	metric_family(look->out, "postern_user_sessions", METRIC_GAUGE, NULL, "Sessions of those who are nearest to a limit, UsersNamed of them.");
	for (size_t i = 0; i < look->near_n && i < most; i++) {
		const struct near *near = &look->near[i];

		metric_sample(look->out, "postern_user_sessions", "", METRIC_LABELS({"user", near->holder->name}, {"of", "all"}),
		    near->holder->counts.all);
		metric_sample(look->out, "postern_user_sessions", "", METRIC_LABELS({"user", near->holder->name}, {"of", "service"}),
		    near->holder->counts.service);
	}
	metric_family(look->out, "postern_user_limit", METRIC_GAUGE, NULL, "The limits of the same users.");
	for (size_t i = 0; i < look->near_n && i < most; i++) {
		const struct near *near = &look->near[i];

		metric_sample(look->out, "postern_user_limit", "", METRIC_LABELS({"user", near->holder->name}, {"of", "all"}), near->to.of_all);
		metric_sample(look->out, "postern_user_limit", "", METRIC_LABELS({"user", near->holder->name}, {"of", "service"}), near->to.of_service);
	}
}

/* ---- since the host is up ---- */

static void put_counters(const struct look *look)
{
	metric_family(look->out, "postern_grants", METRIC_COUNTER, NULL, "Sessions granted.");
	for (int i = 0; i < SESSION_SERVICES_N; i++)
		metric_sample(look->out, "postern_grants", "_total",
		    METRIC_LABELS({"service", session_service_name((enum session_service)i)}), look->sums.granted[i]);
	metric_family(look->out, "postern_refusals", METRIC_COUNTER, NULL, "Opens refused, by the limit that was told.");
	for (int i = 0; i < SESSION_SERVICES_N; i++)
		for (size_t k = 0; k < tally_limits_n; k++)
			if (look->sums.refused[i][k] > 0)
				metric_sample(look->out, "postern_refusals", "_total",
				    METRIC_LABELS({"service", session_service_name((enum session_service)i)},
					{"layer", tally_limits[k].layer}, {"limit", tally_limits[k].limit}),
				    look->sums.refused[i][k]);
	metric_family(look->out, "postern_reaped_sessions", METRIC_COUNTER, NULL, "Sessions taken from who was gone: killed processes, silent peers.");
	for (int i = 0; i < TALLY_REAPED_N; i++)
		metric_sample(look->out, "postern_reaped_sessions", "_total", METRIC_LABELS({"why", tally_reaped_name((enum tally_reaped)i)}),
		    look->sums.reaped[i]);
	metric_family(look->out, "postern_events", METRIC_COUNTER, NULL, "Records of the Application log, one per user, limit and minute.");
	metric_sample(look->out, "postern_events", "_total", METRIC_LABELS({"id", "9646"}), look->sums.recorded);
}

static void put_durations(const struct look *look)
{
	static const char name[] = "postern_grant_duration_seconds";
	uint64_t most_ns = TALLY_LEAST_NS, n = 0;
	char le[32];

	metric_family(look->out, name, METRIC_HISTOGRAM, "seconds", "How long a grant took: the limits judged, and the session counted.");
	for (int i = 0; i < TALLY_BUCKETS_N; i++, most_ns *= 2) {
		snprintf(le, sizeof le, i < TALLY_BUCKETS_N - 1 ? "%" PRIu64 ".%07" PRIu64 : "+Inf", most_ns / 1000000000,
		    most_ns % 1000000000 / 100);
		n += look->sums.took[i];
		metric_sample(look->out, name, "_bucket", METRIC_LABELS({"le", le}), n);
	}
	metric_seconds(look->out, name, "_sum", NULL, look->sums.took_ns);
	metric_sample(look->out, name, "_count", NULL, n);
}

int page_put(struct site *site, struct str_buf *out, struct err *e)
{
	struct look look = {.site = site, .out = out};
	int64_t began_ns = tally_clock_ns();
	int r = look_at(&look, e);

	if (r == 0) {
		metric_family(out, "postern", METRIC_INFO, NULL, "The version of this program, and the host as the store knows it.");
		metric_sample(out, "postern", "_info", METRIC_LABELS({"version", POSTERN_VERSION}, {"host", site_host_name(site)}), 1);
		put_sessions(&look);
		put_limits(&look);
		put_users(&look);
		put_counters(&look);
		put_durations(&look);
		metric_family(out, "postern_look_duration_seconds", METRIC_GAUGE, "seconds", "How long it took to find all this.");
		metric_seconds(out, "postern_look_duration_seconds", "", NULL, (uint64_t)(tally_clock_ns() - began_ns));
		metric_end(out);
	}
	arena_fini(&look.arena);
	return r;
}

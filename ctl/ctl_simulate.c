/* ctl/ctl_simulate.c - postern simulate [TOTAL/SERVICE...]: what other limits would refuse, and what a server would hold. */
#include "ctl/json.h"
#include "ctl/simulation.h"
#include "ctl/verb.h"
#include "limits/registry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAIRS_MAX 6
#define CLIENTS_MAX 8

static const char *trace_file, *users_text, *hours_text, *seed_text, *mix_text, *svg_file;
static bool as_json;

static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *n_r)
{
	uint64_t n;

	if (!str_number(str_view(text, strlen(text)), most, &n) || n < least)
		return false;
	*n_r = n;
	return true;
}

/* "32/16" */
static bool parse_pair(const char *text, struct limit_pair *pair_r)
{
	const char *slash = strchr(text, '/');
	uint64_t total, service;

	if (!slash || !str_number(str_view(text, (size_t)(slash - text)), UINT32_MAX, &total) ||
	    !parse_number(slash + 1, 0, UINT32_MAX, &service))
		return false;
	*pair_r = (struct limit_pair){(uint32_t)total, (uint32_t)service};
	return true;
}

/* Those given; else what is set, half of it and twice it. */
static int find_pairs(struct ctl *ctl, char **operands, int n, struct limit_pair pairs_r[PAIRS_MAX], size_t *n_r)
{
	uint32_t total = setting_get(ctl->site, SETTING_SESSIONS_PER_USER);
	uint32_t service = setting_get(ctl->site, SETTING_SERVICE_SESSIONS_PER_USER);

	for (int i = 0; i < n; i++)
		if (!parse_pair(operands[i], &pairs_r[i]))
			return ctl_usage(ctl, "`%s` is no pair of limits, as 32/16 is: of all sessions, and of service sessions", operands[i]);
	*n_r = (size_t)n;
	if (n == 0) {
		pairs_r[0] = (struct limit_pair){total, service};
		pairs_r[1] = (struct limit_pair){total / 2, service / 2};
		pairs_r[2] = (struct limit_pair){total < UINT32_MAX / 2 ? total * 2 : total, service < UINT32_MAX / 2 ? service * 2 : service};
		*n_r = 3;
	}
	return CTL_OK;
}

/* "phone=90,desktop=70": those that are not named keep their share. */
static bool parse_mix(const char *text, uint32_t shares[CLIENTS_MAX])
{
	while (*text) {
		size_t n = strcspn(text, ","), name_n = strcspn(text, "=,"), i = 0;
		uint64_t share;

		while (i < trace_clients_n && (strlen(trace_clients[i].name) != name_n || strncmp(trace_clients[i].name, text, name_n) != 0))
			i++;
		if (i == trace_clients_n || name_n >= n || !str_number(str_view(text + name_n + 1, n - name_n - 1), 100, &share))
			return false;
		shares[i] = (uint32_t)share;
		text += n + (text[n] == ',');
	}
	return true;
}

static int make_trace(struct ctl *ctl, struct trace *trace_r, struct str_buf *title, struct str_buf *mix)
{
	uint32_t shares[CLIENTS_MAX];
	uint64_t users = 1000, hours = 10, seed = 1;
	struct trace_plan plan = {.shares = shares};
	struct err e;

	for (size_t i = 0; i < trace_clients_n; i++)
		shares[i] = trace_clients[i].share;
	if (users_text && !parse_number(users_text, 1, 1000000, &users))
		return ctl_usage(ctl, "--users is 1 to 1000000");
	if (hours_text && !parse_number(hours_text, 1, 168, &hours))
		return ctl_usage(ctl, "--hours is 1 to 168");
	if (seed_text && !parse_number(seed_text, 0, UINT64_MAX, &seed))
		return ctl_usage(ctl, "--seed is a number");
	if (mix_text && !parse_mix(mix_text, shares))
		return ctl_usage(ctl, "--mix is CLIENT=PERCENT,...; clients are phone, webmail, desktop, script, addin, mount");
	plan.users = (uint32_t)users;
	plan.length_ms = (int64_t)hours * 3600 * 1000;
	plan.seed = seed;
	str_buf_printf(title, "%" PRIu64 " users, %" PRIu64 " hours", users, hours);
	for (size_t i = 0; i < trace_clients_n; i++)
		if (shares[i])
			str_buf_printf(mix, "%s%s %" PRIu32 " %%", mix->n ? ", " : "", trace_clients[i].name, shares[i]);
	return trace_make(&plan, trace_r, &e) < 0 ? ctl_fail_err(&e) : CTL_OK;
}

static int read_trace(struct trace *trace_r, struct str_buf *title)
{
	bool is_stdin = strcmp(trace_file, "-") == 0;
	FILE *in = is_stdin ? stdin : fopen(trace_file, "re");
	const char *slash = strrchr(trace_file, '/'), *name = is_stdin ? "standard input" : slash ? slash + 1 : trace_file;
	struct err e;
	int r;

	if (!in)
		return ctl_fail("%s: %s", trace_file, strerror(errno));
	r = trace_read(in, name, trace_r, &e);
	if (!is_stdin)
		fclose(in);
	if (r < 0)
		return ctl_fail_err(&e);
	str_buf_printf(title, "%s: %" PRIu32 " users, %" PRId64 " min", name, trace_r->users_n, trace_r->end_ms / 60000);
	return CTL_OK;
}

/* ---- what is said ---- */

static double percent(size_t part, size_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void put_row(const struct simulation *s, bool is_now)
{
	struct session_cost cost = simulation_cost(s);
	char pair[32];

	snprintf(pair, sizeof pair, "%" PRIu32 "/%" PRIu32, s->limits.total, s->limits.service);
	printf("%-13s%-4s %9zu %6.2f%% %9zu %9zu %9zu %9zu %7" PRIu32 " %8" PRIu32 " %8.1f %8" PRIu64 "\n", pair, is_now ? "now" : "", s->refused,
	    percent(s->refused, s->granted + s->refused), s->refused_total, s->refused_service, s->refused_server, s->refused_front,
	    s->users_refused, s->peak, (double)cost.bytes / 1e6, cost.fds);
}

/* What one pair costs that another does not. */
static void put_difference(const struct simulation *from, const struct simulation *to)
{
	struct session_cost a = simulation_cost(from), b = simulation_cost(to);

	printf("%" PRIu32 "/%" PRIu32 " in place of %" PRIu32 "/%" PRIu32 ": %+" PRId64 " refused, %+" PRId64 " sessions at peak, %+.1f MB, %+" PRId64 " descriptors\n",
	    to->limits.total, to->limits.service, from->limits.total, from->limits.service, (int64_t)to->refused - (int64_t)from->refused,
	    (int64_t)to->peak - (int64_t)from->peak, ((double)b.bytes - (double)a.bytes) / 1e6, (int64_t)b.fds - (int64_t)a.fds);
}

static bool is_now(struct ctl *ctl, const struct simulation *s)
{
	return s->limits.total == setting_get(ctl->site, SETTING_SESSIONS_PER_USER) &&
	    s->limits.service == setting_get(ctl->site, SETTING_SERVICE_SESSIONS_PER_USER);
}

static void put_people(struct ctl *ctl, const struct trace *trace, const struct simulation *list, size_t n, const char *title,
    const char *mix)
{
	printf("%s: %zu opens.%s%s\n\n", title, trace->n, *mix ? "  Of the users: " : "", mix);
	if (trace->refused_n)
		printf("The log says that %zu of them were refused.\n\n", trace->refused_n);
	printf("%-17s %9s %7s %9s %9s %9s %9s %7s %8s %8s %8s\n", "TOTAL/SERVICE", "REFUSED", "", "BY TOTAL", "SERVICE", "SERVER", "IN FRONT", "USERS",
	    "PEAK", "MB", "FDS");
	for (size_t i = 0; i < n; i++)
		put_row(&list[i], is_now(ctl, &list[i]));
	if (n > 1)
		putchar('\n');
	for (size_t i = 1; i < n; i++)
		put_difference(&list[0], &list[i]);
}

static void put_number(struct json *j, const char *key, int64_t n)
{
	json_key(j, key);
	json_number(j, n);
}

static void put_json_row(struct json *j, const struct simulation *s)
{
	struct session_cost cost = simulation_cost(s);

	json_open(j, '{');
	put_number(j, "total", s->limits.total);
	put_number(j, "service", s->limits.service);
	put_number(j, "granted", (int64_t)s->granted);
	put_number(j, "refused", (int64_t)s->refused);
	put_number(j, "refused_by_total", (int64_t)s->refused_total);
	put_number(j, "refused_by_service", (int64_t)s->refused_service);
	put_number(j, "refused_by_server", (int64_t)s->refused_server);
	put_number(j, "refused_in_front", (int64_t)s->refused_front);
	put_number(j, "users_refused", s->users_refused);
	put_number(j, "peak", s->peak);
	put_number(j, "peak_at_ms", s->peak_at_ms);
	put_number(j, "peak_bytes", (int64_t)cost.bytes);
	put_number(j, "peak_fds", (int64_t)cost.fds);
	json_close(j, '}');
}

static void put_json(const struct trace *trace, const struct simulation *list, size_t n)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	json_open(&j, '{');
	put_number(&j, "opens", (int64_t)trace->n);
	put_number(&j, "users", trace->users_n);
	put_number(&j, "length_ms", trace->end_ms);
	put_number(&j, "refused_in_log", (int64_t)trace->refused_n);
	json_key(&j, "limits");
	json_open(&j, '[');
	for (size_t i = 0; i < n; i++)
		put_json_row(&j, &list[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	puts(out.p);
	str_buf_fini(&out);
}

static int write_svg(const struct trace *trace, const struct simulation *list, size_t n, const char *title, const char *mix)
{
	struct str_buf out = {0};
	FILE *file = fopen(svg_file, "we");
	bool ok = file != NULL;
	int sys = errno;

	if (file) {
		simulation_draw(trace, list, n, title, mix, &out);
		ok = fwrite(out.p, 1, out.n, file) == out.n;
		ok = fclose(file) == 0 && ok;
		sys = errno;
	}
	str_buf_fini(&out);
	return ok ? CTL_OK : ctl_fail("%s: %s", svg_file, strerror(sys));
}

static int simulate_run(struct ctl *ctl, char **operands, int n)
{
	struct limit_pair pairs[PAIRS_MAX];
	struct simulation list[PAIRS_MAX];
	struct str_buf title = {0}, mix = {0};
	struct trace trace = {0};
	size_t pairs_n = 0;
	int code = find_pairs(ctl, operands, n, pairs, &pairs_n);

	if (code == CTL_OK && trace_file && (users_text || hours_text || mix_text || seed_text))
		code = ctl_usage(ctl, "--trace has its own users and times");
	if (code == CTL_OK)
		code = trace_file ? read_trace(&trace, &title) : make_trace(ctl, &trace, &title, &mix);
	if (code == CTL_OK) {
		simulation_run(ctl->site, &trace, pairs, pairs_n, list);
		if (as_json)
			put_json(&trace, list, pairs_n);
		else
			put_people(ctl, &trace, list, pairs_n, title.p, str_buf_view(&mix).p);
		if (svg_file)
			code = write_svg(&trace, list, pairs_n, title.p, str_buf_view(&mix).p);
	}
	trace_fini(&trace);
	str_buf_fini(&title);
	str_buf_fini(&mix);
	return code;
}

static const struct verb_option options[] = {
    {0, "trace", "FILE", &trace_file, "opens and closes: a log of the doors, or a trace's own form; - is standard input"},
    {0, "users", "N", &users_text, "make up a trace of so many users (1000)"},
    {0, "hours", "N", &hours_text, "of so many hours (10)"},
    {0, "mix", "MIX", &mix_text, "who of them has which client: phone=90,desktop=70"},
    {0, "seed", "N", &seed_text, "another trace of the same kind (1)"},
    {0, "svg", "FILE", &svg_file, "a picture, too"},
    {0, "json", NULL, &as_json, "one JSON object"},
    {0},
};

const struct verb ctl_verb_simulate = {
    .name = "simulate",
    .summary = "what other limits would refuse, and what the server would hold",
    .help = "A pair is the limit of all sessions of a user and that of his service sessions: 32/16. Without\n"
	    "one: those that are set, half of them, and twice. All other limits are as they are set. What is\n"
	    "refused is not tried again. The same options and seed give the same figures, everywhere.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "[TOTAL/SERVICE...]", 0, PAIRS_MAX, options, simulate_run, NULL},
	    {0},
	},
};

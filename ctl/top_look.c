/* ctl/top_look.c - see top_look.h. */
#include "ctl/top_look.h"
#include "ctl/bar.h"
#include "ctl/session_line.h"
#include "limits/event.h"
#include "store/nearness.h"
#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BAR_COLUMNS 10
#define TOOK_SIZE 24

/* ---- a look ---- */

static int by_name(const void *name, const void *user)
{
	return strcmp(name, ((const struct top_user *)user)->holder.name);
}

static struct top_user *find_user(const struct top_look *look, const char *name)
{
	return look->users_n ? bsearch(name, look->users, look->users_n, sizeof *look->users, by_name) : NULL;
}

static void find_users(struct top_look *look)
{
	bool limited = setting_get(look->site, SETTING_DISABLE_SESSION_LIMIT) != 1;
	uint32_t near = setting_get(look->site, SETTING_METRICS_NEAR_LIMIT);
	struct holder *holders;

	holders_find(look->list, look->n, &look->arena, &holders, &look->users_n);
	look->users = ARENA_ARRAY(&look->arena, struct top_user, look->users_n + 1);
	for (size_t i = 0; i < look->users_n; i++) {
		struct nearness to = nearness_of(look->site, &holders[i]);

		look->users[i].holder = holders[i];
		look->near_n += limited && nearness_percent(&to) >= near;
		look->full_n += limited && nearness_percent(&to) >= 100;
	}
}

static void count_held(struct top_look *look)
{
	for (size_t i = 0; i < look->n; i++) {
		look->held[look->list[i].service]++;
		look->stuck_n += look->list[i].holder_stuck;
	}
}

static int count_refused(struct top_look *look, struct err *e)
{
	struct event *events;
	size_t n;

	if (event_list_over(look->site, look->at_ms - TOP_REFUSED_MINUTES * 60000, &look->arena, &events, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct top_user *user = find_user(look, events[i].user);

		if (user)
			user->refused += events[i].count;
	}
	return 0;
}

static void take_sums(struct top_look *look, struct top_tally *last)
{
	struct top_tally now = {tally_of(look->site), clock_mono_ms()};

	look->sums = tally_between(&last->sums, &now.sums);
	look->since_ms = last->mono_ms ? now.mono_ms - last->mono_ms : 0;
	*last = now;
}

int top_look_at(struct site *site, struct top_tally *last, struct top_look *look_r, struct err *e)
{
	struct top_look look = {.site = site, .at_ms = clock_wall_ms()};

	if (session_list(site, (struct user_id){0}, &look.arena, &look.list, &look.n, e) < 0) {
		arena_fini(&look.arena);
		return -1;
	}
	count_held(&look);
	find_users(&look);
	if (count_refused(&look, e) < 0) {
		arena_fini(&look.arena);
		return -1;
	}
	take_sums(&look, last);
	*look_r = look;
	return 0;
}

void top_look_fini(struct top_look *look)
{
	arena_fini(&look->arena);
	*look = (struct top_look){0};
}

/* ---- rows ---- */

static const char *row_name(const struct top_row *row)
{
	return row->session ? row->session->actor_name : row->user->holder.name;
}

static uint64_t row_weight(const struct top_row *row, enum top_order order)
{
	switch (order) {
	case TOP_BY_USER:
		return 0;
	case TOP_BY_COUNT:
		return row->user ? row->user->holder.counts.all : 0;
	case TOP_BY_IDLE:
		return (uint64_t)(INT64_MAX - (row->session ? row->session->active_ms : row->user->holder.active_ms));
	case TOP_BY_REFUSED:
		return row->user ? row->user->refused : 0;
	}
	return 0;
}

/* What weighs most comes first, then names; a user's sessions from the oldest. */
static int by_order(const void *a, const void *b, void *order)
{
	const struct top_row *x = a, *y = b;
	uint64_t x_weight = row_weight(x, *(enum top_order *)order), y_weight = row_weight(y, *(enum top_order *)order);
	int names = strcmp(row_name(x), row_name(y));

	if (x_weight != y_weight)
		return x_weight > y_weight ? -1 : 1;
	if (names != 0 || !x->session)
		return names;
	if (x->session->opened_ms != y->session->opened_ms)
		return x->session->opened_ms < y->session->opened_ms ? -1 : 1;
	return strcmp(x->session->id, y->session->id);
}

static bool is_chosen(const struct top_choice *choice, struct user_id user, const char *name)
{
	return (choice->user.n == 0 || choice->user.n == user.n) &&
	       strncasecmp(name, choice->prefix, strlen(choice->prefix)) == 0;
}

struct top_rows top_rows_choose(const struct top_look *look, const struct top_choice *choice)
{
	size_t most = choice->sessions ? look->n : look->users_n;
	struct top_rows rows = {.rows = mem_alloc((most + 1) * sizeof *rows.rows)};
	enum top_order order = choice->order;

	if (choice->sessions)
		for (const struct session_info *s = look->list; s < look->list + look->n; s++)
			if (is_chosen(choice, s->actor, s->actor_name))
				rows.rows[rows.n++] = (struct top_row){find_user(look, s->actor_name), s};
	if (!choice->sessions)
		for (const struct top_user *u = look->users; u < look->users + look->users_n; u++)
			if (is_chosen(choice, u->holder.id, u->holder.name))
				rows.rows[rows.n++] = (struct top_row){u, NULL};
	qsort_r(rows.rows, rows.n, sizeof *rows.rows, by_order, &order);
	return rows;
}

void top_rows_fini(struct top_rows *rows)
{
	free(rows->rows);
	*rows = (struct top_rows){0};
}

/* ---- the head ---- */

static void put_classes(const struct top_look *look, struct str_buf *out)
{
	static const enum session_class classes[] = {
	    SESSION_CLASS_DIRECT, SESSION_CLASS_SERVICE, SESSION_CLASS_TRANSPORT, SESSION_CLASS_ADMIN};

	str_buf_printf(out, "sessions  %zu:", look->n);
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		size_t held = 0;

		for (int k = 0; k < SESSION_SERVICES_N; k++)
			if (session_service_class((enum session_service)k) == classes[i])
				held += look->held[k];
		str_buf_printf(out, "  %s %zu", session_class_name(classes[i]), held);
	}
	if (look->stuck_n > 0)
		str_buf_printf(out, "; of daemons that do not run: %zu", look->stuck_n);
	str_buf_putc(out, '\n');
}

/* Administration is exempt from the limit, and stands among the classes. */
static void put_services(const struct top_look *look, struct str_buf *out)
{
	str_buf_printf(out, "services  of %" PRIu32 " each:", setting_get(look->site, SETTING_SESSIONS_PER_SERVICE));
	for (int i = 0; i < SESSION_SERVICES_N; i++) {
		enum session_service service = (enum session_service)i;

		if (session_service_class(service) == SESSION_CLASS_ADMIN)
			continue;
		str_buf_printf(out, "  %s %zu", session_service_name(service), look->held[i]);
	}
	str_buf_putc(out, '\n');
}

static const char *took(const struct tally_sums *sums, unsigned percent, char out[TOOK_SIZE])
{
	int64_t ns = tally_took_ns(sums, percent);

	if (ns == INT64_MAX)
		snprintf(out, TOOK_SIZE, "seconds");
	else if (ns < 10000)
		snprintf(out, TOOK_SIZE, "%" PRId64 ".%" PRId64 " us", ns / 1000, ns % 1000 / 100);
	else if (ns < 10000000)
		snprintf(out, TOOK_SIZE, "%" PRId64 " us", ns / 1000);
	else
		snprintf(out, TOOK_SIZE, "%" PRId64 " ms", ns / 1000000);
	return out;
}

/* "12 (6.0/s)", or "12 since the host is up". */
static void put_count(const struct top_look *look, uint64_t n, struct str_buf *out)
{
	uint64_t tenths = look->since_ms > 0 ? n * 10000 / (uint64_t)look->since_ms : 0;

	str_buf_printf(out, "%" PRIu64, n);
	if (look->since_ms > 0)
		str_buf_printf(out, " (%" PRIu64 ".%" PRIu64 "/s)", tenths / 10, tenths % 10);
	else
		str_buf_puts(out, " since the host is up");
}

static void put_granted(const struct top_look *look, struct str_buf *out)
{
	char half[TOOK_SIZE], most[TOOK_SIZE];
	uint64_t n = 0;

	for (int i = 0; i < SESSION_SERVICES_N; i++)
		n += look->sums.granted[i];
	str_buf_puts(out, "granted   ");
	put_count(look, n, out);
	if (n > 0)
		str_buf_printf(out, "; half of them within %s, 99 %% within %s", took(&look->sums, 50, half),
		    took(&look->sums, 99, most));
	str_buf_putc(out, '\n');
}

static void put_refused(const struct top_look *look, struct str_buf *out)
{
	uint64_t by_limit[TALLY_LIMITS_MAX] = {0}, n = 0;
	const char *before = ": ";

	for (int i = 0; i < SESSION_SERVICES_N; i++)
		for (size_t k = 0; k < tally_limits_n; k++)
			by_limit[k] += look->sums.refused[i][k];
	for (size_t k = 0; k < tally_limits_n; k++)
		n += by_limit[k];
	str_buf_puts(out, "refused   ");
	put_count(look, n, out);
	for (size_t k = 0; k < tally_limits_n; k++) {
		if (by_limit[k] == 0)
			continue;
		str_buf_printf(out, "%s%s %" PRIu64, before, tally_limits[k].limit, by_limit[k]);
		before = ", ";
	}
	str_buf_putc(out, '\n');
}

static void put_reaped(const struct top_look *look, struct str_buf *out)
{
	str_buf_puts(out, "reaped    ");
	put_count(look, look->sums.reaped[TALLY_KILLED] + look->sums.reaped[TALLY_SILENT], out);
	str_buf_printf(out, "; killed processes %" PRIu64 ", silent peers %" PRIu64 "\n", look->sums.reaped[TALLY_KILLED],
	    look->sums.reaped[TALLY_SILENT]);
}

void top_put_head(const struct top_look *look, struct str_buf *out)
{
	put_classes(look, out);
	put_services(look, out);
	put_granted(look, out);
	put_refused(look, out);
	put_reaped(look, out);
	str_buf_printf(out, "users     %zu hold any; ", look->users_n);
	if (setting_get(look->site, SETTING_DISABLE_SESSION_LIMIT) == 1)
		str_buf_puts(out, "the limits are switched off");
	else
		str_buf_printf(out, "at %" PRIu32 " %% of a limit or over: %zu, at a limit: %zu",
		    setting_get(look->site, SETTING_METRICS_NEAR_LIMIT), look->near_n, look->full_n);
	str_buf_puts(out, "\n\n");
}

/* ---- lines of rows ---- */

void top_put_heading(const struct top_choice *choice, struct str_buf *out)
{
	if (choice->sessions)
		session_put_heading(out);
	else
		str_buf_printf(out, "%-16s %-24s %-24s %5s %7s\n", "USER", "SESSIONS", "SERVICE SESSIONS", "IDLE", "REFUSED");
}

static void put_bar(uint32_t part, uint32_t whole, struct str_buf *out)
{
	struct str_buf bar = {0};

	bar_draw(part, whole, BAR_COLUMNS, &bar);
	str_buf_printf(out, "%-24s ", bar.p);
	str_buf_fini(&bar);
}

static void put_user(const struct top_look *look, const struct top_user *user, struct str_buf *out)
{
	const struct holder *h = &user->holder;
	char idle[SESSION_AGO_SIZE];

	str_buf_printf(out, "%-16s ", h->name);
	put_bar(h->counts.all, nearness_limit_of_all(look->site, h->id), out);
	put_bar(h->counts.service, setting_get(look->site, SETTING_SERVICE_SESSIONS_PER_USER), out);
	str_buf_printf(out, "%5s %7" PRIu64 "\n", session_ago(h->active_ms, look->at_ms, idle), user->refused);
}

void top_put_rows(const struct top_look *look, const struct top_rows *rows, size_t from, size_t to, struct str_buf *out)
{
	for (size_t i = from; i < to && i < rows->n; i++)
		if (rows->rows[i].session)
			session_put_line(rows->rows[i].session, look->at_ms, out);
		else
			put_user(look, rows->rows[i].user, out);
}

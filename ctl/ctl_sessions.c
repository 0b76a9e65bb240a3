/* ctl/ctl_sessions.c - postern sessions [list [NAME] | users] | end [ID]: who holds what, and ending it. */
#include "base/clock.h"
#include "base/process.h"
#include "ctl/bar.h"
#include "ctl/json.h"
#include "ctl/session_line.h"
#include "ctl/verb.h"
#include "limits/holder.h"
#include "limits/registry.h"
#include "limits/tally.h"
#include "store/directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define END_WAIT_MS 1000
#define WATCH_S 2

static bool as_json, watch;
static const char *only_service, *only_peer, *only_idle, *only_user;

/* --- which ---------------------------------------------------------------------------------- */

struct filter {
	struct user_id user; /* 0: everybody's */
	int service;         /* -1: any */
	const char *peer;    /* how the peer's address begins; NULL: any */
	int64_t idle_ms;
};

/* "90", "90s", "15m", "2h", "7d". */
static bool parse_duration(const char *text, int64_t *ms_r)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	long long n;

	if (*text < '0' || *text > '9')
		return false;
	n = strtoll(text, &end, 10);
	if (n > INT32_MAX)
		return false;
	*ms_r = n * 1000;
	for (size_t i = 0; *end && i < sizeof units / sizeof *units; i++)
		if (*end == units[i].letter && end[1] == '\0') {
			*ms_r *= units[i].seconds;
			return true;
		}
	return *end == '\0';
}

/* CTL_OK, or what was said already. */
static int make_filter(struct ctl *ctl, const char *name, struct arena *arena, struct filter *filter_r,
    struct directory_user *user_r)
{
	struct filter filter = {.service = -1, .peer = only_peer};
	struct err e;

	if (only_service && (filter.service = session_service_find(str_view(only_service, strlen(only_service)))) < 0)
		return ctl_usage(ctl, "there is no service `%s`: " SESSION_SERVICES_ARE, only_service);
	if (only_idle && !parse_duration(only_idle, &filter.idle_ms))
		return ctl_usage(ctl, "`%s` is no time: a number of seconds, or one with s, m, h or d behind it", only_idle);
	if (name) {
		if (directory_user_find(ctl->site, name, arena, user_r, &e) < 0)
			return e.code == ERR_NOTFOUND ? ctl_no_user(name) : ctl_fail_err(&e);
		filter.user = user_r->id;
	}
	*filter_r = filter;
	return CTL_OK;
}

static bool matches(const struct filter *filter, const struct session_info *s)
{
	return (filter->service < 0 || s->service == (enum session_service)filter->service) &&
	       (!filter->peer || (s->peer && strncmp(s->peer, filter->peer, strlen(filter->peer)) == 0)) &&
	       s->idle_ms >= filter->idle_ms;
}

static int list_matching(struct ctl *ctl, const struct filter *filter, struct arena *arena,
    struct session_info **list_r, size_t *n_r, struct err *e)
{
	struct session_info *list;
	size_t n, kept = 0;

	if (session_list(ctl->site, filter->user, arena, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (matches(filter, &list[i]))
			list[kept++] = list[i];
	*list_r = list;
	*n_r = kept;
	return 0;
}

/* --- list ---------------------------------------------------------------------------------- */

static void session_json(struct json *j, const struct session_info *s)
{
	struct str_buf command_line = {0};
	char time[CLOCK_RFC3339_SIZE];
	const struct {
		const char *key, *text;
	} words[] = {
	    {"id", s->id},
	    {"user", s->actor_name},
	    {"mailbox", s->mailbox_name},
	    {"service", session_service_name(s->service)},
	    {"class", session_class_name(session_service_class(s->service))},
	    {"peer", s->peer},
	    {"command", s->command},
	    {"client", s->client},
	    {"open", s->open},
	    {"application", s->application},
	};

	json_open(j, '{');
	if (!s->peer && s->pid > 0)
		process_put_command_line(s->pid, &command_line);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		json_key(j, words[i].key);
		json_text(j, words[i].text);
	}
	json_key(j, "command_line");
	json_text(j, command_line.n ? command_line.p : NULL);
	str_buf_fini(&command_line);
	json_key(j, "pid");
	json_number(j, s->pid);
	json_key(j, "holder");
	json_number(j, s->holder);
	json_key(j, "opened");
	json_text(j, clock_rfc3339(s->opened_ms, time));
	json_key(j, "active");
	json_text(j, clock_rfc3339(s->active_ms, time));
	json_key(j, "tls");
	json_bool(j, s->is_tls);
	json_key(j, "stuck");
	json_bool(j, s->holder_stuck);
	json_close(j, '}');
}

static void list_json(const struct session_info *list, size_t n)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	json_open(&j, '[');
	for (size_t i = 0; i < n; i++) {
		str_buf_puts(&out, i == 0 ? "\n" : "");
		session_json(&j, &list[i]);
		str_buf_putc(&out, '\n');
	}
	json_close(&j, ']');
	puts(out.p);
	str_buf_fini(&out);
}

static void put_people(const struct session_info *list, size_t n, struct str_buf *out)
{
	int64_t now_ms = clock_wall_ms();

	if (n > 0)
		session_put_heading(out);
	for (size_t i = 0; i < n; i++)
		session_put_line(&list[i], now_ms, out);
}

static uint32_t limit_of_all(struct ctl *ctl, const struct directory_user *user)
{
	return setting_get(ctl->site, session_limit_of_all(directory_user_is_privileged(user)));
}

/* "alice holds 16 of 32 sessions, 16 of 16 service sessions". */
static void put_summary(struct ctl *ctl, const struct directory_user *user, struct str_buf *out)
{
	struct session_counts counts;
	struct err e;

	if (session_count(ctl->site, user->id, &counts, &e) < 0)
		return;
	str_buf_printf(out, "%s holds %" PRIu32 " of %" PRIu32 " sessions, %" PRIu32 " of %" PRIu32
			    " service sessions%s\n", user->name, counts.all, limit_of_all(ctl, user), counts.service,
	    setting_get(ctl->site, SETTING_SERVICE_SESSIONS_PER_USER),
	    setting_get(ctl->site, SETTING_DISABLE_SESSION_LIMIT) ? " (the limits are switched off)" : "");
}

/* "16 sessions were ended: their peers were found dead"; nothing where there were none. */
static void put_reaped(struct ctl *ctl, struct str_buf *out)
{
	uint64_t n = tally_of(ctl->site).reaped[TALLY_SILENT];

	if (n > 0)
		str_buf_printf(out, "%" PRIu64 " session%s ended so far: %s found dead\n", n, n == 1 ? " was" : "s were",
		    n == 1 ? "its peer was" : "their peers were");
}

/* Until it is interrupted.  A terminal is cleared; elsewhere the lists follow each other. */
static void next_look(void)
{
	fflush(stdout);
	nanosleep(&(struct timespec){.tv_sec = WATCH_S}, NULL);
	fputs(isatty(STDOUT_FILENO) ? "\033[H\033[J" : "\n", stdout);
}

static int list_once(struct ctl *ctl, const struct filter *filter, const struct directory_user *user)
{
	struct arena arena = {0};
	struct str_buf out = {0};
	struct session_info *list;
	size_t n;
	struct err e;
	int code = CTL_OK;

	if (list_matching(ctl, filter, &arena, &list, &n, &e) < 0)
		code = ctl_fail_err(&e);
	else if (as_json)
		list_json(list, n);
	else {
		put_people(list, n, &out);
		if (user)
			put_summary(ctl, user, &out);
		put_reaped(ctl, &out);
		fputs(str_buf_view(&out).p, stdout);
	}
	str_buf_fini(&out);
	arena_fini(&arena);
	return code;
}

static int sessions_list(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct directory_user user;
	struct filter filter;
	int code = make_filter(ctl, n > 0 ? operands[0] : NULL, &arena, &filter, &user);

	if (code == CTL_OK)
		code = list_once(ctl, &filter, n > 0 ? &user : NULL);
	while (watch && code == CTL_OK) {
		next_look();
		code = list_once(ctl, &filter, n > 0 ? &user : NULL);
	}
	arena_fini(&arena);
	return code;
}

/* --- users ----------------------------------------------------------------------------------- */

static void put_holder(struct ctl *ctl, const struct holder *h, struct arena *arena, struct str_buf *out)
{
	struct directory_user user;
	struct session_counts counts;
	struct err e;

	if (directory_user_by_id(ctl->site, h->id, arena, &user, &e) < 0 ||
	    session_count(ctl->site, h->id, &counts, &e) < 0)
		return; /* gone since */
	str_buf_printf(out, "%-16s sessions ", user.name);
	bar_put(counts.all, limit_of_all(ctl, &user), out);
	str_buf_printf(out, "\n%-16s service  ", "");
	bar_put(counts.service, setting_get(ctl->site, SETTING_SERVICE_SESSIONS_PER_USER), out);
	str_buf_putc(out, '\n');
}

static int users_once(struct ctl *ctl)
{
	struct arena arena = {0};
	struct str_buf out = {0};
	struct session_info *list;
	struct holder *holders;
	size_t n, holders_n;
	struct err e;
	int code = CTL_OK;

	if (session_list(ctl->site, (struct user_id){0}, &arena, &list, &n, &e) < 0) {
		code = ctl_fail_err(&e);
	} else {
		holders_find(list, n, &arena, &holders, &holders_n);
		for (size_t i = 0; i < holders_n; i++)
			put_holder(ctl, &holders[i], &arena, &out);
		fputs(str_buf_view(&out).p, stdout);
	}
	str_buf_fini(&out);
	arena_fini(&arena);
	return code;
}

static int sessions_users(struct ctl *ctl, char **operands, int n)
{
	int code = users_once(ctl);

	(void)operands;
	(void)n;
	while (watch && code == CTL_OK) {
		next_look();
		code = users_once(ctl);
	}
	return code;
}

/* --- end ----------------------------------------------------------------------------------- */

static int no_answer(const char *id)
{
	ctl_say("the daemon that holds session %s did not answer within a second: if it hangs, end the"
		" process and the kernel gives its sessions back", id);
	return CTL_NO_ANSWER;
}

static int end_one(struct ctl *ctl, const char *id)
{
	struct err e;

	if (session_end(ctl->site, id, END_WAIT_MS, &e) == 0)
		return CTL_OK;
	if (e.code == ERR_NOTFOUND)
		return ctl_fail("there is no session `%s`: `postern sessions list` lists them", id);
	return e.code == ERR_TEMP ? no_answer(id) : ctl_fail_err(&e);
}

/* Those that can't be ended (administration, deliveries under way) are passed over; one that ended by itself is no error. */
static int end_matching(struct ctl *ctl, const struct filter *filter, struct arena *arena)
{
	struct session_info *list;
	size_t n, ended = 0;
	struct err e;
	int code = CTL_OK;

	if (list_matching(ctl, filter, arena, &list, &n, &e) < 0)
		return ctl_fail_err(&e);
	for (size_t i = 0; i < n; i++) {
		if (session_end(ctl->site, list[i].id, END_WAIT_MS, &e) == 0)
			ended++;
		else if (e.code == ERR_TEMP)
			code = no_answer(list[i].id);
		else if (e.code != ERR_NOTFOUND && e.code != ERR_UNSUPPORTED)
			return ctl_fail_err(&e);
	}
	printf("%zu ended\n", ended);
	return code;
}

static int sessions_end(struct ctl *ctl, char **operands, int n)
{
	bool filtered = only_user || only_service || only_peer || only_idle;
	struct arena arena = {0};
	struct directory_user user;
	struct filter filter;
	int code;

	if (n > 0 && !filtered)
		return end_one(ctl, operands[0]);
	if (n > 0 || !filtered)
		return ctl_usage(ctl, "either an ID, or which: --user, --service, --peer, --idle");
	code = make_filter(ctl, only_user, &arena, &filter, &user);
	if (code == CTL_OK)
		code = end_matching(ctl, &filter, &arena);
	arena_fini(&arena);
	return code;
}

static const struct verb_option list_options[] = {
    {0, "service", "SERVICE", &only_service, "those of one service only"},
    {0, "peer", "ADDRESS", &only_peer, "those whose peer begins with this"},
    {0, "idle", "TIME", &only_idle, "those idle for so long: 90, 90s, 15m, 2h, 7d"},
    {0, "watch", NULL, &watch, "again every two seconds, until interrupted"},
    {0, "json", NULL, &as_json, "one JSON array"},
    {0},
};

static const struct verb_option users_options[] = {
    {0, "watch", NULL, &watch, "again every two seconds, until interrupted"},
    {0},
};

static const struct verb_option end_options[] = {
    {0, "user", "NAME", &only_user, "all of one user's"},
    {0, "service", "SERVICE", &only_service, "those of one service only"},
    {0, "peer", "ADDRESS", &only_peer, "those whose peer begins with this"},
    {0, "idle", "TIME", &only_idle, "those idle for so long: 90, 90s, 15m, 2h, 7d"},
    {0},
};

const struct verb ctl_verb_sessions = {
    .name = "sessions",
    .summary = "list who holds sessions, or end them",
    .help = "USER is who is charged. FROM is the peer of a network session, or the program that holds\n"
	    "a handle in the mount. Exit status of `end`: 0 it is ended, 1 there is no such session,\n"
	    "2 its daemon did not answer within a second.",
    .site = true,
    .otherwise = "list",
    .actions =
	(const struct verb_action[]){
	    {"list", "[NAME]", 0, 1, list_options, sessions_list, "all sessions, or one user's"},
	    {"users", "", 0, 0, users_options, sessions_users, "who holds any, against the limits"},
	    {"end", "[ID]", 0, 1, end_options, sessions_end, "end a session, or all that match"},
	    {0},
	},
};

/* ctl/ctl_sessions.c - postern sessions [list [NAME] [--json]] | end ID */
#include "base/clock.h"
#include "ctl/json.h"
#include "ctl/verb.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <inttypes.h>
#include <stdio.h>

#define END_WAIT_MS 1000

static bool as_json;

/* --- list ---------------------------------------------------------------------------------- */

static void session_json(struct json *j, const struct session_info *s)
{
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
	};

	json_open(j, '{');
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		json_key(j, words[i].key);
		json_text(j, words[i].text);
	}
	json_key(j, "pid");
	json_number(j, s->pid);
	json_key(j, "holder");
	json_number(j, s->holder);
	json_key(j, "opened");
	json_text(j, clock_rfc3339(s->opened_ms, time));
	json_key(j, "active");
	json_text(j, clock_rfc3339(s->active_ms, time));
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

/* "17s", "5m", "3h": how long ago, for people. */
static const char *ago(int64_t then_ms, int64_t now_ms, char out[32])
{
	int64_t s = now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;

	if (s < 120)
		snprintf(out, 32, "%" PRId64 "s", s);
	else if (s < 7200)
		snprintf(out, 32, "%" PRId64 "m", s / 60);
	else
		snprintf(out, 32, "%" PRId64 "h", s / 3600);
	return out;
}

static void session_line(const struct session_info *s, int64_t now_ms)
{
	char opened[32], idle[32], who[96], where[80];

	snprintf(who, sizeof who, "%s%s%s", s->actor_name,
	    s->actor.n == s->mailbox.n ? "" : " on ", s->actor.n == s->mailbox.n ? "" : s->mailbox_name);
	if (s->peer)
		snprintf(where, sizeof where, "%s", s->peer);
	else
		snprintf(where, sizeof where, "%s[%d]", s->command ? s->command : "process",
		    (int)s->pid);
	printf("%-24s %-16s %-9s %-9s %-24s %6s %6s%s\n", s->id, who,
	    session_service_name(s->service), session_class_name(session_service_class(s->service)),
	    where, ago(s->opened_ms, now_ms, opened), ago(s->active_ms, now_ms, idle),
	    s->holder_stuck ? "  (its daemon does not run)" : "");
}

static void list_people(const struct session_info *list, size_t n)
{
	int64_t now_ms = clock_wall_ms();

	if (n > 0)
		printf("%-24s %-16s %-9s %-9s %-24s %6s %6s\n", "ID", "USER", "SERVICE", "CLASS",
		    "FROM", "OPEN", "IDLE");
	for (size_t i = 0; i < n; i++)
		session_line(&list[i], now_ms);
}

/* "alice holds 16 of 32 sessions, 16 of 16 service sessions". */
static void summary(struct ctl *ctl, const struct directory_user *user)
{
	struct session_counts counts;
	struct err e;
	bool privileged = user->permissions != 0;

	if (session_count(ctl->site, user->id, &counts, &e) < 0)
		return;
	printf("%s holds %" PRIu32 " of %" PRIu32 " sessions, %" PRIu32 " of %" PRIu32
	       " service sessions%s\n", user->name, counts.all,
	    setting_get(ctl->site, privileged ? SETTING_SESSIONS_PER_ADMINISTRATOR
					      : SETTING_SESSIONS_PER_USER),
	    counts.service, setting_get(ctl->site, SETTING_SERVICE_SESSIONS_PER_USER),
	    setting_get(ctl->site, SETTING_DISABLE_SESSION_LIMIT) ? " (the limits are switched off)"
								  : "");
}

static int sessions_list(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct directory_user user = {0};
	struct session_info *list;
	size_t list_n;
	struct err e;
	int code = CTL_OK;

	if (n > 0 && directory_user_find(ctl->site, operands[0], &arena, &user, &e) < 0)
		code = e.code == ERR_NOTFOUND ? ctl_no_user(operands[0]) : ctl_fail_err(&e);
	else if (session_list(ctl->site, user.id, &arena, &list, &list_n, &e) < 0)
		code = ctl_fail_err(&e);
	else if (as_json)
		list_json(list, list_n);
	else {
		list_people(list, list_n);
		if (n > 0)
			summary(ctl, &user);
	}
	arena_fini(&arena);
	return code;
}

/* --- end ----------------------------------------------------------------------------------- */

static int sessions_end(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	if (session_end(ctl->site, operands[0], END_WAIT_MS, &e) == 0)
		return CTL_OK;
	if (e.code == ERR_NOTFOUND)
		return ctl_fail("there is no session `%s`: `postern sessions list` lists them",
		    operands[0]);
	if (e.code != ERR_TEMP)
		return ctl_fail_err(&e);
	ctl_say("the daemon that holds session %s did not answer within a second: if it hangs, end the"
		" process and the kernel gives its sessions back", operands[0]);
	return CTL_NO_ANSWER;
}

static const struct verb_option list_options[] = {
    {0, "json", NULL, &as_json, "one JSON array"},
    {0},
};

const struct verb ctl_verb_sessions = {
    .name = "sessions",
    .summary = "list who holds sessions, or end one",
    .help = "USER is who is charged. FROM is the peer of a network session, or the program that holds\n"
	    "a handle in the mount. Exit status of `end`: 0 it is ended, 1 there is no such session,\n"
	    "2 its daemon did not answer within a second.",
    .site = true,
    .otherwise = "list",
    .actions =
	(const struct verb_action[]){
	    {"list", "[NAME]", 0, 1, list_options, sessions_list, "all sessions, or one user's"},
	    {"end", "ID", 1, 1, NULL, sessions_end, "end a session"},
	    {0},
	},
};

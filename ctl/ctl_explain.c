/* ctl/ctl_explain.c - postern explain NAME: would he be let in now, door by door; if not, what helps and what does not. */
#include "ctl/bar.h"
#include "ctl/json.h"
#include "ctl/verb.h"
#include "limits/advice.h"
#include "limits/explain.h"
#include "store/directory.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool as_json;
static const char *only_service;

/* One more open through one door. */
struct door {
	enum session_service service;
	struct session_check checks[SESSION_CHECKS_MAX];
	size_t checks_n;
	bool refused;
	struct advice *advice;
	size_t advice_n;
};

static int look(struct ctl *ctl, const struct directory_user *user, struct door *door, struct arena *arena,
    struct err *e)
{
	struct session_request request = {.service = door->service, .actor = user->id, .mailbox = user->id,
	    .actor_name = user->name, .mailbox_name = user->name, .policy = user->policy,
	    .administrator = directory_user_is_privileged(user)};

	if (session_checks(ctl->site, &request, door->checks, &door->checks_n, e) < 0 ||
	    advice_list(ctl->site, &request, arena, &door->advice, &door->advice_n, e) < 0)
		return -1;
	door->refused = door->advice_n > 0;
	return 0;
}

/* --- for people ------------------------------------------------------------------------------ */

static void put_held(struct ctl *ctl, const struct directory_user *user, const struct session_counts *counts,
    struct str_buf *out)
{
	enum setting all = session_limit_of_all(directory_user_is_privileged(user));

	str_buf_printf(out, "%s%s\n  sessions          ", user->name,
	    directory_user_is_privileged(user) ? " (an administrator, or may view store status)" : "");
	bar_put(counts->all, setting_get(ctl->site, all), out);
	str_buf_puts(out, "\n  service sessions  ");
	bar_put(counts->service, setting_get(ctl->site, SETTING_SERVICE_SESSIONS_PER_USER), out);
	for (int i = 0, n = 0; i < SESSION_SERVICES_N; i++)
		if (counts->by_service[i])
			str_buf_printf(out, "%s%s %u", n++ ? ", " : "\n  held through      ",
			    session_service_name((enum session_service)i), counts->by_service[i]);
	if (setting_get(ctl->site, SETTING_DISABLE_SESSION_LIMIT))
		str_buf_printf(out, "\n  %s is 1: these two are not enforced",
		    setting_rows[SETTING_DISABLE_SESSION_LIMIT].name);
	str_buf_putc(out, '\n');
}

static void put_answer(const struct door *door, struct str_buf *out)
{
	bool first = true;

	str_buf_printf(out, "  %-10s %s", session_service_name(door->service),
	    door->refused ? "refused by " : "granted\n");
	if (!door->refused)
		return;
	for (const struct session_check *c = door->checks; c < door->checks + door->checks_n; c++) {
		if (!c->refuses)
			continue;
		str_buf_printf(out, "%s", first ? "" : "\n             and by ");
		explain_check(c, out);
		first = false;
	}
	str_buf_putc(out, '\n');
}

static void put_advice(const struct door *door, bool helps, struct str_buf *out)
{
	for (const struct advice *a = door->advice; a < door->advice + door->advice_n; a++)
		if (a->helps == helps)
			str_buf_printf(out, "  %s\n      %s\n", a->command, a->because);
}

/* Doors that are refused for the same reasons are told what to do once. */
static bool is_told_already(const struct door *doors, const struct door *door)
{
	for (const struct door *d = doors; d < door; d++) {
		bool same = d->advice_n == door->advice_n && d->refused;

		for (size_t i = 0; same && i < d->advice_n; i++)
			same = strcmp(d->advice[i].command, door->advice[i].command) == 0 &&
			       strcmp(d->advice[i].because, door->advice[i].because) == 0;
		if (same)
			return true;
	}
	return false;
}

static void put_people(struct ctl *ctl, const struct directory_user *user, const struct session_counts *counts,
    const struct door *doors, size_t n, struct str_buf *out)
{
	bool refused = false;

	put_held(ctl, user, counts, out);
	str_buf_puts(out, "\nOne more open now:\n");
	for (size_t i = 0; i < n; i++)
		put_answer(&doors[i], out);
	for (const struct door *d = doors; d < doors + n; d++) {
		if (!d->refused || is_told_already(doors, d))
			continue;
		refused = true;
		str_buf_printf(out, "\nWhat lets %s in:\n", session_service_name(d->service));
		put_advice(d, true, out);
		str_buf_puts(out, "What does not, and why:\n");
		put_advice(d, false, out);
	}
	if (refused)
		str_buf_printf(out, "\nWho holds them: postern sessions list %s\n", user->name);
}

/* --- for programs ---------------------------------------------------------------------------- */

static void json_check(struct json *j, const struct session_check *check)
{
	json_open(j, '{');
	json_key(j, "layer");
	json_text(j, explain_owner(check));
	json_key(j, "limit");
	json_text(j, setting_rows[check->setting].name);
	json_key(j, "value");
	if (check->value == SETTING_NULL)
		json_text(j, NULL);
	else
		json_number(j, check->value);
	json_key(j, "held");
	json_number(j, check->held);
	json_key(j, "refuses");
	json_bool(j, check->refuses);
	json_close(j, '}');
}

static void json_advice(struct json *j, const struct advice *advice)
{
	json_open(j, '{');
	json_key(j, "command");
	json_text(j, advice->command);
	json_key(j, "helps");
	json_bool(j, advice->helps);
	json_key(j, "because");
	json_text(j, advice->because);
	json_close(j, '}');
}

static void json_door(struct json *j, const struct door *door)
{
	json_open(j, '{');
	json_key(j, "service");
	json_text(j, session_service_name(door->service));
	json_key(j, "granted");
	json_bool(j, !door->refused);
	json_key(j, "limits");
	json_open(j, '[');
	for (size_t i = 0; i < door->checks_n; i++)
		json_check(j, &door->checks[i]);
	json_close(j, ']');
	json_key(j, "changes");
	json_open(j, '[');
	for (size_t i = 0; i < door->advice_n; i++)
		json_advice(j, &door->advice[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void put_json(const struct directory_user *user, const struct session_counts *counts,
    const struct door *doors, size_t n, struct str_buf *out)
{
	struct json j = {.out = out};

	json_open(&j, '{');
	json_key(&j, "user");
	json_text(&j, user->name);
	json_key(&j, "sessions");
	json_number(&j, counts->all);
	json_key(&j, "service_sessions");
	json_number(&j, counts->service);
	json_key(&j, "doors");
	json_open(&j, '[');
	for (size_t i = 0; i < n; i++)
		json_door(&j, &doors[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	str_buf_putc(out, '\n');
}

/* --------------------------------------------------------------------------------------------- */

static size_t choose_doors(struct door doors[SESSION_DOORS_N])
{
	size_t n = 0;

	for (size_t i = 0; i < SESSION_DOORS_N; i++)
		if (!only_service || strcasecmp(only_service, session_service_name(session_doors[i])) == 0)
			doors[n++] = (struct door){.service = session_doors[i]};
	return n;
}

static int explain_user(struct ctl *ctl, const struct directory_user *user, struct door *doors, size_t n,
    struct arena *arena)
{
	struct session_counts counts;
	struct str_buf out = {0};
	struct err e;

	if (session_count(ctl->site, user->id, &counts, &e) < 0)
		return ctl_fail_err(&e);
	for (size_t i = 0; i < n; i++)
		if (look(ctl, user, &doors[i], arena, &e) < 0)
			return ctl_fail_err(&e);
	if (as_json)
		put_json(user, &counts, doors, n, &out);
	else
		put_people(ctl, user, &counts, doors, n, &out);
	fputs(str_buf_view(&out).p, stdout);
	str_buf_fini(&out);
	return CTL_OK;
}

static int explain_run(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct directory_user user;
	struct door doors[SESSION_DOORS_N];
	size_t doors_n = choose_doors(doors);
	struct err e;
	int code;

	(void)n;
	if (doors_n == 0)
		return ctl_usage(ctl, "there is no door `%s`: fs, IMAP4 and POP3 are", only_service);
	if (directory_user_find(ctl->site, operands[0], &arena, &user, &e) < 0)
		code = e.code == ERR_NOTFOUND ? ctl_no_user(operands[0]) : ctl_fail_err(&e);
	else
		code = explain_user(ctl, &user, doors, doors_n, &arena);
	arena_fini(&arena);
	return code;
}

static const struct verb_option options[] = {
    {0, "service", "DOOR", &only_service, "one door only: fs, IMAP4 or POP3"},
    {0, "json", NULL, &as_json, "one JSON object"},
    {0},
};

const struct verb ctl_verb_explain = {
    .name = "explain",
    .summary = "say whether a user is let in, what refuses him, and what helps",
    .help = "Each limit that stands in the way of one more open is named with its value and what counts\n"
	    "against it.  Of every change that comes to mind it is said whether the open would be granted\n"
	    "after it, and why not; nothing is changed or logged.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "NAME", 1, 1, options, explain_run, NULL},
	    {0},
	},
};

/* limits/advice.c - the changes that come to mind when somebody is refused, each tried on the checks. */
#include "limits/advice.h"
#include "limits/explain.h"
#include "limits/registry.h"

#include <string.h>

/* Closing, raising all, the permission and the switch, and each check's own. */
#define ADVICE_MAX (SESSION_CHECKS_MAX + 4)

struct question {
	const struct session_request *request;
	struct session_check checks[SESSION_CHECKS_MAX], as_administrator[SESSION_CHECKS_MAX];
	size_t n, as_administrator_n;
	size_t refusing; /* how many of the checks */
	struct arena *arena;
	struct advice list[ADVICE_MAX];
	size_t list_n;
};

static size_t count_refusing(const struct session_check *checks, size_t n)
{
	size_t refusing = 0;

	for (size_t i = 0; i < n; i++)
		refusing += checks[i].refuses;
	return refusing;
}

/* The first that would still refuse after what lifts `lifted` alone. */
static const struct session_check *still_refusing(const struct question *q, const struct session_check *lifted)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->checks[i].refuses && &q->checks[i] != lifted)
			return &q->checks[i];
	return NULL;
}

static void add(struct question *q, enum advice_change change, bool helps, const char *command, const char *because)
{
	q->list[q->list_n++] = (struct advice){change, helps, command, because};
}

static const char *kept(struct question *q, struct str_buf *text)
{
	const char *copy = arena_strn(q->arena, str_buf_view(text).p, text->n);

	str_buf_fini(text);
	return copy;
}

static const char *command_of(struct question *q, const struct session_check *check)
{
	struct str_buf text = {0};

	explain_command(check, &text);
	return kept(q, &text);
}

static const char *stays(struct question *q, const struct session_check *check, const char *first)
{
	struct str_buf text = {0};

	str_buf_printf(&text, "%sstill refused by ", first);
	explain_check(check, &text);
	return kept(q, &text);
}

static void advise_closing(struct question *q)
{
	const struct session_check *told = session_check_refusing(q->checks, q->n);

	/* Held below the limit by one is enough, unless a limit was lowered beneath what is held. */
	for (size_t i = 0; i < q->n; i++)
		if (q->checks[i].refuses && q->checks[i].held > q->checks[i].value)
			told = &q->checks[i];
	if (told->held > told->value)
		add(q, ADVICE_CLOSE, true, "postern sessions end ID",
		    arena_printf(q->arena, "once %u are ended: %u are held and %s is %u",
			told->held - told->value + 1, told->held, setting_rows[told->setting].name, told->value));
	else
		add(q, ADVICE_CLOSE, true, "postern sessions end ID",
		    told->layer == SESSION_LAYER_STORE_PER_SERVICE ? "any session of that service makes room"
		    : q->refusing > 1 ? "one of the same service makes room at every limit that refuses"
				      : "one that counts against this limit makes room");
}

static void advise_raising(struct question *q, const struct session_check *check)
{
	const struct session_check *left = still_refusing(q, check);
	const char *command = command_of(q, check);

	if (check->refuses && !left)
		add(q, ADVICE_RAISE, true, command, check->layer == SESSION_LAYER_STORE_USER ||
		    check->layer == SESSION_LAYER_STORE_SERVICE ? "for every user, in force at the next open"
								: "in force at the next open");
	else if (check->refuses)
		add(q, ADVICE_RAISE, false, command, stays(q, left, "not alone: "));
	else if (check->value == SETTING_NULL)
		add(q, ADVICE_RAISE, false, command, stays(q, left, "it is null and limits nothing; "));
	else
		add(q, ADVICE_RAISE, false, command,
		    stays(q, left, arena_printf(q->arena, "it is %u, held %u, and refuses nothing; ", check->value,
			check->held)));
}

static void advise_raising_all(struct question *q)
{
	struct str_buf commands = {0};

	if (q->refusing < 2)
		return;
	for (size_t i = 0; i < q->n; i++) {
		if (!q->checks[i].refuses)
			continue;
		str_buf_puts(&commands, commands.n ? " && " : "");
		explain_command(&q->checks[i], &commands);
	}
	add(q, ADVICE_RAISE_ALL, true, kept(q, &commands), "all that refuse, together; in force at the next open");
}

/* For an administrator one limit holds for all sessions together; the service-session limit stays. */
static void advise_permission(struct question *q)
{
	const struct session_check *left = session_check_refusing(q->as_administrator, q->as_administrator_n);
	const char *command = arena_printf(q->arena, "postern grant %s 'View Information Store Status'",
	    q->request->actor_name);

	if (q->request->administrator)
		return;
	if (left)
		add(q, ADVICE_PERMISSION, false, command, stays(q, left, ""));
	else
		add(q, ADVICE_PERMISSION, true, command,
		    arena_printf(q->arena, "%s counts then",
			setting_rows[SETTING_SESSIONS_PER_ADMINISTRATOR].name));
}

static bool is_lifted(const struct question *q, const struct session_check *check)
{
	return check->layer == SESSION_LAYER_STORE_SERVICE ||
	       (check->layer == SESSION_LAYER_STORE_USER && !q->request->administrator);
}

static void advise_switching_off(struct question *q)
{
	const char *command = arena_printf(q->arena, "postern reg add -v '%s' -d 1",
	    setting_rows[SETTING_DISABLE_SESSION_LIMIT].name);

	for (size_t i = 0; i < q->n; i++)
		if (q->checks[i].refuses && !is_lifted(q, &q->checks[i])) {
			add(q, ADVICE_DISABLE, false, command, stays(q, &q->checks[i], ""));
			return;
		}
	add(q, ADVICE_DISABLE, true, command, "no user is limited by the store then: for a short time only");
}

static struct advice *helpful_first(const struct question *q)
{
	struct advice *list = ARENA_ARRAY(q->arena, struct advice, q->list_n);
	size_t n = 0;

	for (int helps = 1; helps >= 0; helps--)
		for (size_t i = 0; i < q->list_n; i++)
			if (q->list[i].helps == helps)
				list[n++] = q->list[i];
	return list;
}

int advice_list(struct site *site, const struct session_request *request, struct arena *arena,
    struct advice **list_r, size_t *n_r, struct err *e)
{
	struct question q = {.request = request, .arena = arena};
	struct session_request as_administrator = *request;

	as_administrator.administrator = true;
	if (session_checks(site, request, q.checks, &q.n, e) < 0 ||
	    session_checks(site, &as_administrator, q.as_administrator, &q.as_administrator_n, e) < 0)
		return -1;
	q.refusing = count_refusing(q.checks, q.n);
	if (q.refusing) {
		advise_closing(&q);
		for (size_t i = 0; i < q.n; i++)
			advise_raising(&q, &q.checks[i]);
		advise_raising_all(&q);
		advise_permission(&q);
		advise_switching_off(&q);
	}
	*list_r = helpful_first(&q);
	*n_r = q.list_n;
	return 0;
}

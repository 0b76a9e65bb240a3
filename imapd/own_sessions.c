/* imapd/own_sessions.c - see own_sessions.h.  Nothing is kept: who asks is told how it stands. */
#include "imapd/own_sessions.h"

#include "base/clock.h"
#include "limits/explain.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <inttypes.h>
#include <string.h>

struct telling {
	struct client *client;
	struct arena *arena;
	const struct annotation_query *query;
	struct directory_user user;
	struct annotation *list;
	size_t n, room;
};

/* --- names ------------------------------------------------------------------------------------------ */

/* Below, at any depth. */
static bool is_below(const char *name, const char *top)
{
	size_t n = strlen(top);

	return strlen(name) > n && name[n] == '/' && str_equal_nocase(str_view(name, n), str_view(top, n));
}

static bool is_same(const char *a, const char *b)
{
	return str_equal_nocase(str_view(a, strlen(a)), str_view(b, strlen(b)));
}

bool own_sessions_is_entry(const char *name)
{
	return is_same(name, OWN_SESSIONS_ENTRY) || is_below(name, OWN_SESSIONS_ENTRY);
}

/* Before anything is counted: whether any of ours can be among what was asked for. */
static bool is_asked_for_any(const struct annotation_query *query)
{
	for (size_t i = 0; i < query->names_n; i++)
		if (own_sessions_is_entry(query->names[i]) ||
		    (query->depth > 0 && is_below(OWN_SESSIONS_ENTRY, query->names[i])))
			return true;
	return false;
}

static bool is_asked_for(const struct annotation_query *query, const char *name)
{
	for (size_t i = 0; i < query->names_n; i++) {
		uint32_t levels = 0;

		if (is_same(name, query->names[i]))
			return true;
		if (!is_below(name, query->names[i]))
			continue;
		for (const char *p = name + strlen(query->names[i]); *p; p++)
			levels += *p == '/';
		if (levels <= query->depth)
			return true;
	}
	return false;
}

/* --- entries ---------------------------------------------------------------------------------------- */

/* Takes the value, whether it is wanted or not. */
static void tell(struct telling *t, const char *name, struct str_buf *value)
{
	struct annotation *a;

	if (!is_asked_for(t->query, name)) {
		str_buf_fini(value);
		return;
	}
	if (t->n == t->room) {
		struct annotation *more = ARENA_ARRAY(t->arena, struct annotation, 2 * t->room + 16);

		if (t->n)
			memcpy(more, t->list, t->n * sizeof *more);
		t->room = 2 * t->room + 16;
		t->list = more;
	}
	a = &t->list[t->n++];
	*a = (struct annotation){.name = name, .octets = value->n};
	if (value->n <= t->query->octets_max)
		a->value = str_view(arena_strn(t->arena, str_buf_view(value).p, value->n), value->n);
	str_buf_fini(value);
}

/* ` key="text"`; a quote within, and what escapes it, are escaped. */
static void put_text(struct str_buf *out, const char *key, const char *text)
{
	if (!text)
		return;
	str_buf_printf(out, " %s=\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			str_buf_putc(out, '\\');
		str_buf_putc(out, *text);
	}
	str_buf_putc(out, '"');
}

static void put_session(const struct telling *t, const struct session_info *s, struct str_buf *out)
{
	char opened[CLOCK_RFC3339_SIZE], active[CLOCK_RFC3339_SIZE];

	str_buf_printf(out, "service=%s class=%s tls=%s opened=%s active=%s", session_service_name(s->service),
	    session_class_name(session_service_class(s->service)), s->is_tls ? "yes" : "no",
	    clock_rfc3339(s->opened_ms, opened), clock_rfc3339(s->active_ms, active));
	if (s->peer)
		str_buf_printf(out, " peer=%s", s->peer);
	else
		str_buf_printf(out, " pid=%d", (int)s->pid);
	put_text(out, "command", s->command);
	put_text(out, "open", s->open);
	put_text(out, "client", s->client);
	put_text(out, "application", s->application);
	if (strcmp(s->id, session_id(t->client->session)) == 0)
		str_buf_puts(out, " this");
}

static uint32_t limit_of_all(const struct telling *t)
{
	return setting_get(t->client->site, session_limit_of_all(directory_user_is_privileged(&t->user)));
}

static int tell_sessions(struct telling *t, struct err *e)
{
	uint32_t most = setting_get(t->client->site, SETTING_ANNOTATIONS_MAX);
	struct session_counts counts;
	struct session_info *list;
	struct str_buf value = {0};
	size_t n;

	if (session_count(t->client->site, t->user.id, &counts, e) < 0 ||
	    session_list(t->client->site, t->user.id, t->arena, &list, &n, e) < 0)
		return -1;
	str_buf_printf(&value, "%s holds %" PRIu32 " of %" PRIu32 " sessions, %" PRIu32 " of %" PRIu32 " service sessions%s",
	    t->user.name, counts.all, limit_of_all(t), counts.service,
	    setting_get(t->client->site, SETTING_SERVICE_SESSIONS_PER_USER),
	    setting_get(t->client->site, SETTING_DISABLE_SESSION_LIMIT) ? " (the limits are switched off)" : "");
	tell(t, OWN_SESSIONS_ENTRY "/sessions", &value);
	for (size_t i = 0; i < n && most > 0; i++) {
		if (!session_counts_for_user(list[i].service))
			continue;
		most--;
		put_session(t, &list[i], &value);
		tell(t, arena_printf(t->arena, OWN_SESSIONS_ENTRY "/sessions/%s", list[i].id), &value);
	}
	return 0;
}

/* The name of a limit as a part of an entry's, which has no blanks. */
static const char *without_blanks(struct arena *arena, const char *name)
{
	char *copy = arena_str(arena, name), *to = copy;

	for (const char *from = copy; *from; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	return copy;
}

/* What all users hold of a service together is told only where it refuses. */
static void tell_limit(struct telling *t, const char *door, const struct session_check *check)
{
	struct str_buf value = {0};

	if (check->layer == SESSION_LAYER_STORE_PER_SERVICE && !check->refuses)
		return;
	explain_check(check, &value);
	tell(t, arena_printf(t->arena, "%s/%s", door, without_blanks(t->arena, setting_rows[check->setting].name)), &value);
}

static int tell_door(struct telling *t, enum session_service service, struct err *e)
{
	const char *door = arena_printf(t->arena, OWN_SESSIONS_ENTRY "/limits/%s", session_service_name(service));
	struct session_request request = {.service = service, .actor = t->user.id, .mailbox = t->user.id,
	    .actor_name = t->user.name, .mailbox_name = t->user.name, .policy = t->user.policy,
	    .administrator = directory_user_is_privileged(&t->user)};
	struct session_check checks[SESSION_CHECKS_MAX];
	char why[SESSION_EXPLAIN_MAX] = "granted";
	struct str_buf value = {0};
	size_t n;

	if (session_checks(t->client->site, &request, checks, &n, e) < 0)
		return -1;
	if (session_check_refusing(checks, n))
		explain_refusal(checks, n, why, sizeof why);
	str_buf_puts(&value, why);
	tell(t, door, &value);
	for (size_t i = 0; i < n; i++)
		tell_limit(t, door, &checks[i]);
	return 0;
}

int own_sessions_add(struct client *client, const struct annotation_query *query, struct annotation **list, size_t *n,
    struct err *e)
{
	struct telling t = {.client = client, .arena = &client->arena, .query = query, .list = *list, .n = *n, .room = *n};

	if (!is_asked_for_any(query))
		return 0;
	if (directory_user_by_id(client->site, session_actor(client->session), t.arena, &t.user, e) < 0 ||
	    tell_sessions(&t, e) < 0)
		return -1;
	for (size_t i = 0; i < SESSION_DOORS_N; i++)
		if (tell_door(&t, session_doors[i], e) < 0)
			return -1;
	*list = t.list;
	*n = t.n;
	return 0;
}

/* --- ID --------------------------------------------------------------------------------------------- */

void own_sessions_put_id(const struct client *client, struct str_buf *out)
{
	struct arena arena = {0};
	struct session_counts counts;
	struct directory_user user;
	struct err e;

	if (client->session &&
	    directory_user_by_id(client->site, session_actor(client->session), &arena, &user, &e) == 0 &&
	    session_count(client->site, user.id, &counts, &e) == 0)
		str_buf_printf(out, " \"sessions\" \"%" PRIu32 "\" \"sessions-limit\" \"%" PRIu32
		    "\" \"service-sessions\" \"%" PRIu32 "\" \"service-sessions-limit\" \"%" PRIu32 "\"", counts.all,
		    setting_get(client->site, session_limit_of_all(directory_user_is_privileged(&user))), counts.service,
		    setting_get(client->site, SETTING_SERVICE_SESSIONS_PER_USER));
	arena_fini(&arena);
}

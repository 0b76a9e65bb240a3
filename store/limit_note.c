/* store/limit_note.c - says which limit refuses, to whoever changes another. */
#include "store/limit_note.h"

#include "base/arena.h"
#include "limits/holder.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

bool note_is_front_layer(const char *name)
{
	size_t n = strlen(name);

	return strcasecmp(name, "MaxConnectionsPerUser") == 0 ||
	       (n > 14 && strcasecmp(name + n - 14, "MaxConcurrency") == 0);
}

struct telling {
	struct site *site;
	struct arena arena;
	void (*say)(void *arg, const char *line);
	void *arg;
};

/* Says so when what is held has reached a limit. */
static bool limit_tell(struct telling *t, const struct holder *h, enum setting limit, uint32_t held, const char *what)
{
	uint32_t max = setting_get(t->site, limit);

	if (held < max)
		return false;
	t->say(t->arg, arena_printf(&t->arena, "note: %s holds %" PRIu32 " of %" PRIu32 " %s now: the store refuses the next, whatever"
		" stands in front of it; `postern reg add -v '%s' -d N` changes that, at once",
	    h->name, held, max, what, setting_rows[limit].name));
	return true;
}

static void holder_tell(struct telling *t, const struct holder *h)
{
	struct directory_user user;
	struct err e;
	bool privileged = directory_user_by_id(t->site, h->id, &t->arena, &user, &e) == 0 &&
			  directory_user_is_privileged(&user);

	if (!limit_tell(t, h, SETTING_SERVICE_SESSIONS_PER_USER, h->counts.service, "service sessions"))
		limit_tell(t, h, session_limit_of_all(privileged), h->counts.all, "sessions");
}

void note_store_limit(struct site *site, const char *changed, void (*say)(void *arg, const char *line), void *arg)
{
	struct telling t = {.site = site, .say = say, .arg = arg};
	struct session_info *list = NULL;
	struct holder *holders;
	size_t n = 0, holders_n;
	struct err e;

	if (setting_get(site, SETTING_DISABLE_SESSION_LIMIT))
		return; /* the store refuses nobody */
	say(arg, arena_printf(&t.arena, "note: %s is not the store's own limit, which is separate and stays as it is: "
		"`%s` is %" PRIu32 ", `%s` is %" PRIu32, changed,
	    setting_rows[SETTING_SERVICE_SESSIONS_PER_USER].name, setting_get(site, SETTING_SERVICE_SESSIONS_PER_USER),
	    setting_rows[SETTING_SESSIONS_PER_USER].name, setting_get(site, SETTING_SESSIONS_PER_USER)));
	if (session_list(site, (struct user_id){0}, &t.arena, &list, &n, &e) < 0)
		n = 0;
	holders_find(list, n, &t.arena, &holders, &holders_n);
	for (size_t i = 0; i < holders_n; i++)
		holder_tell(&t, &holders[i]);
	arena_fini(&t.arena);
}

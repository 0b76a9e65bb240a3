/* fs/sys_limits.c - the limits; and of a user: what limits him, what is used, by whom, what to do. */
#include "fs/sysfile.h"

#include "fs/err_map.h"

#include "limits/registry.h"
#include "store/directory.h"

#include <string.h>

int sys_limits_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out)
{
	(void)whom;
	for (int i = 0; i < SETTINGS_N; i++) {
		const struct setting_row *row = &setting_rows[i];
		uint32_t value = setting_get(t->site, (enum setting)i);

		if (row->scope != REG_PARAMETERS_SYSTEM && row->scope != REG_MAX_OBJS)
			continue;
		str_buf_printf(out, "%-48s %10u  (default %u, %s)\n", row->name, value, row->otherwise,
		    row->unit);
	}
	return 0;
}

/* "Maximum Allowed Sessions Per User   32  held 32  full" */
static void put_limit(struct tree *t, enum setting setting, uint32_t held, struct str_buf *out)
{
	uint32_t value = setting_get(t->site, setting);

	str_buf_printf(out, "%-48s %10u  held %u%s\n", setting_rows[setting].name, value, held,
	    held >= value ? "  full" : "");
}

/* Whether he could open a mailbox now, through each door, and why not. */
static bool put_doors(struct tree *t, const struct directory_user *user, struct str_buf *out)
{
	struct session_refusal why;
	bool is_refused = false;

	str_buf_puts(out, "\nOne more open now:\n");
	for (size_t i = 0; i < SESSION_DOORS_N; i++) {
		struct session_request r = {.service = session_doors[i], .actor = user->id, .mailbox = user->id,
		    .actor_name = user->name, .mailbox_name = user->name, .policy = user->policy,
		    .administrator = directory_user_is_privileged(user)};
		bool refused = session_would_refuse(t->site, &r, &why);

		is_refused = is_refused || refused;
		str_buf_printf(out, "  %-10s %s%s\n", session_service_name(session_doors[i]),
		    refused ? "refused: " : "granted", refused ? why.explain : "");
	}
	return is_refused;
}

static void put_advice(enum setting per_user, const char *name, bool is_refused, struct str_buf *out)
{
	str_buf_puts(out, is_refused ? "\nTo be let in again:\n" : "\nWhere a door refuses:\n");
	str_buf_printf(out,
	    "  close a program that holds sessions, or end one of those above:\n"
	    "      echo end ID >sys/users/%s/ctl\n"
	    "  an administrator may raise a limit, in force at the next open:\n"
	    "      echo NUMBER >'sys/registry/HKEY_LOCAL_MACHINE/SYSTEM/CurrentControlSet/Services/"
	    "MSExchangeIS/ParametersSystem/%s'\n",
	    name, setting_rows[per_user].name);
}

int sys_limits_text_of_user(struct tree *t, const struct sys_whom *whom, struct str_buf *out)
{
	struct directory_user user;
	struct session_counts counts;
	struct arena arena = {0};
	enum setting per_user;
	struct err e;
	int err = 0;
	bool is_refused;

	if (directory_user_find(t->site, whom->name, &arena, &user, &e) < 0 ||
	    session_count(t->site, whom->user, &counts, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	per_user = session_limit_of_all(directory_user_is_privileged(&user));
	put_limit(t, per_user, counts.all, out);
	put_limit(t, SETTING_SERVICE_SESSIONS_PER_USER, counts.service, out);
	if (setting_get(t->site, SETTING_DISABLE_SESSION_LIMIT))
		str_buf_puts(out, "Disable Session Limit is 1: neither is enforced\n");
	is_refused = put_doors(t, &user, out);
	str_buf_puts(out, "\nHeld now:\n");
	err = sys_sessions_text(t, whom, out);
	put_advice(per_user, whom->name, is_refused, out);
out:
	arena_fini(&arena);
	return err;
}

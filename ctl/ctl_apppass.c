/* ctl/ctl_apppass.c - postern apppass add|list|remove */
#include "auth/account.h"
#include "auth/app.h"
#include "ctl/json.h"
#include "ctl/verb.h"
#include "store/directory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *doors_named;
static bool as_json;

static int user_find(struct ctl *ctl, const char *name, struct user_id *id_r)
{
	struct arena arena = {0};
	struct directory_user user;
	struct err e;
	int r = directory_user_find(ctl->site, name, &arena, &user, &e);

	if (r == 0)
		*id_r = user.id;
	arena_fini(&arena);
	if (r == 0)
		return CTL_OK;
	return e.code == ERR_NOTFOUND ? ctl_no_user(name) : ctl_fail_err(&e);
}

/* "imap,smtp"; 0: one of them is none, and that was said. */
static unsigned doors_parse(const char *list)
{
	unsigned doors = 0;

	for (const char *p = list; p;) {
		size_t n = strcspn(p, ",");
		unsigned door = account_door_parse(str_view(p, n));

		if (!door) {
			ctl_say("`%.*s` is no door; they are imap, pop3 and smtp", (int)n, p);
			return 0;
		}
		doors |= door;
		p = p[n] ? p + n + 1 : NULL;
	}
	return doors;
}

static int apppass_add(struct ctl *ctl, char **operands, int n)
{
	unsigned doors = doors_named ? doors_parse(doors_named) : ACCOUNT_DOORS_ALL;
	char password[APP_PASSWORD_SIZE];
	struct user_id user;
	struct err e;
	int code;

	(void)n;
	if (!doors)
		return CTL_FAILED;
	if ((code = user_find(ctl, operands[0], &user)) != CTL_OK)
		return code;
	if (app_add(ctl->site, user, operands[1], doors, password, &e) < 0)
		return e.code == ERR_EXISTS ? ctl_fail("%s has an application password `%s`; `postern apppass remove %s %s` revokes it",
						  operands[0], operands[1], operands[0], operands[1])
					    : ctl_fail_err(&e);
	puts(password);
	explicit_bzero(password, sizeof password);
	return CTL_OK;
}

static int apppass_remove(struct ctl *ctl, char **operands, int n)
{
	struct user_id user;
	struct err e;
	int code = user_find(ctl, operands[0], &user);

	(void)n;
	if (code != CTL_OK)
		return code;
	if (credential_app_remove(ctl->site, user, operands[1], &e) == 0)
		return CTL_OK;
	return e.code == ERR_NOTFOUND ? ctl_fail("%s has no application password `%s`", operands[0], operands[1])
				      : ctl_fail_err(&e);
}

/* "2024-05-01T09:30Z", or what stands for never. */
static const char *minute(int64_t ms, const char *never, char out[32])
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	if (!ms || !gmtime_r(&s, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%MZ", &tm))
		return never;
	return out;
}

static const char *doors_text(unsigned doors, char out[32])
{
	size_t n = 0;

	for (unsigned door = 1; door <= ACCOUNT_DOORS_ALL; door <<= 1)
		if (doors & door)
			n += (size_t)snprintf(out + n, 32 - n, "%s%s", n ? "," : "", account_door_name(door));
	return out;
}

static void list_json(const struct credential *credential)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};
	char text[32];

	json_open(&j, '[');
	for (size_t i = 0; i < credential->apps_n; i++) {
		const struct credential_app *app = &credential->apps[i];

		json_open(&j, '{');
		json_key(&j, "name");
		json_text(&j, app->name);
		json_key(&j, "doors");
		json_text(&j, doors_text(app->doors, text));
		json_key(&j, "added");
		json_text(&j, minute(app->added_ms, NULL, text));
		json_key(&j, "used");
		json_text(&j, minute(app->used_ms, NULL, text));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	puts(out.p);
	str_buf_fini(&out);
}

static int apppass_list(struct ctl *ctl, char **operands, int n)
{
	char doors[32], added[32], used[32];
	struct credential credential;
	struct arena arena = {0};
	struct user_id user;
	struct err e;
	int code = user_find(ctl, operands[0], &user);

	(void)n;
	if (code != CTL_OK)
		return code;
	if (credential_get(ctl->site, user, &arena, &credential, &e) < 0)
		code = ctl_fail_err(&e);
	else if (as_json)
		list_json(&credential);
	else
		for (size_t i = 0; i < credential.apps_n; i++)
			printf("%-20s %-14s added=%s used=%s\n", credential.apps[i].name,
			    doors_text(credential.apps[i].doors, doors), minute(credential.apps[i].added_ms, "?", added),
			    minute(credential.apps[i].used_ms, "never", used));
	arena_fini(&arena);
	return code;
}

static const struct verb_option add_options[] = {
    {0, "doors", "DOOR,...", &doors_named, "good for these only: imap, pop3, smtp (all)"},
    {0},
};
static const struct verb_option list_options[] = {
    {0, "json", NULL, &as_json, "one JSON array"},
    {0},
};

const struct verb ctl_verb_apppass = {
    .name = "apppass",
    .summary = "passwords for single programs",
    .help = "An application password lets one program in as the user, beside his own password, and can be taken back\n"
	    "alone. It is made here and shown once.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"add", "USER NAME", 2, 2, add_options, apppass_add, "make one; it is printed"},
	    {"list", "USER", 1, 1, list_options, apppass_list, "names, doors, when last used"},
	    {"remove", "USER NAME", 2, 2, NULL, apppass_remove, "revoke one"},
	    {0},
	},
};

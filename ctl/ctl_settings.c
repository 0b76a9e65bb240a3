/* ctl/ctl_settings.c - postern settings imap|pop|delivery|login|store|mount [NAME [VALUE]] */
#include "ctl/regvalue.h"
#include "store/limit_note.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int settings_list(struct ctl *ctl, const char *key)
{
	struct arena arena = {0};
	struct registry_value *list;
	size_t n;
	struct err e;

	if (registry_query(ctl->site, key, false, true, &arena, &list, &n, &e) < 0) {
		arena_fini(&arena);
		return ctl_fail_err(&e);
	}
	for (size_t i = 0; i < n; i++)
		printf("%s = %s%s\n", list[i].name, regvalue_show(&list[i], &arena),
		    list[i].is_default ? "  (default)" : "");
	arena_fini(&arena);
	return CTL_OK;
}

/* Where else a setting of that name stands: a frequent slip. */
static int no_setting(const struct ctl *ctl, const char *name)
{
	for (size_t i = 0; i < SETTINGS_N; i++)
		if (strcasecmp(setting_rows[i].name, name) == 0)
			return ctl_fail("`%s` stands elsewhere: under %s", name,
			    registry_scope_key(setting_rows[i].scope));
	return ctl_fail("there is no setting `%s`: `postern settings %s` lists them", name,
	    ctl->action->name);
}

static int settings_run(struct ctl *ctl, const char *key, char **operands, int n)
{
	struct arena arena = {0};
	struct registry_value value;
	struct err e;
	int code = CTL_OK;

	if (n == 0)
		return settings_list(ctl, key);
	if (registry_get(ctl->site, key, operands[0], &arena, &value, &e) < 0)
		code = e.code == ERR_NOTFOUND ? no_setting(ctl, operands[0]) : ctl_fail_err(&e);
	else if (n == 1)
		puts(regvalue_show(&value, &arena));
	else if (regvalue_set(ctl, key, operands[0], operands[1], &e) < 0)
		code = ctl_fail_err(&e);
	else if (note_is_front_layer(operands[0]))
		ctl_note(ctl, value.name);
	arena_fini(&arena);
	return code;
}

static int settings_imap(struct ctl *ctl, char **operands, int n)
{
	return settings_run(ctl, REGISTRY_IMAP4, operands, n);
}

static int settings_pop(struct ctl *ctl, char **operands, int n)
{
	return settings_run(ctl, REGISTRY_POP3, operands, n);
}

static int settings_delivery(struct ctl *ctl, char **operands, int n)
{
	return settings_run(ctl, REGISTRY_DELIVERY, operands, n);
}

static int settings_login(struct ctl *ctl, char **operands, int n)
{
	return settings_run(ctl, REGISTRY_LOGIN, operands, n);
}

static int settings_metrics(struct ctl *ctl, char **operands, int n)
{
	return settings_run(ctl, REGISTRY_METRICS, operands, n);
}

static int settings_store(struct ctl *ctl, char **operands, int n)
{
	return settings_run(ctl, REGISTRY_STORE, operands, n);
}

static int settings_mount(struct ctl *ctl, char **operands, int n)
{
	return settings_run(ctl, REGISTRY_FS, operands, n);
}

const struct verb ctl_verb_settings = {
    .name = "settings",
    .summary = "read and change the settings of a door or of the store",
    .help = "Without VALUE the setting is printed, without NAME all of them are.\n\n"
	    "  postern settings imap MaxConnectionsPerUser 32\n"
	    "  postern settings store RefusalStyle exact\n\n"
	    "The session limits of the store are registry values: see `postern reg --help`. Every\n"
	    "setting is explained in postern-settings(7).",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"imap", "[NAME [VALUE]]", 0, 2, NULL, settings_imap, NULL},
	    {"pop", "[NAME [VALUE]]", 0, 2, NULL, settings_pop, NULL},
	    {"delivery", "[NAME [VALUE]]", 0, 2, NULL, settings_delivery, NULL},
	    {"login", "[NAME [VALUE]]", 0, 2, NULL, settings_login, NULL},
	    {"metrics", "[NAME [VALUE]]", 0, 2, NULL, settings_metrics, NULL},
	    {"store", "[NAME [VALUE]]", 0, 2, NULL, settings_store, NULL},
	    {"mount", "[NAME [VALUE]]", 0, 2, NULL, settings_mount, NULL},
	    {0},
	},
};

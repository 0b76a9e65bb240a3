/* limits/setting.c - the rows of limits.tbl.h, and what they say about a value. */
#include "limits/setting.h"

#include <string.h>
#include <strings.h>

const struct setting_row setting_rows[SETTINGS_N] = {
#define SETTING(id, scope, name, unit, otherwise, min, max, source)                                \
	[SETTING_##id] = {REG_##scope, name, unit, otherwise, min, max, source},
#include "limits/limits.tbl.h"
#undef SETTING
};

static const char *const scope_keys[REG_SCOPES_N] = {
    [REG_PARAMETERS_SYSTEM] = REGISTRY_PARAMETERS_SYSTEM,
    [REG_MAX_OBJS] = REGISTRY_MAX_OBJS,
    [REG_STORE] = REGISTRY_STORE,
    [REG_IMAP4] = REGISTRY_IMAP4,
    [REG_POP3] = REGISTRY_POP3,
    [REG_FS] = REGISTRY_FS,
    [REG_DELIVERY] = REGISTRY_DELIVERY,
    [REG_LOGIN] = REGISTRY_LOGIN,
    [REG_METRICS] = REGISTRY_METRICS,
    [REG_POLICY] = REGISTRY_POLICIES,
};

const char *registry_scope_key(enum registry_scope scope)
{
	return scope_keys[scope];
}

const char *setting_scope_key(enum registry_scope scope)
{
	return scope == REG_POLICY ? REGISTRY_POLICIES "\\" SETTING_DEFAULT_POLICY : scope_keys[scope];
}

const char *setting_policy_of(const char *path)
{
	size_t n = strlen(REGISTRY_POLICIES);

	if (!reg_path_is_below(path, REGISTRY_POLICIES) || path[n] == '\0' ||
	    strchr(path + n + 1, '\\'))
		return NULL;
	return path + n + 1;
}

bool setting_is_under(enum setting setting, const char *path)
{
	enum registry_scope scope = setting_rows[setting].scope;

	return scope == REG_POLICY ? setting_policy_of(path) != NULL
	                           : strcasecmp(path, scope_keys[scope]) == 0;
}

int setting_find(enum registry_scope scope, const char *name)
{
	for (int i = 0; i < SETTINGS_N; i++)
		if (setting_rows[i].scope == scope && strcasecmp(setting_rows[i].name, name) == 0)
			return i;
	return -1;
}

int setting_lookup(const char *path, const char *name)
{
	for (int i = 0; i < SETTINGS_N; i++)
		if (strcasecmp(setting_rows[i].name, name) == 0 && setting_is_under((enum setting)i, path))
			return i;
	return -1;
}

/* ---- choices ---- */

bool setting_is_choice(enum setting setting)
{
	return strchr(setting_rows[setting].unit, '|') != NULL;
}

/* The index-th word of "coded|exact". */
static struct str_view choice(enum setting setting, uint32_t index)
{
	const char *at = setting_rows[setting].unit;

	while (index-- > 0 && strchr(at, '|'))
		at = strchr(at, '|') + 1;
	return str_view(at, strcspn(at, "|"));
}

static int parse_choice(enum setting setting, const char *text, uint32_t *index_r)
{
	for (uint32_t i = 0; i <= setting_rows[setting].max; i++)
		if (str_equal_nocase(choice(setting, i), str_view(text, strlen(text)))) {
			*index_r = i;
			return 0;
		}
	return -1;
}

void setting_print(enum setting setting, uint32_t value, struct str_buf *out)
{
	struct str_view word;

	if (setting_is_choice(setting)) {
		word = choice(setting, value);
		str_buf_put(out, word.p, word.n);
	} else if (value == SETTING_NULL && setting_rows[setting].scope == REG_POLICY) {
		str_buf_puts(out, "null");
	} else {
		str_buf_put_number(out, value);
	}
}

/* ---- values ---- */

/* The default of a choice is one of a few words; they are told apart by their end, so copied once. */
void setting_default(enum setting setting, struct reg_value *value_r)
{
	static _Thread_local char word[64];
	const struct setting_row *row = &setting_rows[setting];

	*value_r = (struct reg_value){.name = row->name, .type = REGISTRY_DWORD,
	    .dword = row->otherwise};
	if (setting_is_choice(setting)) {
		struct str_view text = choice(setting, row->otherwise);

		memcpy(word, text.p, text.n);
		word[text.n] = '\0';
		value_r->type = REGISTRY_SZ;
		value_r->text = word;
	}
}

static int refuse(enum setting setting, struct err *e)
{
	const struct setting_row *row = &setting_rows[setting];

	if (setting_is_choice(setting))
		return err_set(e, ERR_INVALID, "\"%s\" is one of %s", row->name, row->unit);
	if (row->max == SETTING_NULL && row->scope == REG_POLICY)
		return err_set(e, ERR_INVALID, "\"%s\" is a number from %u (%s)", row->name, row->min,
		    row->unit);
	return err_set(e, ERR_INVALID, "\"%s\" is a number from %u to %u (%s)", row->name, row->min,
	    row->max, row->unit);
}

int setting_number(enum setting setting, const struct reg_value *value, uint32_t *number_r,
    struct err *e)
{
	const struct setting_row *row = &setting_rows[setting];
	uint32_t number;

	if (setting_is_choice(setting)) {
		if (value->type != REGISTRY_SZ || parse_choice(setting, value->text, &number) < 0)
			return refuse(setting, e);
	} else {
		number = value->dword;
		if (value->type != REGISTRY_DWORD || number < row->min || number > row->max)
			return refuse(setting, e);
	}
	*number_r = number;
	return 0;
}

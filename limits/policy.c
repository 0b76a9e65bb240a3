/* limits/policy.c - throttling policies: which of a policy's settings is for which service. */
#include "limits/policy.h"
#include "limits/registry_page.h"
#include "limits/registry_priv.h"
#include "limits/setting.h"

#include <string.h>
#include <strings.h>

static const struct {
	bool has_one;
	enum setting setting;
} rows[SESSION_SERVICES_N] = {
    [SESSION_FS] = {true, SETTING_POLICY_RCA},   [SESSION_IMAP4] = {true, SETTING_POLICY_IMAP},
    [SESSION_POP3] = {true, SETTING_POLICY_POP}, [SESSION_OWA] = {true, SETTING_POLICY_OWA},
    [SESSION_EWS] = {true, SETTING_POLICY_EWS},  [SESSION_EAS] = {true, SETTING_POLICY_EAS},
};

uint32_t policy_value(struct site *site, const char *policy, enum setting setting)
{
	uint32_t value;

	return policy && registry_policy_value(site, policy, setting, &value) ? value
									      : setting_get(site, setting);
}

void policy_bounds(struct site *site, enum setting setting, uint32_t *least_r, uint32_t *most_r)
{
	uint32_t otherwise = setting_get(site, setting);

	registry_policy_bounds(site, setting, least_r, most_r);
	if (otherwise < *least_r)
		*least_r = otherwise;
	if (otherwise > *most_r)
		*most_r = otherwise;
}

bool policy_concurrency(enum session_service service, enum setting *setting_r)
{
	*setting_r = rows[service].setting;
	return rows[service].has_one;
}

static const char *policy_key(const char *policy, struct arena *arena)
{
	return arena_printf(arena, "%s\\%s", REGISTRY_POLICIES, policy);
}

/* The default policy is always there, set or not. */
static bool is_there(const struct reg_tree *tree, const char *policy)
{
	return strcasecmp(policy, SETTING_DEFAULT_POLICY) == 0 ||
	    reg_tree_find(tree, policy_key(policy, tree->arena)) != NULL;
}

bool policy_exists(struct site *site, const char *policy)
{
	uint32_t value;

	return strcasecmp(policy, SETTING_DEFAULT_POLICY) == 0 ||
	    registry_policy_value(site, policy, SETTING_POLICY_POP, &value);
}

static int check_name(const char *policy, struct err *e)
{
	size_t n = strlen(policy);

	if (n == 0 || n > 64)
		return err_set(e, ERR_INVALID, "a policy's name has 1 to 64 characters");
	for (size_t i = 0; i < n; i++)
		if (policy[i] < ' ' || policy[i] > '~' || strchr("\\\"[]/", policy[i]))
			return err_set(e, ERR_INVALID, "a policy's name has no \\ / \" [ ] in it, and only "
			    "printable ASCII");
	return 0;
}

struct change {
	const char *policy;
	struct reg_value value;
};

static int create(void *arg, struct reg_tree *tree, struct err *e)
{
	const struct change *change = arg;
	size_t n = 0;

	if (is_there(tree, change->policy))
		return err_set(e, ERR_EXISTS, "there is a policy %s already", change->policy);
	for (size_t i = 0; i < tree->n; i++)
		n += setting_policy_of(tree->keys[i].path) != NULL;
	if (n + 1 >= PAGE_POLICIES_MAX)
		return err_set(e, ERR_LIMIT, "there are %d policies at most", PAGE_POLICIES_MAX - 1);
	reg_tree_add(tree, policy_key(change->policy, tree->arena));
	return 0;
}

int policy_create(struct site *site, const char *policy, struct err *e)
{
	struct change change = {.policy = policy};

	return check_name(policy, e) < 0 ? -1 : registry_update(site, create, &change, e);
}

static int set(void *arg, struct reg_tree *tree, struct err *e)
{
	const struct change *change = arg;

	if (!is_there(tree, change->policy))
		return err_set(e, ERR_NOTFOUND, "there is no policy %.64s: make it with "
		    "`postern policy create`", change->policy);
	reg_key_set(tree, reg_tree_add(tree, policy_key(change->policy, tree->arena)), &change->value);
	return 0;
}

int policy_set(struct site *site, const char *policy, const char *name, uint32_t value,
    struct err *e)
{
	struct change change = {.policy = policy, .value = {.type = REGISTRY_DWORD, .dword = value}};
	int setting = setting_find(REG_POLICY, name);
	uint32_t number;

	if (check_name(policy, e) < 0)
		return -1;
	if (setting < 0)
		return err_set(e, ERR_INVALID, "a policy has no setting \"%.60s\"", name);
	change.value.name = setting_rows[setting].name;
	if (setting_number((enum setting)setting, &change.value, &number, e) < 0)
		return -1;
	return registry_update(site, set, &change, e);
}

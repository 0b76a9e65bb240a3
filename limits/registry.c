/* limits/registry.c - settings: for now their defaults. */
#include "limits/registry_priv.h"
#include "base/mem.h"

#include <stdlib.h>

struct registry {
	int store_fd, runtime_fd;
};

const struct setting_row setting_rows[SETTINGS_N] = {
#define SETTING(id, scope, name, unit, otherwise, min, max, source)                                \
	[SETTING_##id] = {REG_##scope, name, unit, otherwise, min, max, source},
#include "limits/limits.tbl.h"
#undef SETTING
};

const char *registry_scope_key(enum registry_scope scope)
{
	static const char *const keys[] = {
	    [REG_PARAMETERS_SYSTEM] = REGISTRY_PARAMETERS_SYSTEM,
	    [REG_MAX_OBJS] = REGISTRY_MAX_OBJS,
	    [REG_STORE] = REGISTRY_STORE,
	    [REG_IMAP4] = REGISTRY_IMAP4,
	    [REG_POP3] = REGISTRY_POP3,
	    [REG_FS] = REGISTRY_FS,
	    [REG_POLICY] = REGISTRY_POLICIES,
	};

	return keys[scope];
}

uint32_t setting_get(struct site *site, enum setting setting)
{
	(void)site;
	return setting_rows[setting].otherwise;
}

int registry_new(int store_fd, int runtime_fd, struct registry **registry_r, struct err *e)
{
	struct registry *registry = mem_alloc(sizeof *registry);

	(void)e;
	registry->store_fd = store_fd;
	registry->runtime_fd = runtime_fd;
	*registry_r = registry;
	return 0;
}

void registry_free(struct registry **registry)
{
	mem_free(registry);
}

void registry_look(struct site *site)
{
	(void)site;
}

/* auth/token_conf.c - [token] of store.conf: all of it that can be asked for without a look at a key. */
#include "auth/service_priv.h"
#include "auth/token.h"

#include <stdio.h>

const char *token_conf(const struct site *site, const char *key)
{
	const char *value = site_conf(site, "token", key, NULL);

	return value && *value ? value : NULL;
}

const char *token_discovery(const struct site *site)
{
	return token_conf(site, "discovery");
}

const char *token_scope(const struct site *site, unsigned door)
{
	const char *everywhere = site_conf(site, "token", "scope", "");
	char key[32];

	snprintf(key, sizeof key, "scope_%s", account_door_name(door));
	return site_conf(site, "token", key, everywhere);
}

const char *token_keys_path(const struct site *site, struct arena *arena)
{
	const char *path = token_conf(site, "keys");

	return path ? service_path(arena, site, path) : NULL;
}

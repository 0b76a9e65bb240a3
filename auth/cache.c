/* auth/cache.c - see cache_priv.h. */
#include "auth/cache_priv.h"
#include "auth/recall.h"

#include <string.h>

static struct recall_key key_of(struct user_id user, const char *verifier, const char *password)
{
	const struct str_view parts[] = {
	    {(const char *)&user.n, sizeof user.n},
	    {verifier, strlen(verifier)},
	    {password, strlen(password)},
	};

	return recall_key_of(parts, sizeof parts / sizeof *parts);
}

bool auth_cache_has(struct user_id user, const char *verifier, const char *password)
{
	const struct recall_key key = key_of(user, verifier, password);

	return recall_has(&key);
}

void auth_cache_put(struct user_id user, const char *verifier, const char *password, int64_t live_ms)
{
	const struct recall_key key = key_of(user, verifier, password);

	recall_put(&key, "", live_ms);
}

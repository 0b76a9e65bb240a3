/* deliver/recipient.c - from an address to a user, by the directory alone. */
#include "deliver/recipient.h"

#include "limits/registry.h"
#include "store/directory.h"
#include "store/domain.h"

#include <string.h>

static int look_up(struct site *site, struct str_view local, const char *domain, struct arena *arena,
    struct directory_user *user_r, struct err *e)
{
	const char *name = arena_printf(
	    arena, "%.*s%s%s", (int)local.n, local.p, *domain ? "@" : "", domain);

	return directory_user_find(site, name, arena, user_r, e);
}

/* Where the subaddress begins; NULL: there is none, or an empty user before it. */
static const char *separator_in(struct site *site, const char *local)
{
	static const char separators[] = {'+', '-', '=', '\0'};
	char separator = separators[setting_get(site, SETTING_SUBADDRESS)];
	const char *at = separator ? strchr(local, separator) : NULL;

	return at && at > local ? at : NULL;
}

int recipient_find(struct site *site, const struct mail_path *path, struct arena *arena,
    struct recipient *to_r, struct err *e)
{
	struct str_view whole = str_view(path->local, strlen(path->local));
	struct recipient to = {.address = path->text};
	const char *separator = separator_in(site, path->local);
	struct directory_user user;
	int r = look_up(site, whole, path->domain, arena, &user, e);

	if (r < 0 && e->code == ERR_NOTFOUND && separator) {
		struct str_view before = str_view(whole.p, (size_t)(separator - whole.p));

		r = look_up(site, before, path->domain, arena, &user, e);
		to.detail = separator[1] ? arena_str(arena, separator + 1) : NULL;
	}
	if (r < 0)
		return -1;
	if (user.disabled)
		return err_set(e, ERR_PERM, "the account of %s is disabled", user.name);
	to.user = user.id;
	to.user_name = user.name;
	*to_r = to;
	return 0;
}

bool recipient_domain_is_ours(struct site *site, const struct mail_path *path)
{
	enum domain_kind kind = DOMAIN_OURS;
	struct err e;

	return !*path->domain || domain_kind(site, str_view(path->domain, strlen(path->domain)), &kind, &e) < 0 || kind != DOMAIN_FOREIGN;
}

int recipient_find_for(struct site *site, const struct mail_path *path, const char *address,
    struct arena *arena, struct recipient *to_r, struct err *e)
{
	struct recipient written = {0};
	struct mail_path as;

	if (recipient_find(site, path, arena, to_r, e) < 0)
		return -1;
	if (!strchr(address, '@')) {
		to_r->detail = *address ? address : NULL;
	} else if (mail_path_take(address, arena, &as) && !as.is_null) {
		struct err ignored;

		to_r->address = as.text;
		if (recipient_find(site, &as, arena, &written, &ignored) == 0)
			to_r->detail = written.detail;
	}
	return 0;
}

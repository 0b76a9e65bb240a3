/* auth/account_keep.c - what is kept of a password, for who changes it: no more of the accounts is needed for that. */
#include "auth/account_priv.h"
#include "auth/offered.h"
#include "auth/verifier.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <string.h>

static int keep(struct site *site, const char *name, const char *verifier, const char *password, struct err *e)
{
	struct credential_scram scram = {0};
	struct directory_user user;
	struct arena arena = {0};
	int r = directory_user_find(site, name, &arena, &user, e);

	if (r == 0 && password)
		r = scram_make(password, setting_get(site, SETTING_SCRAM_ITERATIONS), &scram, e);
	if (r == 0)
		r = credential_set(site, user.id, verifier, &scram, e);
	explicit_bzero(&scram, sizeof scram);
	arena_fini(&arena);
	return r;
}

/* offered_fini is the caller's, whatever comes of it. */
static int prepare(struct offered *offered_r, const char *password, struct err *e)
{
	enum precis_fault fault = offered_init(offered_r, password);

	return fault == PRECIS_GOOD ? 0 : err_set(e, ERR_INVALID, "the password %s", precis_fault_text(fault));
}

int account_password_check(const char *password, struct err *e)
{
	struct offered offered;
	int r = prepare(&offered, password, e);

	offered_fini(&offered);
	return r;
}

int account_set_password(struct site *site, const char *name, const char *password, struct err *e)
{
	const struct verifier_policy policy = verifier_policy(site);
	char verifier[AUTH_VERIFIER_SIZE];
	struct offered offered;
	int r = prepare(&offered, password, e);

	if (r == 0)
		r = auth_verifier_make(&policy, offered.form, verifier, e);
	if (r == 0)
		r = keep(site, name, verifier, offered.form, e);
	explicit_bzero(verifier, sizeof verifier);
	offered_fini(&offered);
	return r;
}

int account_set_verifier(struct site *site, const char *name, const char *verifier, struct err *e)
{
	const char *plain = auth_verifier_plain(verifier);
	char kept[AUTH_VERIFIER_SIZE];
	struct offered offered = {0};
	int r;

	if (!plain)
		return keep(site, name, verifier, NULL, e);
	if (offered_init(&offered, plain) == PRECIS_GOOD)
		plain = offered.form;
	r = auth_verifier_from_plain(plain, kept, e);
	if (r == 0)
		r = keep(site, name, kept, plain, e);
	explicit_bzero(kept, sizeof kept);
	offered_fini(&offered);
	return r;
}

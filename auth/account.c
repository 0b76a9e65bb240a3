/*
 * auth/account.c - who somebody is, by a password.
 *
 * The check is made at the price of a whole hash even where there is no such user, so that a stranger does not
 * learn who has a mailbox.
 */
#include "auth/account_priv.h"
#include "auth/cache_priv.h"
#include "auth/offered.h"
#include "auth/pam.h"
#include "auth/token.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "base/log.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* What nobody's password is checked against; made anew when the policy changes. */
static char nobodys_verifier[AUTH_VERIFIER_SIZE];
static pthread_mutex_t nobodys_lock = PTHREAD_MUTEX_INITIALIZER;

/* Spends what a check would cost. */
static void pretend_to_check(struct site *site, const struct offered *password)
{
	const struct verifier_policy policy = verifier_policy(site);
	char verifier[AUTH_VERIFIER_SIZE];
	bool as_typed;
	struct err e;

	pthread_mutex_lock(&nobodys_lock);
	if ((!*nobodys_verifier || !auth_verifier_is_current(&policy, nobodys_verifier)) &&
	    auth_verifier_make(&policy, "nobody's password", nobodys_verifier, &e) < 0)
		log_error("nobodys-verifier", "%s", log_err(&e));
	memcpy(verifier, nobodys_verifier, sizeof verifier);
	pthread_mutex_unlock(&nobodys_lock);
	(void)offered_matches(password, verifier, &as_typed);
}

static int no_such(struct err *e)
{
	return err_set(e, ERR_AUTH, "no such user, or the user has no password or is disabled");
}

/* A user who may come in; AUTH. */
static int find(struct site *site, const char *name, struct arena *arena, struct directory_user *user_r, struct err *e)
{
	if (directory_user_find(site, name, arena, user_r, e) < 0)
		return e->code == ERR_NOTFOUND || e->code == ERR_INVALID ? no_such(e) : -1;
	return user_r->disabled ? no_such(e) : 0;
}

static void tell(const struct directory_user *user, struct account *who_r)
{
	who_r->id = user->id;
	snprintf(who_r->name, sizeof who_r->name, "%s", user->name);
	*who_r->app = '\0';
}

/* The user's own password.  Guessing at a {PLAIN} one is as slow, and nobody stands out by it. */
static bool is_own_password(struct site *site, struct user_id user, const char *verifier, const struct offered *password, bool *as_typed_r)
{
	int64_t live_ms = (int64_t)setting_get(site, SETTING_VERIFIER_CACHE_TIME) * 1000;
	bool is_plain = verifier && auth_verifier_plain(verifier), is_right;

	*as_typed_r = false;
	if (verifier && !is_plain && live_ms && auth_cache_has(user, verifier, password->typed))
		return true;
	is_right = verifier && offered_matches(password, verifier, as_typed_r);
	if (is_right && !is_plain)
		auth_cache_put(user, verifier, password->typed, live_ms);
	if (!is_right && (!verifier || is_plain))
		pretend_to_check(site, password);
	return is_right;
}

static bool is_as_settings_say(struct site *site, const struct credential *credential)
{
	const struct verifier_policy policy = verifier_policy(site);

	return auth_verifier_is_current(&policy, credential->verifier) &&
	       credential->scram.iterations == setting_get(site, SETTING_SCRAM_ITERATIONS);
}

/* What is kept of a password is made as the settings say now, and of its form, while the password is at hand. */
static void renew(struct site *site, struct user_id user, const struct credential *credential, const struct offered *offered, bool as_typed)
{
	const struct verifier_policy policy = verifier_policy(site);
	const char *password = offered->form ? offered->form : offered->typed;
	bool is_current = auth_verifier_is_current(&policy, credential->verifier) &&
			  !(as_typed && offered->form && !auth_verifier_plain(credential->verifier));
	uint32_t iterations = setting_get(site, SETTING_SCRAM_ITERATIONS);
	struct credential_scram scram = credential->scram;
	char verifier[AUTH_VERIFIER_SIZE];
	struct err e;

	if (is_current && scram.iterations == iterations)
		return;
	snprintf(verifier, sizeof verifier, "%s", credential->verifier);
	if ((!is_current && auth_verifier_make(&policy, password, verifier, &e) < 0) ||
	    (scram.iterations != iterations && scram_make(password, iterations, &scram, &e) < 0) ||
	    credential_renew(site, user, credential->verifier, verifier, &scram, &e) < 0)
		log_warn("credential-not-renewed", "user=%016llx %s", (unsigned long long)user.n, log_err(&e));
	explicit_bzero(&scram, sizeof scram);
	explicit_bzero(verifier, sizeof verifier);
}

/* Last used to the minute: a program that comes every few seconds is no commit each time.  A time to come is from
 * before the clock was set back. */
static void note_use(struct site *site, struct user_id user, const struct credential_app *app)
{
	int64_t now = clock_wall_ms();
	struct err e;

	if ((now < app->used_ms || now - app->used_ms >= 60000) && credential_app_used(site, user, app->name, now, &e) < 0)
		log_warn("application-password-use", "user=%016llx %s", (unsigned long long)user.n, log_err(&e));
}

/* 1: it is one of his application passwords, and good for this door; app_r is its name then. */
static int is_app_password(struct site *site, struct user_id user, const struct credential *credential, unsigned door,
    const char *password, char app_r[ACCOUNT_NAME_SIZE], struct err *e)
{
	unsigned char secret[CREDENTIAL_KEY_OCTETS];
	const struct credential_app *app;

	if (credential->apps_n == 0)
		return 0;
	if (credential_secret(site, secret, e) < 0)
		return -1;
	app = app_find(secret, user, credential, password);
	explicit_bzero(secret, sizeof secret);
	if (!app || !(app->doors & door))
		return 0;
	note_use(site, user, app);
	snprintf(app_r, ACCOUNT_NAME_SIZE, "%s", app->name);
	return 1;
}

static void wipe(struct credential *credential)
{
	if (credential->verifier)
		explicit_bzero((char *)credential->verifier, strlen(credential->verifier));
	explicit_bzero(&credential->scram, sizeof credential->scram);
}

/* Whose rules hold: his own name, also where he may not come in, or whatever nobody said. */
static const char *whose(const struct directory_user *user, const char *name)
{
	return user->name ? user->name : name;
}

static int judge_by_store(struct site *site, const struct directory_user *user, const struct credential *credential,
    const struct offered *password, struct err *e)
{
	bool as_typed;

	if (!user) {
		pretend_to_check(site, password);
		return no_such(e);
	}
	if (!is_own_password(site, user->id, credential->verifier, password, &as_typed))
		return err_set(e, ERR_AUTH, "wrong password");
	renew(site, user->id, credential, password, as_typed);
	return 0;
}

/* user: who may come in, or NULL; whose: whose rules hold.  Who may not is asked about all the same; the answer is one, and as late. */
static int judge(const struct account_source *source, const struct directory_user *user, const char *whose, unsigned door,
    const struct offered *password, char app_r[ACCOUNT_NAME_SIZE], struct err *e)
{
	struct site *site = source->site;
	struct credential credential = {0};
	struct arena arena = {0};
	int r = user ? credential_get(site, user->id, &arena, &credential, e) : 0;

	if (r == 0 && user)
		r = is_app_password(site, user->id, &credential, door, password->typed, app_r, e);
	if (r == 0)
		r = pam_is_asked(site, whose)
			? pam_check(site, whose, user ? user->name : NULL, password->form ? password->form : password->typed, source->address, e)
			: judge_by_store(site, user, &credential, password, e);
	wipe(&credential);
	arena_fini(&arena);
	return r < 0 ? -1 : 0;
}

static bool password_waits(const struct account_source *source, const char *name)
{
	struct directory_user user = {0};
	struct arena arena = {0};
	struct err e;
	bool waits;

	(void)!find(source->site, name, &arena, &user, &e);
	waits = pam_is_asked(source->site, whose(&user, name));
	arena_fini(&arena);
	return waits;
}

static int check_password(const struct account_source *source, unsigned door, const char *name, const char *password,
    struct account *who_r, struct err *e)
{
	struct directory_user user = {0};
	struct arena arena = {0};
	struct offered offered;
	char app[ACCOUNT_NAME_SIZE] = "";
	int r = find(source->site, name, &arena, &user, e);

	(void)offered_init(&offered, password);
	if (r == 0 || e->code == ERR_AUTH)
		r = judge(source, r == 0 ? &user : NULL, whose(&user, name), door, &offered, app, e);
	if (r == 0) {
		tell(&user, who_r);
		snprintf(who_r->app, sizeof who_r->app, "%s", app);
	}
	offered_fini(&offered);
	arena_fini(&arena);
	return r;
}

/* It is right, and nothing is to be done about it but to say so. */
static bool is_known(struct site *site, struct user_id user, const struct credential *credential, const char *password)
{
	const char *verifier = credential->verifier;
	struct offered offered;
	bool is, as_typed;

	if (!verifier || !is_as_settings_say(site, credential))
		return false;
	if (auth_verifier_plain(verifier)) {
		(void)offered_init(&offered, password);
		is = offered_matches(&offered, verifier, &as_typed);
		offered_fini(&offered);
		return is;
	}
	return setting_get(site, SETTING_VERIFIER_CACHE_TIME) && auth_cache_has(user, verifier, password);
}

static bool password_is_known(const struct account_source *source, const char *name, const char *password,
    struct account *who_r)
{
	struct directory_user user = {0};
	struct credential credential = {0};
	struct arena arena = {0};
	struct err e;
	bool is = find(source->site, name, &arena, &user, &e) == 0 && !pam_is_asked(source->site, user.name) &&
		  credential_get(source->site, user.id, &arena, &credential, &e) == 0 &&
		  is_known(source->site, user.id, &credential, password);

	if (is)
		tell(&user, who_r);
	wipe(&credential);
	arena_fini(&arena);
	return is;
}

static int check_proven(const struct account_source *source, const char *name, struct account *who_r, struct err *e)
{
	struct directory_user user = {0};
	struct arena arena = {0};
	int r = find(source->site, name, &arena, &user, e);

	if (r == 0)
		tell(&user, who_r);
	arena_fini(&arena);
	return r;
}

static int check_scram(const struct account_source *source, const char *name, struct credential_scram *keys_r, struct err *e)
{
	unsigned char secret[CREDENTIAL_KEY_OCTETS];
	struct directory_user user = {0};
	struct credential credential = {0};
	struct credential_scram_state state;
	struct str_buf key = {0};
	struct arena arena = {0};
	int r = find(source->site, name, &arena, &user, e);

	/* A user without keys and none at all are read alike, and look alike. */
	if (r == 0 || e->code == ERR_AUTH) {
		r = credential_get(source->site, user.id, &arena, &credential, e);
		if (r == 0)
			r = credential_secret(source->site, secret, e);
		directory_account_key(source->site, name, &key);
		if (r == 0)
			r = credential_scram_state(source->site, &state, e);
		if (r == 0)
			scram_pretend(secret, key.p ? key.p : "", &state,
			    setting_get(source->site, SETTING_SCRAM_ITERATIONS), keys_r);
		if (r == 0 && credential.scram.iterations)
			*keys_r = credential.scram;
	}
	explicit_bzero(secret, sizeof secret);
	wipe(&credential);
	str_buf_fini(&key);
	arena_fini(&arena);
	return r;
}

/* Whom it is about, as the provider says; to act as another user is not offered. */
static int check_token(const struct account_source *source, unsigned door, const char *name, const char *token,
    struct account *who_r, struct err *e)
{
	char own[ACCOUNT_NAME_SIZE];
	struct account named;

	if (token_verify(source->site, door, token, own, e) < 0) {
		log_info("token-refused", "user=%s %s", LOG_Q(*name ? name : "-"), log_err(e));
		return -1;
	}
	if (check_proven(source, own, who_r, e) < 0)
		return -1;
	if (!*name || strcmp(name, own) == 0)
		return 0;
	if (check_proven(source, name, &named, e) < 0)
		return -1;
	return named.id.n == who_r->id.n ? 0 : err_set(e, ERR_AUTH, "the token is another user's than was named");
}

static unsigned what_is_able(const struct account_source *source)
{
	struct credential_scram_state scram = {0};
	struct err e;

	/* Whom PAM answers for has no keys. */
	if (!pam_is_anywhere(source->site) && credential_scram_state(source->site, &scram, &e) < 0)
		log_warn("scram-not-offered", "%s", log_err(&e));
	return ACCOUNT_ABLE_PASSWORD | (scram.is_complete ? ACCOUNT_ABLE_SCRAM : 0) |
	       (token_is_able(source->site) ? ACCOUNT_ABLE_TOKEN : 0);
}

struct account_source account_source(struct site *site)
{
	return (struct account_source){
	    .site = site,
	    .able = what_is_able,
	    .password = check_password,
	    .password_is_known = password_is_known,
	    .password_waits = password_waits,
	    .scram = check_scram,
	    .token = check_token,
	    .proven = check_proven,
	};
}

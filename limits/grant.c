/*
 * limits/grant.c - the rule of KB 980049 and the layers in front of the store, as a list of checks.
 *
 * A check is "this many are held, so many are allowed".  The order of the list is the order of telling:
 * the store's own limits first.  Below every limit the ledger's counts are trusted; when one refuses,
 * the dead are struck off, what was set aside for others is taken back, and the checks are made again.
 * A grant sets a few more aside for this process, half of what is left at most, so that the next ones of the same
 * kind need no lock; and a user who is at his limit with what this one process holds is refused without one.
 */
#include "limits/grant.h"
#include "limits/policy.h"
#include "limits/registry.h"
#include "limits/site_priv.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A holder of the mutex that was stopped must not block the rest for ever. */
#define LOCK_WAIT_MS 2000
#define CHECKS_MAX 5
/* What a process may have set aside at a time: more than one user's tools open at once, mostly. */
#define SPARE_MAX 16

struct check {
	enum session_layer layer;
	const char *owner, *limit; /* for people: whose limit, its name */
	uint32_t allowed;
	uint64_t held;
};

struct checks {
	struct check list[CHECKS_MAX];
	int n;
};

/* MaxConnectionsPerUser counts sessions where a connection is a session.  The policy counts
 * requests that run: a session, but at the web sign-in, which lasts and is judged by its door. */
static const struct {
	int connections_per_user; /* a setting, or -1 */
	bool policy_counts_sessions;
} services[SESSION_SERVICES_N] = {
    [SESSION_FS] = {-1, true},
    [SESSION_IMAP4] = {SETTING_IMAP_MAX_CONNECTIONS_PER_USER, true},
    [SESSION_POP3] = {SETTING_POP_MAX_CONNECTIONS_PER_USER, true},
    [SESSION_OWA] = {-1, false},
    [SESSION_EWS] = {-1, true},
    [SESSION_EAS] = {-1, true},
    [SESSION_TRANSPORT] = {-1, false},
    [SESSION_ADMIN] = {-1, false},
};

static bool counts_for_user(enum session_service service)
{
	enum session_class class = session_service_class(service);

	return class == SESSION_CLASS_DIRECT || class == SESSION_CLASS_SERVICE;
}

static bool counts_for_service(enum session_service service)
{
	return session_service_class(service) != SESSION_CLASS_ADMIN;
}

static void count_user(const struct ledger_counts *counts, uint64_t *all_r, uint64_t *service_r)
{
	*all_r = *service_r = 0;
	for (int i = 0; i < SESSION_SERVICES_N; i++) {
		enum session_class class = session_service_class((enum session_service)i);

		if (counts_for_user((enum session_service)i))
			*all_r += counts->n[i];
		if (class == SESSION_CLASS_SERVICE)
			*service_r += counts->n[i];
	}
}

static void add_check(struct checks *checks, enum session_layer layer, const char *owner,
    const char *limit, uint32_t allowed, uint64_t held)
{
	checks->list[checks->n++] = (struct check){layer, owner, limit, allowed, held};
}

static void add_setting(struct checks *checks, struct site *site, enum session_layer layer,
    const char *owner, enum setting setting, uint64_t held)
{
	add_check(checks, layer, owner, setting_rows[setting].name, setting_get(site, setting), held);
}

static void list_store_checks(struct checks *checks, struct site *site,
    const struct session_request *request, const struct ledger_counts *user)
{
	bool lifted = setting_get(site, SETTING_DISABLE_SESSION_LIMIT) == 1;
	uint64_t all, service;

	count_user(user, &all, &service);
	if (request->administrator)
		add_setting(checks, site, SESSION_LAYER_STORE_USER, "store",
		    SETTING_SESSIONS_PER_ADMINISTRATOR, all);
	else if (!lifted)
		add_setting(checks, site, SESSION_LAYER_STORE_USER, "store",
		    SETTING_SESSIONS_PER_USER, all);
	if (!lifted && session_service_class(request->service) == SESSION_CLASS_SERVICE)
		add_setting(checks, site, SESSION_LAYER_STORE_SERVICE, "store",
		    SETTING_SERVICE_SESSIONS_PER_USER, service);
}

static void list_front_checks(struct checks *checks, struct site *site,
    const struct session_request *request, const struct ledger_counts *user)
{
	const char *name;
	uint32_t allowed;

	if (services[request->service].connections_per_user >= 0)
		add_setting(checks, site, SESSION_LAYER_PROTOCOL,
		    session_service_name(request->service),
		    (enum setting)services[request->service].connections_per_user,
		    user->n[request->service]);
	if (!services[request->service].policy_counts_sessions)
		return;
	allowed = policy_concurrency(site, request->policy, request->service, &name);
	if (name)
		add_check(checks, SESSION_LAYER_POLICY, "throttling policy", name, allowed,
		    user->n[request->service]);
}

static void list_checks(struct checks *checks, struct site *site,
    const struct session_request *request, const struct ledger_counts *user,
    const struct ledger_counts *service)
{
	checks->n = 0;
	if (user)
		list_store_checks(checks, site, request, user);
	if (service)
		add_setting(checks, site, SESSION_LAYER_STORE_PER_SERVICE, "store",
		    SETTING_SESSIONS_PER_SERVICE, service->n[request->service]);
	if (user)
		list_front_checks(checks, site, request, user);
}

/* 4294967295 is "null", unlimited, in a policy; elsewhere it is only a number nobody reaches. */
static bool refuses(const struct check *check)
{
	return check->allowed != SETTING_NULL && check->held >= check->allowed;
}

static const struct check *first_refusing(const struct checks *checks)
{
	for (int i = 0; i < checks->n; i++)
		if (refuses(&checks->list[i]))
			return &checks->list[i];
	return NULL;
}

static void PRINTF_LIKE(2, 3) append(struct session_refusal *why, const char *fmt, ...)
{
	size_t n = strlen(why->explain);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->explain + n, sizeof why->explain - n, fmt, ap);
	va_end(ap);
}

static void explain(struct session_refusal *why, const struct checks *checks,
    const struct check *told)
{
	*why = (struct session_refusal){
	    .layer = told->layer, .value = told->allowed, .held = (uint32_t)told->held};
	snprintf(why->limit, sizeof why->limit, "%s", told->limit);
	append(why, "%s: %s is %u, held %u", told->owner, told->limit, told->allowed, why->held);
	for (const struct check *c = checks->list; c < checks->list + checks->n; c++)
		if (c != told && refuses(c))
			append(why, "; refused too by %s: %s is %u, held %u", c->owner, c->limit,
			    c->allowed, (unsigned)c->held);
}

int grant_trouble(struct session_refusal *why, struct err *e)
{
	*why = (struct session_refusal){.layer = SESSION_LAYER_TROUBLE};
	snprintf(why->limit, sizeof why->limit, "none");
	append(why, "sessions can't be counted now: %s", err_text(e->code));
	if (e->code != ERR_BUSY && e->code != ERR_NOSPACE)
		e->code = ERR_UNAVAILABLE;
	return -1;
}

/* ---- counting ---- */

static int open_files(struct ledger *ledger, const struct session_request *request,
    struct grant *grant, struct err *e)
{
	struct ledger_key user = {LEDGER_USER, request->actor.n};
	struct ledger_key service = {LEDGER_SERVICE, request->service};

	if (counts_for_user(request->service) && ledger_get(ledger, user, &grant->user, e) < 0)
		return -1;
	if (counts_for_service(request->service) &&
	    ledger_get(ledger, service, &grant->service, e) < 0)
		return -1;
	return 0;
}

static void put_files(struct grant *grant)
{
	if (grant->service)
		ledger_put(grant->service);
	if (grant->user)
		ledger_put(grant->user);
	*grant = (struct grant){0};
}

/* The user's file first: the one order that everybody keeps. */
static int lock_files(const struct grant *grant, int64_t wait_ms, struct err *e)
{
	if (grant->user && ledger_lock(grant->user, wait_ms, e) < 0)
		return -1;
	if (grant->service && ledger_lock(grant->service, wait_ms, e) < 0) {
		if (grant->user)
			ledger_unlock(grant->user);
		return -1;
	}
	return 0;
}

static void unlock_files(const struct grant *grant)
{
	if (grant->service)
		ledger_unlock(grant->service);
	if (grant->user)
		ledger_unlock(grant->user);
}

static const struct ledger_counts *total(const struct ledger_file *file)
{
	return file ? ledger_total(file) : NULL;
}

/* Only the files whose counts refuse: each record there costs a look at its lock. */
static int settle(const struct checks *checks, const struct grant *grant, struct err *e)
{
	bool user = false, service = false;

	for (int i = 0; i < checks->n; i++) {
		if (!refuses(&checks->list[i]))
			continue;
		if (checks->list[i].layer == SESSION_LAYER_STORE_PER_SERVICE)
			service = true;
		else
			user = true;
	}
	return (user && ledger_settle(grant->user, e) < 0) ||
	        (service && ledger_settle(grant->service, e) < 0) ? -1 : 0;
}

static int judge(struct site *site, const struct session_request *request,
    const struct grant *grant, struct checks *checks, struct session_refusal *why, struct err *e)
{
	const struct check *told;

	list_checks(checks, site, request, total(grant->user), total(grant->service));
	if (!first_refusing(checks))
		return 0;
	if (settle(checks, grant, e) < 0)
		return grant_trouble(why, e);
	list_checks(checks, site, request, total(grant->user), total(grant->service));
	told = first_refusing(checks);
	if (!told)
		return 0;
	explain(why, checks, told);
	return err_set(e, ERR_LIMIT, "%s", why->explain);
}

/*
 * A storm of refusals is not to keep the files locked.  What this process counts for the user may be too
 * many by itself, and then it is, whatever others do at this moment.  The words tell of all counts, so
 * they are looked at; where others count for the user as well, or the service is full, the locks decide.
 */
static bool refused_by_own(struct site *site, const struct session_request *request,
    const struct grant *grant, struct session_refusal *why)
{
	struct ledger_counts own, user, service;
	struct checks checks = {.n = 0};

	if (!grant->user)
		return false;
	ledger_own(grant->user, &own);
	list_store_checks(&checks, site, request, &own);
	if (!first_refusing(&checks) || !ledger_glance(grant->user, &user) ||
	    memcmp(&own, &user, sizeof own) != 0)
		return false;
	if (grant->service && !ledger_glance(grant->service, &service))
		return false;
	list_checks(&checks, site, request, &own, grant->service ? &service : NULL);
	for (int i = 0; i < checks.n; i++)
		if (checks.list[i].layer == SESSION_LAYER_STORE_PER_SERVICE && refuses(&checks.list[i]))
			return false; /* the dead may be among them */
	explain(why, &checks, first_refusing(&checks));
	return true;
}

/* Half of what this grant leaves, so that others need not take it back at once. */
static struct ledger_spare spare_of(const struct checks *checks, bool of_service, uint64_t terms)
{
	struct ledger_spare spare = {SPARE_MAX, terms};

	for (const struct check *c = checks->list; c < checks->list + checks->n; c++) {
		uint64_t left = (c->allowed - c->held - 1) / 2;

		if (c->allowed != SETTING_NULL && left < spare.n &&
		    (c->layer == SESSION_LAYER_STORE_PER_SERVICE) == of_service)
			spare.n = (uint32_t)left;
	}
	return spare;
}

static int count(const struct grant *grant, const struct checks *checks, uint64_t terms,
    struct session_refusal *why, struct err *e)
{
	struct ledger_spare user = spare_of(checks, false, terms), service = spare_of(checks, true, terms);

	if (grant->user && ledger_add(grant->user, grant->which, &user, e) < 0)
		return grant_trouble(why, e);
	if (grant->service && ledger_add(grant->service, grant->which, &service, e) < 0) {
		if (grant->user)
			ledger_sub(grant->user, grant->which);
		return grant_trouble(why, e);
	}
	return 0;
}

/* What was set aside was judged by these settings, for such a request. */
static uint64_t terms_of(struct site *site, const struct session_request *request)
{
	uint64_t h = registry_generation(site) * 2 + request->administrator;

	for (const char *c = request->policy; c && *c; c++)
		h = (h ^ (unsigned char)*c) * 0x9e3779b97f4a7c15u;
	return h;
}

/* Without a lock.  The user's comes last, since it is he who comes to his limit: nothing is taken for a moment only. */
static bool take(const struct grant *grant, uint64_t terms)
{
	if ((grant->user && !ledger_could_take(grant->user, grant->which, terms)) ||
	    (grant->service && !ledger_take(grant->service, grant->which, terms)))
		return false;
	if (!grant->user || ledger_take(grant->user, grant->which, terms))
		return true;
	if (grant->service)
		ledger_sub(grant->service, grant->which);
	return false;
}

static int judge_and_count(struct site *site, const struct session_request *request,
    const struct grant *grant, uint64_t terms, struct session_refusal *why, struct err *e)
{
	struct checks checks;
	int r;

	if (lock_files(grant, request->no_wait ? 0 : LOCK_WAIT_MS, e) < 0)
		return grant_trouble(why, e);
	r = judge(site, request, grant, &checks, why, e);
	if (r == 0)
		r = count(grant, &checks, terms, why, e);
	unlock_files(grant);
	return r;
}

int grant_acquire(struct site *site, const struct session_request *request,
    struct grant *grant_r, struct session_refusal *why, struct err *e)
{
	struct grant grant = {.which = request->service};
	uint64_t terms = terms_of(site, request);
	int r;

	if (open_files(site_ledger(site), request, &grant, e) < 0) {
		put_files(&grant);
		return grant_trouble(why, e);
	}
	if (take(&grant, terms))
		r = 0;
	else if (refused_by_own(site, request, &grant, why))
		r = err_set(e, ERR_LIMIT, "%s", why->explain);
	else
		r = judge_and_count(site, request, &grant, terms, why, e);
	if (r < 0)
		put_files(&grant);
	else
		*grant_r = grant;
	return r;
}

void grant_release(struct grant *grant)
{
	if (grant->service)
		ledger_sub(grant->service, grant->which);
	if (grant->user)
		ledger_sub(grant->user, grant->which);
	put_files(grant);
}

bool grant_would_refuse(struct site *site, const struct session_request *request,
    struct session_refusal *why)
{
	struct ledger_key user_key = {LEDGER_USER, request->actor.n};
	struct ledger_key service_key = {LEDGER_SERVICE, request->service};
	bool has_user = counts_for_user(request->service);
	bool has_service = counts_for_service(request->service);
	struct ledger_counts user, service;
	const struct check *told;
	struct checks checks;
	struct err e;

	if ((has_user && ledger_peek(site_ledger(site), user_key, &user, &e) < 0) ||
	    (has_service && ledger_peek(site_ledger(site), service_key, &service, &e) < 0)) {
		grant_trouble(why, &e);
		return true;
	}
	list_checks(&checks, site, request, has_user ? &user : NULL,
	    has_service ? &service : NULL);
	told = first_refusing(&checks);
	if (told)
		explain(why, &checks, told);
	return told != NULL;
}

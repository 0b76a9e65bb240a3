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
#include "limits/explain.h"
#include "limits/policy.h"
#include "limits/registry.h"
#include "limits/site_priv.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

/* A holder of the mutex that was stopped must not block the rest for ever. */
#define LOCK_WAIT_MS 2000
/* What a process may have set aside at a time: more than one user's tools open at once, mostly. */
#define SPARE_MAX 16

struct checks {
	struct session_check list[SESSION_CHECKS_MAX];
	size_t n;
};

/* By which settings: a site's, some of them as if they were others. */
struct terms {
	struct site *site;
	const struct session_term *instead;
	size_t instead_n;
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

static bool counts_for_service(enum session_service service)
{
	return session_service_class(service) != SESSION_CLASS_ADMIN;
}

static void count_user(const struct ledger_counts *counts, uint64_t *all_r, uint64_t *service_r)
{
	*all_r = *service_r = 0;
	for (int i = 0; i < SESSION_SERVICES_N; i++) {
		enum session_class class = session_service_class((enum session_service)i);

		if (session_counts_for_user((enum session_service)i))
			*all_r += counts->n[i];
		if (class == SESSION_CLASS_SERVICE)
			*service_r += counts->n[i];
	}
}

/* 4294967295 is "null", unlimited, in a policy; elsewhere it is only a number nobody reaches. */
static void add(struct checks *checks, enum session_layer layer, enum setting setting, uint32_t value,
    uint64_t held)
{
	checks->list[checks->n++] = (struct session_check){.layer = layer, .setting = setting,
	    .value = value, .held = held < UINT32_MAX ? (uint32_t)held : UINT32_MAX,
	    .refuses = value != SETTING_NULL && held >= value};
}

static const struct session_term *find_instead(const struct terms *terms, enum setting setting)
{
	for (size_t i = 0; i < terms->instead_n; i++)
		if (terms->instead[i].setting == setting)
			return &terms->instead[i];
	return NULL;
}

static uint32_t value_of(const struct terms *terms, enum setting setting)
{
	const struct session_term *instead = find_instead(terms, setting);

	return instead ? instead->value : setting_get(terms->site, setting);
}

static void add_setting(struct checks *checks, const struct terms *terms, enum session_layer layer,
    enum setting setting, uint64_t held)
{
	add(checks, layer, setting, value_of(terms, setting), held);
}

static void list_store_checks(struct checks *checks, const struct terms *terms,
    const struct session_request *request, const struct ledger_counts *user)
{
	bool lifted = value_of(terms, SETTING_DISABLE_SESSION_LIMIT) == 1;
	uint64_t all, service;

	count_user(user, &all, &service);
	if (request->administrator || !lifted)
		add_setting(checks, terms, SESSION_LAYER_STORE_USER, session_limit_of_all(request->administrator), all);
	if (!lifted && session_service_class(request->service) == SESSION_CLASS_SERVICE)
		add_setting(checks, terms, SESSION_LAYER_STORE_SERVICE,
		    SETTING_SERVICE_SESSIONS_PER_USER, service);
}

static uint32_t policy_of(const struct terms *terms, const char *policy, enum setting setting)
{
	const struct session_term *instead = find_instead(terms, setting);

	return instead ? instead->value : policy_value(terms->site, policy, setting);
}

static void list_front_checks(struct checks *checks, const struct terms *terms,
    const struct session_request *request, const struct ledger_counts *user)
{
	enum setting setting;

	if (services[request->service].connections_per_user >= 0)
		add_setting(checks, terms, SESSION_LAYER_PROTOCOL,
		    (enum setting)services[request->service].connections_per_user,
		    user->n[request->service]);
	if (!services[request->service].policy_counts_sessions ||
	    !policy_concurrency(request->service, &setting))
		return;
	add(checks, SESSION_LAYER_POLICY, setting, policy_of(terms, request->policy, setting),
	    user->n[request->service]);
	checks->list[checks->n - 1].policy = request->policy;
}

static void list_checks_by(struct checks *checks, const struct terms *terms,
    const struct session_request *request, const struct ledger_counts *user,
    const struct ledger_counts *service)
{
	checks->n = 0;
	if (user)
		list_store_checks(checks, terms, request, user);
	if (service)
		add_setting(checks, terms, SESSION_LAYER_STORE_PER_SERVICE,
		    SETTING_SESSIONS_PER_SERVICE, service->n[request->service]);
	if (user)
		list_front_checks(checks, terms, request, user);
}

static void list_checks(struct checks *checks, struct site *site,
    const struct session_request *request, const struct ledger_counts *user,
    const struct ledger_counts *service)
{
	list_checks_by(checks, &(struct terms){.site = site}, request, user, service);
}

static void explain(struct session_refusal *why, const struct checks *checks,
    const struct session_check *told)
{
	*why = (struct session_refusal){
	    .layer = told->layer, .value = told->value, .held = told->held};
	snprintf(why->limit, sizeof why->limit, "%s", setting_rows[told->setting].name);
	explain_refusal(checks->list, checks->n, why->explain, sizeof why->explain);
}

int grant_trouble(struct session_refusal *why, struct err *e)
{
	*why = (struct session_refusal){.layer = SESSION_LAYER_TROUBLE};
	snprintf(why->limit, sizeof why->limit, "none");
	snprintf(why->explain, sizeof why->explain, "sessions can't be counted now: %s", err_text(e->code));
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

	if (session_counts_for_user(request->service) && ledger_get(ledger, user, &grant->user, e) < 0)
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

	for (size_t i = 0; i < checks->n; i++) {
		if (!checks->list[i].refuses)
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
	const struct session_check *told;

	list_checks(checks, site, request, total(grant->user), total(grant->service));
	if (!session_check_refusing(checks->list, checks->n))
		return 0;
	if (settle(checks, grant, e) < 0)
		return grant_trouble(why, e);
	list_checks(checks, site, request, total(grant->user), total(grant->service));
	told = session_check_refusing(checks->list, checks->n);
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
	list_store_checks(&checks, &(struct terms){.site = site}, request, &own);
	if (!session_check_refusing(checks.list, checks.n) || !ledger_glance(grant->user, &user) ||
	    memcmp(&own, &user, sizeof own) != 0)
		return false;
	if (grant->service && !ledger_glance(grant->service, &service))
		return false;
	list_checks(&checks, site, request, &own, grant->service ? &service : NULL);
	for (size_t i = 0; i < checks.n; i++)
		if (checks.list[i].layer == SESSION_LAYER_STORE_PER_SERVICE && checks.list[i].refuses)
			return false; /* the dead may be among them */
	explain(why, &checks, session_check_refusing(checks.list, checks.n));
	return true;
}

/* Half of what this grant leaves, so that others need not take it back at once. */
static struct ledger_spare spare_of(const struct checks *checks, bool of_service, uint64_t terms)
{
	struct ledger_spare spare = {SPARE_MAX, terms};

	for (const struct session_check *c = checks->list; c < checks->list + checks->n; c++) {
		uint32_t left = (c->value - c->held - 1) / 2;

		if (c->value != SETTING_NULL && left < spare.n &&
		    (c->layer == SESSION_LAYER_STORE_PER_SERVICE) == of_service)
			spare.n = left;
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

static int list_now(struct site *site, const struct session_request *request, struct checks *checks,
    struct err *e)
{
	struct ledger_key user_key = {LEDGER_USER, request->actor.n};
	struct ledger_key service_key = {LEDGER_SERVICE, request->service};
	bool has_user = session_counts_for_user(request->service);
	bool has_service = counts_for_service(request->service);
	struct ledger_counts user, service;

	if ((has_user && ledger_peek(site_ledger(site), user_key, &user, e) < 0) ||
	    (has_service && ledger_peek(site_ledger(site), service_key, &service, e) < 0))
		return -1;
	list_checks(checks, site, request, has_user ? &user : NULL, has_service ? &service : NULL);
	return 0;
}

bool grant_would_refuse(struct site *site, const struct session_request *request,
    struct session_refusal *why)
{
	const struct session_check *told;
	struct checks checks;
	struct err e;

	if (list_now(site, request, &checks, &e) < 0) {
		grant_trouble(why, &e);
		return true;
	}
	told = session_check_refusing(checks.list, checks.n);
	if (told)
		explain(why, &checks, told);
	return told != NULL;
}

int grant_checks(struct site *site, const struct session_request *request,
    struct session_check checks_r[SESSION_CHECKS_MAX], size_t *n_r, struct err *e)
{
	struct checks checks;

	if (list_now(site, request, &checks, e) < 0)
		return -1;
	memcpy(checks_r, checks.list, checks.n * sizeof *checks_r);
	*n_r = checks.n;
	return 0;
}

size_t grant_judge(struct site *site, const struct session_term *instead, size_t instead_n,
    const struct session_request *request, const struct ledger_counts *user, const struct ledger_counts *service,
    struct session_check checks_r[SESSION_CHECKS_MAX])
{
	struct checks checks;

	list_checks_by(&checks, &(struct terms){site, instead, instead_n}, request,
	    session_counts_for_user(request->service) ? user : NULL, counts_for_service(request->service) ? service : NULL);
	memcpy(checks_r, checks.list, checks.n * sizeof *checks_r);
	return checks.n;
}

/*
 * limits/session.c - a session's life: granted, listed, charged, ended, released.
 *
 * The count in the ledger comes first and goes first: a row of the roster without a count would only
 * mislead a reader for an instant, a count without a row could not be found and ended.
 */
#include "limits/session.h"
#include "limits/event_priv.h"
#include "limits/explain.h"
#include "limits/grant.h"
#include "limits/ledger.h"
#include "limits/registry.h"
#include "limits/registry_priv.h"
#include "limits/roster.h"
#include "limits/site_priv.h"
#include "limits/tally.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session {
	struct site *site;
	struct grant grant;
	struct user_id actor, mailbox;
	enum session_service service;
	void (*ended)(void *ended_arg);
	void *ended_arg;
	atomic_bool is_ended;
	atomic_uint objects[OBJT_N];

	uint32_t at; /* place in the roster */
	char id[ROSTER_ID_SIZE];
	pthread_mutex_t row_lock; /* the row in the roster: threads that touch */
	_Atomic int64_t touched_ms;

	/* What the row says; it is made anew each time, since sessions idle by the thousand. */
	int64_t opened_ms; /* boot */
	pid_t pid;
	bool is_tls;
	char *client, *open; /* NULL: not told */
	const char *peer, *command, *application, *mailbox_name; /* "" where there is none */
	char actor_name[]; /* and behind it the others */
};

#define TOUCH_EVERY_MS 1000

static const struct {
	const char *name;
	enum session_class class;
} services[SESSION_SERVICES_N] = {
#define SERVICE(id, name, class) [SESSION_##id] = {name, class},
#include "limits/service.tbl.h"
#undef SERVICE
};

const enum session_service session_doors[SESSION_DOORS_N] = {SESSION_FS, SESSION_IMAP4, SESSION_POP3};

static const char *const class_names[] = {
    [SESSION_CLASS_DIRECT] = "direct",
    [SESSION_CLASS_SERVICE] = "service",
    [SESSION_CLASS_TRANSPORT] = "transport",
    [SESSION_CLASS_ADMIN] = "admin",
};

static const enum setting object_settings[OBJT_N] = {
    [OBJT_MESSAGE] = SETTING_OBJT_MESSAGE, [OBJT_FOLDER] = SETTING_OBJT_FOLDER,
    [OBJT_ATTACHMENT] = SETTING_OBJT_ATTACHMENT, [OBJT_STREAM] = SETTING_OBJT_STREAM,
    [OBJT_NOTIFY] = SETTING_OBJT_NOTIFY,
};

const char *session_service_name(enum session_service service)
{
	return services[service].name;
}

int session_service_find(struct str_view name)
{
	for (int i = 0; i < SESSION_SERVICES_N; i++) {
		const char *known = session_service_name((enum session_service)i);

		if (str_equal_nocase(name, str_view(known, strlen(known))))
			return i;
	}
	return -1;
}

enum session_class session_service_class(enum session_service service)
{
	return services[service].class;
}

const char *session_class_name(enum session_class class)
{
	return class_names[class];
}

bool session_counts_for_user(enum session_service service)
{
	return services[service].class == SESSION_CLASS_DIRECT || services[service].class == SESSION_CLASS_SERVICE;
}

enum setting session_limit_of_all(bool is_administrator)
{
	return is_administrator ? SETTING_SESSIONS_PER_ADMINISTRATOR : SETTING_SESSIONS_PER_USER;
}

/* ---- what other processes ask for ---- */

static bool end_one(void *holder)
{
	struct session *session = holder;

	if (!session->ended)
		return false;
	session->is_ended = true;
	session->ended(session->ended_arg);
	return true;
}

static void rewrite_record(void *arg, unsigned kind, uint64_t n)
{
	if (kind <= LEDGER_SERVICE)
		ledger_rewrite(arg, (struct ledger_key){(enum ledger_kind)kind, n});
}

static void ask_rewrite(void *arg, struct ledger_key key)
{
	roster_ask_rewrite(arg, key.kind, key.n);
}

static void count_left(void *arg, uint64_t n)
{
	tally_reaped(arg, TALLY_KILLED, n);
}

void session_wire(struct site *site)
{
	roster_set_handlers(site_roster(site), end_one, rewrite_record, site_ledger(site));
	ledger_set_ask(site_ledger(site), ask_rewrite, site_roster(site));
	roster_set_left(site_roster(site), count_left, site_tally(site));
}

/* ---- acquire and release ---- */

/* Cuts at a character: a reader must not meet half of one. */
static size_t put_name(char *out, size_t size, const char *name)
{
	size_t n = strnlen(name, size - 1);

	while (n > 0 && name[n] != '\0' && ((unsigned char)name[n] & 0xc0) == 0x80)
		n--;
	memcpy(out, name, n);
	out[n] = '\0';
	return n;
}

/* One after the other, each cut where the room ends; each of the first ones leaves room for those behind it. */
static void put_texts(struct roster_row *row, const struct session *session)
{
	const char *texts[ROSTER_TEXTS_N] = {
	    [ROSTER_ACTOR] = session->actor_name,
	    [ROSTER_MAILBOX] = session->mailbox_name != session->actor_name ? session->mailbox_name : NULL,
	    [ROSTER_CLIENT] = session->client,
	    [ROSTER_OPEN] = session->open,
	    [ROSTER_APPLICATION] = session->application,
	};
	size_t at = 0;

	for (int i = 0; i < ROSTER_TEXTS_N; i++)
		at += put_name(row->texts + at, (sizeof row->texts - at) / (i + 1 < ROSTER_TEXTS_N ? 2 : 1),
			  texts[i] ? texts[i] : "") + 1;
}

static void fill_row(struct roster_row *row, const struct session *session)
{
	*row = (struct roster_row){
	    .actor = session->actor.n,
	    .mailbox = session->mailbox.n,
	    .opened_ms = session->opened_ms,
	    .active_ms = clock_boot_ms(),
	    .pid = session->pid,
	    .service = (uint16_t)session->service,
	    .is_tls = session->is_tls,
	};
	put_name(row->peer, sizeof row->peer, session->peer);
	put_name(row->command, sizeof row->command, session->command);
	put_texts(row, session);
}

/* Copies a text to *at, which moves on. */
static const char *keep(char **at, const char *text)
{
	char *kept = *at;

	*at = stpcpy(kept, text) + 1;
	return kept;
}

static struct session *new_session(struct site *site, const struct session_request *request)
{
	const char *peer = request->peer ? request->peer : "";
	const char *command = request->command ? request->command : "";
	const char *application = request->application ? request->application : "";
	bool is_same = strcmp(request->actor_name, request->mailbox_name) == 0;
	size_t texts_n = strlen(request->actor_name) + strlen(peer) + strlen(command) + strlen(application) + 4 +
	    (is_same ? 0 : strlen(request->mailbox_name) + 1);
	struct session *session = mem_alloc(sizeof *session + texts_n);
	char *at = session->actor_name;

	session->site = site;
	session->actor = request->actor;
	session->mailbox = request->mailbox;
	session->service = request->service;
	session->is_tls = request->is_tls;
	session->ended = request->ended;
	session->ended_arg = request->ended_arg;
	session->opened_ms = clock_boot_ms();
	/* 0 at the network doors: the holder's */
	if (session_service_class(request->service) != SESSION_CLASS_SERVICE)
		session->pid = request->pid;
	session->mailbox_name = keep(&at, request->actor_name);
	if (!is_same)
		session->mailbox_name = keep(&at, request->mailbox_name);
	session->peer = keep(&at, peer);
	session->command = keep(&at, command);
	session->application = keep(&at, application);
	pthread_mutex_init(&session->row_lock, NULL);
	return session;
}

static void free_session(struct session *session)
{
	pthread_mutex_destroy(&session->row_lock);
	free(session->client);
	free(session->open);
	free(session);
}

static bool is_store_layer(enum session_layer layer)
{
	return layer == SESSION_LAYER_STORE_USER || layer == SESSION_LAYER_STORE_SERVICE ||
	    layer == SESSION_LAYER_STORE_PER_SERVICE;
}

/* Event 9646 is the store's; the layers in front of it have no record there. */
void session_refused(struct site *site, const struct session_request *request, const struct session_refusal *why)
{
	tally_refused(site_tally(site), request->service, why->limit);
	if (is_store_layer(why->layer))
		event_log_refusal(site, &(struct event_refusal){.user = request->actor.n, .user_name = request->actor_name,
		    .setting = why->limit, .object = "session", .limit = why->value, .held = why->held,
		    .explain = why->explain});
}

int session_acquire(struct site *site, const struct session_request *request,
    struct session **session_r, struct session_refusal *why_r, struct err *e)
{
	struct session *session;
	struct roster_row row;
	struct grant grant;
	int64_t began_ns;

	CHECK(request->actor.n != 0 && request->actor_name && request->mailbox_name);
	if (site_is_forked(site)) {
		err_set(e, ERR_UNAVAILABLE, "a forked child has no sessions; open the store after fork");
		return grant_trouble(why_r, e);
	}
	registry_look(site);
	if (roster_join(site_roster(site), e) < 0)
		return grant_trouble(why_r, e);
	began_ns = tally_clock_ns();
	if (grant_acquire(site, request, &grant, why_r, e) < 0) {
		if (!request->is_first_try)
			session_refused(site, request, why_r);
		return -1;
	}
	tally_granted(site_tally(site), request->service, tally_clock_ns() - began_ns);
	session = new_session(site, request);
	session->grant = grant;
	fill_row(&row, session);
	if (roster_add(site_roster(site), &row, session, &session->at, session->id, e) < 0) {
		grant_release(&session->grant);
		free_session(session);
		return grant_trouble(why_r, e);
	}
	*session_r = session;
	return 0;
}

bool session_would_refuse(struct site *site, const struct session_request *request,
    struct session_refusal *why_r)
{
	return grant_would_refuse(site, request, why_r);
}

const struct session_check *session_check_refusing(const struct session_check *checks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (checks[i].refuses)
			return &checks[i];
	return NULL;
}

int session_checks(struct site *site, const struct session_request *request,
    struct session_check checks_r[SESSION_CHECKS_MAX], size_t *n_r, struct err *e)
{
	return grant_checks(site, request, checks_r, n_r, e);
}

const char *session_layer_name(enum session_layer layer)
{
	if (layer == SESSION_LAYER_PROTOCOL)
		return "protocol";
	if (layer == SESSION_LAYER_POLICY)
		return "policy";
	return is_store_layer(layer) ? "store" : "ledger";
}

void session_tell_reaped(struct session *session)
{
	log_info("session-reaped", "user=%s service=%s peer=%s session=%s", LOG_Q(session->actor_name),
	    session_service_name(session->service), session->peer, session->id);
	tally_reaped(site_tally(session->site), TALLY_SILENT, 1);
}

size_t session_judge(struct site *site, const struct session_term *instead, size_t instead_n,
    const struct session_request *request, const uint32_t held_by_user[SESSION_SERVICES_N], uint32_t held_by_service,
    struct session_check checks_r[SESSION_CHECKS_MAX])
{
	struct ledger_counts user = {{0}}, service = {{0}};

	for (int i = 0; i < SESSION_SERVICES_N; i++)
		user.n[i] = held_by_user[i];
	service.n[request->service] = held_by_service;
	return grant_judge(site, instead, instead_n, request, &user, &service, checks_r);
}

void session_release(struct session **session)
{
	struct session *s = *session;

	if (!s)
		return;
	*session = NULL;
	grant_release(&s->grant);
	roster_remove(site_roster(s->site), s->at);
	free_session(s);
}

/* Under row_lock. */
static void write_row(struct session *session)
{
	struct roster_row row;

	fill_row(&row, session);
	roster_update(site_roster(session->site), session->at, &row);
}

void session_touch(struct session *session)
{
	int64_t now_ms = clock_mono_ms();
	int64_t was_ms = session->touched_ms;

	if (now_ms - was_ms < TOUCH_EVERY_MS ||
	    !atomic_compare_exchange_strong(&session->touched_ms, &was_ms, now_ms))
		return;
	pthread_mutex_lock(&session->row_lock);
	write_row(session);
	pthread_mutex_unlock(&session->row_lock);
}

/* A text that is as it was is not written again: clients select the same folder all day. */
static void tell(struct session *session, char **at, const char *text)
{
	if (text && *at ? strcmp(text, *at) == 0 : !text && !*at)
		return;
	pthread_mutex_lock(&session->row_lock);
	free(*at);
	*at = text ? mem_str(text) : NULL;
	write_row(session);
	pthread_mutex_unlock(&session->row_lock);
}

void session_tell_client(struct session *session, const char *client)
{
	tell(session, &session->client, client);
}

void session_tell_open(struct session *session, const char *open)
{
	tell(session, &session->open, open);
}

bool session_is_ended(const struct session *session)
{
	return session->is_ended;
}

const char *session_id(const struct session *session)
{
	return session->id;
}

struct user_id session_actor(const struct session *session)
{
	return session->actor;
}

struct user_id session_mailbox(const struct session *session)
{
	return session->mailbox;
}

const char *session_actor_name(const struct session *session)
{
	return session->actor_name;
}

const char *session_mailbox_name(const struct session *session)
{
	return session->mailbox_name;
}

enum session_service session_service(const struct session *session)
{
	return session->service;
}

struct site *session_site(const struct session *session)
{
	return session->site;
}

/* ---- objects of a session ---- */

static int refuse_object(struct session *session, enum setting setting, uint32_t limit, uint32_t held, uint32_t asked,
    struct err *e)
{
	const char *name = setting_rows[setting].name;
	char text[SESSION_EXPLAIN_MAX];

	explain_object(setting, limit, held, asked, text, sizeof text);
	tally_refused(site_tally(session->site), session->service, name);
	event_log_refusal(session->site, &(struct event_refusal){.user = session->actor.n, .user_name = session->actor_name,
	    .setting = name, .object = name, .limit = limit, .held = held, .explain = text});
	return err_set(e, ERR_LIMIT, "%s is %u in one session, held %u, asked %u", name, limit, held, asked);
}

int session_charge(struct session *session, enum session_object object, uint32_t n, struct err *e)
{
	enum setting setting = object_settings[object];
	uint32_t limit = setting_get(session->site, setting);
	unsigned held = session->objects[object];

	do {
		if ((uint64_t)held + n > limit)
			return refuse_object(session, setting, limit, held, n, e);
	} while (!atomic_compare_exchange_weak(&session->objects[object], &held, held + n));
	return 0;
}

void session_uncharge(struct session *session, enum session_object object, uint32_t n)
{
	unsigned held = atomic_fetch_sub(&session->objects[object], n);

	CHECK(held >= n);
}

/* ---- lists ---- */

static void describe(struct session_info *info, const struct roster_entry *entry)
{
	const struct roster_row *row = &entry->row;
	bool is_network = services[row->service].class == SESSION_CLASS_SERVICE;
	const char *texts[ROSTER_TEXTS_N];

	texts[ROSTER_ACTOR] = row->texts;
	for (int i = 1; i < ROSTER_TEXTS_N; i++)
		texts[i] = texts[i - 1] + strlen(texts[i - 1]) + 1;
	*info = (struct session_info){
	    .actor_name = texts[ROSTER_ACTOR],
	    .mailbox_name = *texts[ROSTER_MAILBOX] ? texts[ROSTER_MAILBOX] : texts[ROSTER_ACTOR],
	    .client = *texts[ROSTER_CLIENT] ? texts[ROSTER_CLIENT] : NULL,
	    .open = *texts[ROSTER_OPEN] ? texts[ROSTER_OPEN] : NULL,
	    .application = *texts[ROSTER_APPLICATION] ? texts[ROSTER_APPLICATION] : NULL,
	    .is_tls = row->is_tls,
	    .actor = {row->actor},
	    .mailbox = {row->mailbox},
	    .service = (enum session_service)row->service,
	    .peer = *row->peer ? row->peer : NULL,
	    .command = *row->command ? row->command : NULL,
	    .pid = is_network ? entry->holder : row->pid,
	    .holder = entry->holder,
	    .opened_ms = clock_wall_of_boot(row->opened_ms),
	    .active_ms = clock_wall_of_boot(row->active_ms),
	    .idle_ms = clock_boot_ms() - row->active_ms,
	    .holder_stuck = entry->holder_stuck,
	};
	memcpy(info->id, entry->id, sizeof info->id);
}

static int by_age(const void *a, const void *b)
{
	const struct session_info *x = a, *y = b;

	if (x->opened_ms != y->opened_ms)
		return x->opened_ms < y->opened_ms ? -1 : 1;
	return strcmp(x->id, y->id);
}

int session_list(struct site *site, struct user_id actor, struct arena *arena,
    struct session_info **list_r, size_t *n_r, struct err *e)
{
	struct roster_entry *entries;
	struct session_info *list;
	size_t entries_n, n = 0;

	if (roster_list(site_roster(site), actor.n, arena, &entries, &entries_n, e) < 0)
		return -1;
	list = ARENA_ARRAY(arena, struct session_info, entries_n);
	for (size_t i = 0; i < entries_n; i++)
		if (entries[i].row.service < SESSION_SERVICES_N) /* a later version has more */
			describe(&list[n++], &entries[i]);
	if (n)
		qsort(list, n, sizeof *list, by_age);
	*list_r = list;
	*n_r = n;
	return 0;
}

int session_count(struct site *site, struct user_id actor, struct session_counts *counts_r,
    struct err *e)
{
	struct session_counts counts = {0};
	struct ledger_counts held;

	if (ledger_peek(site_ledger(site), (struct ledger_key){LEDGER_USER, actor.n}, &held, e) < 0)
		return -1;
	for (int i = 0; i < SESSION_SERVICES_N; i++) {
		counts.by_service[i] = (uint32_t)held.n[i];
		counts.all += (uint32_t)held.n[i];
		if (services[i].class == SESSION_CLASS_SERVICE)
			counts.service += (uint32_t)held.n[i];
	}
	*counts_r = counts;
	return 0;
}

void session_probe_by(struct site *site,
    void (*probe)(void *arg, struct user_id user, struct session_probe *found_r), void *arg)
{
	roster_set_probe(site_roster(site), probe, arg);
}

void session_probe(struct site *site, const struct user_id *users, size_t n, struct session_probe *found_r)
{
	CHECK(n <= SESSION_PROBE_MAX);
	roster_ask_probe(site_roster(site), users, n, found_r);
}

int session_end(struct site *site, const char *id, int64_t wait_ms, struct err *e)
{
	return roster_end(site_roster(site), id, wait_ms, e);
}

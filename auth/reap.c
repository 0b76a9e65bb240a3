/* auth/reap.c - logins that wait while it is found out whether the user's other peers live. */
#include "auth/reap.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "limits/registry.h"
#include "net/conn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define TICK_MS 50       /* whether there is room is looked at so often */
#define ASK_FIRST_MS 20  /* the processes are asked again: who lives has answered, if he is near */
#define ASK_EVERY_MS 250 /* ... after twice the time each, up to this */
#define RECENT_N 4096    /* users that were looked at lately; one pushes out another */

struct reap {
	struct net_server *server;
	uint64_t conn_id;
	struct session_request request; /* its strings are policy's and empty ones */
	char *policy;
	int64_t until_ms, ask_at_ms, ask_every_ms;
	atomic_bool is_done;
	struct reap *next;
};

struct recent {
	uint64_t user;
	int64_t until_ms;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct site *site; /* NULL: nobody serves */
	pthread_t thread;
	bool is_ending;
	struct reap *first;
	uint32_t waiting_n;
	struct recent recent[RECENT_N];
} reaping = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- this process's own peers ---- */

static void probe(void *arg, struct user_id user, struct session_probe *found_r)
{
	struct site *site = reaping.site;
	const struct net_probe_how how = {
	    .idle_ms = 1000 * setting_get(site, SETTING_PROBE_IDLE),
	    .probes = setting_get(site, SETTING_PROBE_COUNT),
	    .interval_s = setting_get(site, SETTING_PROBE_INTERVAL),
	    .kept_ms = 1000 * setting_get(site, SETTING_PROBE_KEPT),
	};
	struct net_probe found;

	net_probe(arg, user.n, &how, &found);
	*found_r = (struct session_probe){found.asked, found.ended, found.wait_ms};
}

/* ---- the thread; the lock is held but where it is said ---- */

static void finish(struct reap *reap)
{
	if (!atomic_exchange(&reap->is_done, true))
		net_wake(reap->server, reap->conn_id);
}

/* Those whose peers are to be asked about now. */
static size_t due(int64_t now, struct user_id users[SESSION_PROBE_MAX])
{
	size_t n = 0;

	for (struct reap *reap = reaping.first; reap && n < SESSION_PROBE_MAX; reap = reap->next)
		if (!reap->is_done && now >= reap->ask_at_ms) {
			users[n++] = reap->request.actor;
			reap->ask_at_ms = now + reap->ask_every_ms;
			reap->ask_every_ms = reap->ask_every_ms * 2 < ASK_EVERY_MS ? reap->ask_every_ms * 2 : ASK_EVERY_MS;
		}
	return n;
}

static struct reap *waiting_for(struct user_id user)
{
	struct reap *reap = reaping.first;

	while (reap && (reap->is_done || reap->request.actor.n != user.n))
		reap = reap->next;
	return reap;
}

/* Lets the lock go while it asks. */
static void ask(const struct user_id *users, size_t n)
{
	struct session_probe found[SESSION_PROBE_MAX];

	pthread_mutex_unlock(&reaping.lock);
	session_probe(reaping.site, users, n, found);
	pthread_mutex_lock(&reaping.lock);
	for (size_t i = 0; i < n; i++) {
		struct reap *reap = waiting_for(users[i]);

		if (reap && found[i].asked == 0)
			finish(reap);
	}
}

static void look_for_room(int64_t now)
{
	struct session_refusal why;

	for (struct reap *reap = reaping.first; reap; reap = reap->next)
		if (!reap->is_done && (now >= reap->until_ms ||
					  !session_would_refuse(reaping.site, &reap->request, &why)))
			finish(reap);
}

/* Until there is something to look at, or somebody comes. */
static void rest(void)
{
	int64_t tick = clock_mono_ms() + TICK_MS, then = INT64_MAX;

	for (const struct reap *reap = reaping.first; reap; reap = reap->next) {
		if (reap->is_done)
			continue;
		then = tick < then ? tick : then;
		then = reap->ask_at_ms < then ? reap->ask_at_ms : then;
	}
	if (then == INT64_MAX)
		pthread_cond_wait(&reaping.changed, &reaping.lock);
	else
		pthread_cond_timedwait(&reaping.changed, &reaping.lock,
		    &(struct timespec){then / 1000, then % 1000 * 1000000});
}

static void *look_around(void *arg)
{
	struct user_id users[SESSION_PROBE_MAX];

	pthread_mutex_lock(&reaping.lock);
	while (!reaping.is_ending) {
		size_t n = due(clock_mono_ms(), users);

		if (n > 0)
			ask(users, n);
		look_for_room(clock_mono_ms());
		if (n < SESSION_PROBE_MAX && !reaping.is_ending)
			rest();
	}
	pthread_mutex_unlock(&reaping.lock);
	return arg;
}

/* ---- begin and end ---- */

int reaping_begin(struct site *site, struct net_server *server, struct err *e)
{
	int sys;

	thread_cond_init(&reaping.changed);
	reaping.site = site;
	reaping.is_ending = false;
	sys = thread_start(&reaping.thread, look_around, NULL);
	if (sys != 0) {
		reaping.site = NULL;
		return err_sys(e, ERR_UNAVAILABLE, sys, "thread");
	}
	session_probe_by(site, probe, server);
	return 0;
}

void reaping_end(void)
{
	if (!reaping.site)
		return;
	session_probe_by(reaping.site, NULL, NULL);
	pthread_mutex_lock(&reaping.lock);
	reaping.is_ending = true;
	pthread_cond_signal(&reaping.changed);
	pthread_mutex_unlock(&reaping.lock);
	pthread_join(reaping.thread, NULL);
	pthread_cond_destroy(&reaping.changed);
	reaping.site = NULL;
}

/* ---- a login ---- */

static struct recent *recent_of(struct user_id user)
{
	_Static_assert(RECENT_N == 1 << 12, "the hash's upper bits are a place");
	return &reaping.recent[user.n * 0x9e3779b97f4a7c15u >> 52];
}

/* False: somebody waits for this user's already, or did lately. */
static bool take_turn(struct user_id user, int64_t until_ms)
{
	struct recent *recent = recent_of(user);

	if (recent->user == user.n && clock_mono_ms() < recent->until_ms)
		return false;
	if (reaping.waiting_n >= setting_get(reaping.site, SETTING_PROBE_LOGINS) || waiting_for(user))
		return false;
	*recent = (struct recent){user.n, until_ms};
	return true;
}

static struct reap *make(struct conn *conn, const struct session_request *request, int64_t until_ms)
{
	struct reap *reap = mem_alloc(sizeof *reap);

	reap->server = conn_server(conn);
	reap->conn_id = conn_id(conn);
	reap->request = *request;
	reap->policy = request->policy ? mem_str(request->policy) : NULL;
	reap->request.policy = reap->policy;
	reap->request.actor_name = reap->request.mailbox_name = "";
	reap->request.peer = reap->request.command = reap->request.application = NULL;
	reap->until_ms = until_ms;
	reap->ask_every_ms = ASK_FIRST_MS;
	return reap;
}

struct reap *reap_new(struct site *site, struct conn *conn, const struct session_request *request)
{
	int64_t wait_ms = 1000 * (int64_t)setting_get(site, SETTING_PROBE_WAIT);
	int64_t until_ms = clock_mono_ms() + wait_ms;
	struct reap *reap = NULL;

	if (!reaping.site || wait_ms == 0)
		return NULL;
	pthread_mutex_lock(&reaping.lock);
	if (take_turn(request->actor, until_ms + 1000 * (int64_t)setting_get(site, SETTING_PROBE_KEPT))) {
		reap = make(conn, request, until_ms);
		reap->next = reaping.first;
		reaping.first = reap;
		reaping.waiting_n++;
		pthread_cond_signal(&reaping.changed);
	}
	pthread_mutex_unlock(&reaping.lock);
	if (reap)
		conn_hold_for(conn, wait_ms + 2 * ASK_EVERY_MS);
	return reap;
}

bool reap_is_done(const struct reap *reap)
{
	return reap->is_done || clock_mono_ms() >= reap->until_ms;
}

void reap_free(struct reap **reap)
{
	struct reap *r = *reap, **at = &reaping.first;
	struct recent *recent;

	if (!r)
		return;
	recent = recent_of(r->request.actor);
	pthread_mutex_lock(&reaping.lock);
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	reaping.waiting_n--;
	/* From now on its result is kept. */
	if (recent->user == r->request.actor.n)
		recent->until_ms = clock_mono_ms() + 1000 * (int64_t)setting_get(reaping.site, SETTING_PROBE_KEPT);
	pthread_mutex_unlock(&reaping.lock);
	free(r->policy);
	mem_free(reap);
}

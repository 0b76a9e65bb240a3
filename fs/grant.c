/* fs/grant.c - who opens, and whether there is a place left for him. */
#include "fs/grant.h"

#include "fs/err_map.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the opener ----------------------------------------------------------------------------- */

/* Whom a Unix account acts as, as long as the directory says what it said. */
struct actor {
	uid_t uid;
	bool is_known, is_user;
	uint64_t generation;
	struct user_id user;
	char *name, *policy;
	bool is_administrator;
};

#define ACTORS 64u
/* Used with the lead alone (fs/lead.h). */
static struct actor actors[ACTORS];

static void actor_learn(struct tree *t, struct actor *a, const char *account)
{
	struct directory_user user;
	struct arena arena = {0};
	struct err e;

	if (directory_user_by_account(t->site, account, &arena, &user, &e) == 0) {
		a->is_user = true;
		a->user = user.id;
		a->name = mem_str(user.name);
		a->policy = user.policy ? mem_str(user.policy) : NULL;
		a->is_administrator = directory_user_is_privileged(&user);
	} else if (e.code != ERR_NOTFOUND) {
		log_warn("opener-unknown", "account=%s %s", LOG_Q(account), log_err(&e));
	}
	arena_fini(&arena);
}

static void actor_init(struct tree *t, struct actor *a, uid_t uid)
{
	struct passwd pw, *found = NULL;
	char buf[4096];

	a->uid = uid;
	if (getpwuid_r(uid, &pw, buf, sizeof buf, &found) == 0 && found)
		actor_learn(t, a, pw.pw_name);
}

static void actor_fini(struct actor *a)
{
	free(a->name);
	free(a->policy);
}

static const struct actor *actor_of(struct tree *t, uid_t uid)
{
	struct actor *a = &actors[uid % ACTORS];
	uint64_t generation = directory_generation(t->site);

	if (a->is_known && a->uid == uid && a->generation == generation)
		return a;
	actor_fini(a);
	*a = (struct actor){.is_known = true, .generation = generation};
	actor_init(t, a, uid);
	return a;
}

/* The process of a thread: the kernel names the thread that called. */
static pid_t tgid_of(pid_t tid)
{
	char path[48], line[128];
	long tgid = 0;
	FILE *f;

	if (tid <= 0)
		return 0;
	/* Most callers are their process's first thread: then this signal, which is none, would arrive. */
	if (syscall(SYS_tgkill, tid, tid, 0) == 0)
		return tid;
	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	if (!(f = fopen(path, "re")))
		return 0;
	while (tgid == 0 && fgets(line, sizeof line, f))
		if (strncmp(line, "Tgid:", 5) == 0)
			tgid = strtol(line + 5, NULL, 10);
	fclose(f);
	return (pid_t)tgid;
}

/* A thread that opens, and /proc's file of its name: this one's and no later thread's of the same number, since
 * reading says ESRCH when it has ended. */
struct opener {
	pid_t tid, tgid;
	int comm_fd; /* 0: none */
	char comm[32];
	int64_t read_ms; /* when that was read */
};

#define OPENERS 16u
/* Who opens one file after the other is not asked each time for his name.  Within so short a time no thread gets
 * another's number; one that opens, runs another program and opens again may stand under the name it had. */
#define COMM_MS 10
/* Used with the lead alone: who opens one file opens the next. */
static struct opener openers[OPENERS];

static void opener_init(struct opener *o, pid_t tid)
{
	char path[48];
	int fd;

	*o = (struct opener){.tid = tid, .tgid = tgid_of(tid)};
	snprintf(path, sizeof path, "/proc/%d/comm", (int)tid);
	if (tid > 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
		o->comm_fd = fd;
}

static void opener_fini(struct opener *o)
{
	if (o->comm_fd > 0)
		close(o->comm_fd);
	o->comm_fd = 0;
}

static bool opener_read(struct opener *o)
{
	ssize_t n = o->comm_fd > 0 ? pread(o->comm_fd, o->comm, sizeof o->comm - 1, 0) : -1;

	if (n <= 0) {
		memcpy(o->comm, "?", 2);
		return false;
	}
	o->comm[n] = '\0';
	o->comm[strcspn(o->comm, "\n")] = '\0';
	return true;
}

static const struct opener *opener_of(pid_t tid, int64_t max_age_ms)
{
	struct opener *o = &openers[(unsigned)tid % OPENERS];
	int64_t now_ms = clock_mono_ms();

	if (o->tid == tid && now_ms - o->read_ms < max_age_ms)
		return o;
	if (o->tid != tid || !opener_read(o)) {
		opener_fini(o);
		opener_init(o, tid);
		opener_read(o);
	}
	o->read_ms = now_ms;
	return o;
}

static struct opener opener_once(pid_t tid)
{
	struct opener o;

	opener_init(&o, tid);
	opener_read(&o);
	opener_fini(&o);
	return o;
}

/* ---- the session ---------------------------------------------------------------------------- */

/* Whoever ends a session says so on a thread of limits/; the number outlives the handle. */
static _Atomic(struct tree *) mounted;

static void ended(void *arg)
{
	struct tree *t = atomic_load(&mounted);

	if (t)
		teller_end(t->teller, (uint64_t)(uintptr_t)arg);
}

static void tell_refusal(struct tree *t, const struct session_request *r,
    const struct session_refusal *why, const struct caller *who, const struct err *e)
{
	journal_say(t->journal, "refused",
	    "user=%s mailbox=%s uid=%u pid=%d comm=%s layer=%s limit=\"%s\" value=%u held=%u text=\"%s\"",
	    LOG_Q(r->actor_name), LOG_Q(r->mailbox_name), (unsigned)who->uid, (int)r->pid,
	    LOG_Q(r->command), session_layer_name(why->layer), why->limit, why->value, why->held,
	    why->explain[0] ? why->explain : e->what);
}

static int take_session(struct tree *t, struct mailbox *mb, const struct actor *actor,
    const struct caller *who, struct handle *h, struct lane **busy_r)
{
	struct session_refusal why = {0};
	struct session_request r = {.no_wait = busy_r, .service = SESSION_FS, .actor = mb->user, .mailbox = mb->user,
	    .actor_name = mb->name, .mailbox_name = mb->name, .ended = ended,
	    .ended_arg = (void *)(uintptr_t)h->id};
	struct opener opener = busy_r ? *opener_of(who->tid, COMM_MS) : opener_once(who->tid);
	struct err e = {0};

	r.pid = opener.tgid;
	r.command = opener.comm;
	if (actor->is_user) {
		r.actor = actor->user;
		r.actor_name = actor->name;
		r.policy = actor->policy;
		r.administrator = actor->is_administrator;
	}
	atomic_store(&mounted, t);
	if (session_acquire(t->site, &r, &h->session, &why, &e) == 0)
		return 0;
	if (busy_r && e.code == ERR_BUSY) {
		*busy_r = &mb->lane;
	} else {
		if (busy_r)
			r.command = opener_of(who->tid, 0)->comm;
		tell_refusal(t, &r, &why, who, &e);
	}
	return fs_errno(&e);
}

/* ---- handles under sys/ ----------------------------------------------------------------------- */

struct sys_uid {
	uid_t uid;
	unsigned n;
};

/* They are no sessions, but not for nothing either: a cap per uid, root's being four times that. */
static int sys_take(struct tree *t, uid_t uid, int step)
{
	unsigned cap = setting_get(t->site, SETTING_FS_SYS_HANDLES);
	struct sys_uid *at = NULL;
	int err = 0;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->sys_uids_n; i++)
		if (t->sys_uids[i].uid == uid || (!at && t->sys_uids[i].n == 0)) {
			at = &t->sys_uids[i];
			if (at->uid == uid)
				break;
		}
	if (!at) {
		t->sys_uids = mem_realloc(t->sys_uids, (t->sys_uids_n + 1) * sizeof *t->sys_uids);
		at = &t->sys_uids[t->sys_uids_n++];
		*at = (struct sys_uid){uid, 0};
	}
	at->uid = uid;
	if (step < 0)
		at->n--;
	else if (at->n >= (uid == 0 ? cap * 4 : cap))
		err = EMFILE;
	else
		at->n++;
	pthread_mutex_unlock(&t->lock);
	return err;
}

/* ---- opening and closing ---------------------------------------------------------------------- */

static int take_own_session(struct tree *t, struct mailbox *mb, const struct caller *who,
    struct handle *h)
{
	struct actor actor = {0};
	int err;

	actor_init(t, &actor, who->uid);
	err = take_session(t, mb, &actor, who, h, NULL);
	actor_fini(&actor);
	return err;
}

static int open_either(struct tree *t, struct node n, const struct caller *who, struct handle **h_r,
    struct lane **busy_r)
{
	const struct node_row *row = node_rows[n.kind];
	struct fs_folder *f = row && row->folder ? row->folder(t, n) : NULL;
	struct handle *h;
	int err;

	if (!row || (row->is_session && !f))
		return ESTALE;
	if (!(h = handle_new(t, n, who->uid)))
		return ENFILE;
	if (row->is_session && busy_r) {
		err = take_session(t, f->mailbox, actor_of(t, who->uid), who, h, busy_r);
	} else if (row->is_session) {
		err = take_own_session(t, f->mailbox, who, h);
	} else {
		err = sys_take(t, who->uid, 1);
		h->is_sys = err == 0;
	}
	if (err) {
		handle_put(t, h);
		return err;
	}
	*h_r = h;
	return 0;
}

int grant_open(struct tree *t, struct node n, const struct caller *who, struct handle **h_r)
{
	return open_either(t, n, who, h_r, NULL);
}

int grant_try_open(struct tree *t, struct node n, const struct caller *who, struct handle **h_r,
    struct lane **busy_r)
{
	*busy_r = NULL;
	return open_either(t, n, who, h_r, busy_r);
}

void grant_close(struct tree *t, struct handle *h)
{
	const struct node_row *row = node_rows[h->node.kind];

	if (row->closing)
		row->closing(t, h);
	shown_close(h);
	if (h->is_sys)
		sys_take(t, h->uid, -1);
	h->is_sys = false;
	handle_end_session(h, false);
}

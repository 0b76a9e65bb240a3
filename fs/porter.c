/*
 * fs/porter.c - a thread, a socket, and the processes that serve people's own mounts.
 *
 * The guest says `mount OPTIONS`; `ok USER` or `no REASON` is the answer.  Then he mounts, and says `take` with the
 * descriptor; `ready` or `no REASON`.  His end of the socket stays open as long as the mount is served: the process
 * that serves it holds the other.  One thread starts them all, since they end with the thread that started them.
 */
#include "fs/porter.h"

#include "fs/only.h"
#include "fs/options.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/handover.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/notify.h"
#include "base/thread.h"
#include "limits/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUESTS_AT_ONCE 16u /* that are not served yet */
#define GUESTS_OF_ONE 4u
#define STEP_MS 10000      /* for each thing he has to do */
#define READY_MS 60000
#define STOP_STEPS 100
#define STOP_STEP_NS 50000000
/* What a process that serves finds its descriptors as. */
enum { CHILD_FUSE = 3, CHILD_KEEP = 4 };

struct guest {
	struct handover_peer who;
	int fd;           /* -1: he is served, or gone */
	bool has_asked;
	int64_t until_ms; /* while fd is open */
	char options[HANDOVER_TEXT_MAX];
	pid_t pid;        /* of the process that serves him; 0: none yet */
	int pid_fd;
};

struct porter {
	struct site *site;
	int listen_fd, stop_fd;
	struct notify_listener ready;
	pthread_t thread;
	struct guest **guests;
	size_t n, size;
	struct pollfd *set;
};

/* ---- guests ---------------------------------------------------------------------------------- */

static void say(struct guest *g, const char *text)
{
	struct err e;

	/* Who does not listen is hung up on by and by. */
	if (handover_send(g->fd, text, -1, &e) < 0)
		log_debug("guest-deaf", "uid=%u %s", (unsigned)g->who.uid, log_err(&e));
}

static void hang_up(struct guest *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

static void refuse(struct guest *g, const char *why)
{
	char text[HANDOVER_TEXT_MAX];

	snprintf(text, sizeof text, "no %s", why);
	log_info("user-mount-refused", "uid=%u pid=%d text=\"%s\"", (unsigned)g->who.uid, (int)g->who.pid, why);
	say(g, text);
	hang_up(g);
}

/* NULL when there may be one more; else why not. */
static const char *house_is_full(const struct porter *p, const struct guest *g)
{
	size_t his = 0;

	for (size_t i = 0; i < p->n; i++)
		his += p->guests[i] != g && p->guests[i]->who.uid == g->who.uid;
	if (his >= setting_get(p->site, SETTING_FS_USER_MOUNTS_EACH))
		return "you have as many mounts as one account may (UserMountsPerAccount)";
	if (p->n > setting_get(p->site, SETTING_FS_USER_MOUNTS))
		return "there are as many mounts of users as may be (UserMounts)";
	return NULL;
}

/* Who has connected, and is not served yet; of one account, or of all. */
static size_t waiting(const struct porter *p, const uid_t *uid)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->guests[i]->fd >= 0 && (!uid || p->guests[i]->who.uid == *uid);
	return n;
}

/* One account does not fill the hall for all. */
static void welcome(struct porter *p)
{
	struct guest *g = mem_alloc(sizeof *g);

	*g = (struct guest){.pid_fd = -1, .until_ms = clock_mono_ms() + STEP_MS};
	g->fd = handover_accept(p->listen_fd, &g->who);
	if (g->fd < 0 || waiting(p, &g->who.uid) >= GUESTS_OF_ONE) {
		hang_up(g);
		free(g);
		return;
	}
	if (p->n == p->size) {
		p->size = p->size ? p->size * 2 : 16;
		p->guests = mem_realloc(p->guests, p->size * sizeof *p->guests);
		p->set = mem_realloc(p->set, (3 + 2 * p->size) * sizeof *p->set);
	}
	p->guests[p->n++] = g;
}

static void goodbye(struct porter *p, size_t i)
{
	hang_up(p->guests[i]);
	if (p->guests[i]->pid_fd >= 0)
		close(p->guests[i]->pid_fd);
	free(p->guests[i]);
	p->guests[i] = p->guests[--p->n];
}

/* ---- serving --------------------------------------------------------------------------------- */

/* Nothing else is /dev/fuse: through a socket a guest could make up requests, and whom they are from. */
static bool is_fuse(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(10, 229);
}

/* Ours, with NOTIFY_SOCKET set to our listener; nothing of a supervisor's of ours. */
static char **environment(char *notify)
{
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = mem_alloc((n + 2) * sizeof *env);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "NOTIFY_SOCKET=", 14) != 0 && strncmp(environ[i], "WATCHDOG_", 9) != 0 &&
		    strncmp(environ[i], "LISTEN_", 7) != 0)
			env[kept++] = environ[i];
	env[kept] = notify;
	return env;
}

static int spawn(struct porter *p, struct guest *g, int fuse_fd)
{
	char uid[24], notify[64];
	const char *argv[] = {PROGRAM, "--store", site_dir(p->site), "--only-uid", uid, "--keep-fd", "4", "-o",
	    g->options, "/dev/fd/3", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	/* Away from where they are to be, so that neither takes the other's place. */
	int fuse_up = fcntl(fuse_fd, F_DUPFD_CLOEXEC, 10), keep_up = fcntl(g->fd, F_DUPFD_CLOEXEC, 10);
	sigset_t none;
	char **env;
	int err;

	snprintf(uid, sizeof uid, "%u", (unsigned)g->who.uid);
	snprintf(notify, sizeof notify, "NOTIFY_SOCKET=%s", p->ready.address);
	env = environment(notify);
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fuse_up, CHILD_FUSE);
	posix_spawn_file_actions_adddup2(&actions, keep_up, CHILD_KEEP);
	err = posix_spawn(&g->pid, "/proc/self/exe", &actions, &attr, (char *const *)argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	close(fuse_up);
	close(keep_up);
	free(env);
	if (err) {
		g->pid = 0;
		return err;
	}
	g->pid_fd = (int)syscall(SYS_pidfd_open, g->pid, 0);
	g->until_ms = clock_mono_ms() + READY_MS;
	return 0;
}

static void ask(struct porter *p, struct guest *g, const char *text)
{
	char answer[HANDOVER_TEXT_MAX];
	struct directory_user user;
	struct arena arena = {0};
	const char *full = house_is_full(p, g);
	struct err e;

	if (strncmp(text, "mount ", 6) != 0) {
		refuse(g, "that is no request");
	} else if (full) {
		refuse(g, full);
	} else if (!options_are_a_users(text + 6)) {
		refuse(g, "the options of one's own mount are eol=, rm=, names= and ro");
	} else if (only_find(p->site, g->who.uid, &arena, &user, &e) < 0) {
		refuse(g, e.what);
	} else {
		snprintf(g->options, sizeof g->options, "%s", text + 6);
		snprintf(answer, sizeof answer, "ok %s", user.name);
		g->has_asked = true;
		g->until_ms = clock_mono_ms() + STEP_MS;
		say(g, answer);
	}
	arena_fini(&arena);
}

/* The descriptor is the child's alone: one kept here would keep the mount from ending. */
static void hear(struct porter *p, struct guest *g)
{
	char text[HANDOVER_TEXT_MAX];
	int passed = -1, err;
	struct err e;

	if (g->pid || handover_receive(g->fd, 0, text, &passed, &e) < 0) {
		hang_up(g);
		return;
	}
	if (!g->has_asked)
		ask(p, g, text);
	else if (strcmp(text, "take") != 0 || !is_fuse(passed))
		refuse(g, "that is no descriptor of a mount");
	else if ((err = spawn(p, g, passed)))
		refuse(g, strerror(err));
	if (passed >= 0)
		close(passed);
}

static void hear_ready(struct porter *p)
{
	pid_t from;
	bool ready;

	while (notify_take(&p->ready, &from, &ready))
		for (size_t i = 0; ready && i < p->n; i++) {
			struct guest *g = p->guests[i];

			if (g->pid != from || g->fd < 0)
				continue;
			log_info("user-mount", "uid=%u pid=%d", (unsigned)g->who.uid, (int)g->pid);
			say(g, "ready");
			hang_up(g);
		}
}

/* ---- the thread ------------------------------------------------------------------------------ */

static nfds_t gather(struct porter *p)
{
	p->set[0] = (struct pollfd){p->stop_fd, POLLIN, 0};
	/* Those who come to a full hall wait outside. */
	p->set[1] = (struct pollfd){waiting(p, NULL) < GUESTS_AT_ONCE ? p->listen_fd : -1, POLLIN, 0};
	p->set[2] = (struct pollfd){p->ready.fd, POLLIN, 0};
	for (size_t i = 0; i < p->n; i++) {
		p->set[3 + 2 * i] = (struct pollfd){p->guests[i]->fd, POLLIN, 0};
		p->set[4 + 2 * i] = (struct pollfd){p->guests[i]->pid_fd, POLLIN, 0};
	}
	return 3 + 2 * p->n;
}

static int until_due_ms(const struct porter *p)
{
	int64_t now_ms = clock_mono_ms(), due_ms = INT64_MAX;

	for (size_t i = 0; i < p->n; i++)
		if (p->guests[i]->fd >= 0 && p->guests[i]->until_ms < due_ms)
			due_ms = p->guests[i]->until_ms;
	return due_ms == INT64_MAX ? -1 : due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void look_after(struct guest *g, bool ended)
{
	int status;

	if (ended && waitpid(g->pid, &status, WNOHANG) == g->pid) {
		log_info("user-mount-ended", "uid=%u pid=%d", (unsigned)g->who.uid, (int)g->pid);
		if (g->fd >= 0)
			refuse(g, "it could not be served; the log of postern-fs says why");
		g->pid = 0;
	}
	if (g->fd >= 0 && clock_mono_ms() >= g->until_ms) {
		refuse(g, "that took too long");
		if (g->pid)
			kill(g->pid, SIGKILL);
	}
}

static void *run(void *arg)
{
	struct porter *p = arg;

	for (;;) {
		size_t n = p->n; /* who comes meanwhile is not in the set */

		if (poll(p->set, gather(p), until_due_ms(p)) < 0)
			continue;
		if (p->set[0].revents)
			break;
		if (p->set[2].revents)
			hear_ready(p); /* before a death is seen, and a line that its guest hung up */
		for (size_t i = 0; i < n; i++) {
			if (p->set[3 + 2 * i].revents && p->guests[i]->fd >= 0)
				hear(p, p->guests[i]);
			look_after(p->guests[i], p->set[4 + 2 * i].revents);
		}
		for (size_t i = n; i-- > 0;)
			if (p->guests[i]->fd < 0 && p->guests[i]->pid == 0)
				goodbye(p, i);
		if (p->set[1].revents)
			welcome(p);
	}
	return NULL;
}

/* ---- its life --------------------------------------------------------------------------------- */

static int listen_as_told(struct site *site, struct porter *p, struct err *e)
{
	char own[HANDOVER_PATH_MAX];
	const char *path = site_conf(site, "mount", "socket", NULL);

	if (path && strcmp(path, "none") == 0)
		return err_set(e, ERR_UNAVAILABLE, "store.conf says `socket = none`");
	if (!path && handover_path_of(site_dir(site), own, e) < 0)
		return -1;
	return handover_listen(path ? path : own, &p->listen_fd, e);
}

struct porter *porter_start(struct site *site)
{
	struct porter *p = mem_alloc(sizeof *p);
	struct err e;

	p->site = site;
	p->listen_fd = p->ready.fd = -1;
	p->set = mem_alloc(3 * sizeof *p->set);
	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (p->stop_fd < 0 || listen_as_told(site, p, &e) < 0 || notify_listen(&p->ready, &e) < 0) {
		log_info("no-user-mounts", "%s", p->stop_fd < 0 ? "text=\"eventfd\"" : log_err(&e));
		if (p->listen_fd >= 0)
			close(p->listen_fd);
		if (p->stop_fd >= 0)
			close(p->stop_fd);
		free(p->set);
		free(p);
		return NULL;
	}
	CHECK(thread_start(&p->thread, run, p) == 0);
	return p;
}

/* They have been told: their thread is gone.  Who does not end in time is ended. */
static void wait_for_all(struct porter *p)
{
	const struct timespec step = {0, STOP_STEP_NS};

	for (size_t i = 0; i < p->n; i++)
		if (p->guests[i]->pid)
			kill(p->guests[i]->pid, SIGTERM);
	for (int i = 0; i <= STOP_STEPS && p->n > 0; i++) {
		for (size_t g = p->n; g-- > 0;)
			if (p->guests[g]->pid == 0 || waitpid(p->guests[g]->pid, NULL, WNOHANG) != 0)
				goodbye(p, g);
		if (p->n > 0)
			nanosleep(&step, NULL);
	}
	for (; p->n > 0; goodbye(p, 0))
		kill(p->guests[0]->pid, SIGKILL);
}

void porter_stop(struct porter **pp)
{
	struct porter *p = *pp;
	uint64_t one = 1;

	if (!p)
		return;
	CHECK(write(p->stop_fd, &one, sizeof one) == sizeof one);
	pthread_join(p->thread, NULL);
	wait_for_all(p);
	notify_listen_fini(&p->ready);
	close(p->listen_fd);
	close(p->stop_fd);
	free(p->guests);
	free(p->set);
	mem_free(pp);
}

/* fs/bell.c - the ringer, and the thread that paces it. */
#include "fs/bell.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS 1000
/* Directories that have rung within the last second; more of them are not rung for. */
#define DIRECTORIES_MAX 1024u

struct due {
	struct node dir;
	char *path; /* NULL: nothing since the last ring */
	int64_t at_ms;
	struct due *next;
};

struct bell {
	pid_t ringer;
	int to, from; /* pipes: a path, less than PIPE_BUF; an octet when it has rung */
	char *mountpoint;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t more;
	struct due *dues;
	unsigned dues_n;
	atomic_bool is_stopping;
	struct node hidden_dir; /* of the ring that is going on */
	char *hidden_name;      /* NULL: nothing is hidden, or no more */
};

/* ---- the ringer's own process ----------------------------------------------------------------- */

static void ring(const char *path)
{
	static const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};

	if (mknod(path, S_IFREG | 0600, 0) == 0 || errno == EEXIST)
		utimensat(AT_FDCWD, path, now, AT_SYMLINK_NOFOLLOW);
}

static _Noreturn void be_ringer(int from, int to)
{
	char path[PIPE_BUF];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "postern-bell");
	process_harden();
	signal(SIGINT, SIG_IGN); /* of a terminal: the daemon ends us */
	while ((n = read(from, path, sizeof path - 1)) > 0) {
		path[n] = '\0';
		ring(path);
		if (write(to, "", 1) != 1)
			break;
	}
	_exit(0);
}

/* ---- the daemon's side -------------------------------------------------------------------------- */

static void close_both(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

struct bell *bell_new(void)
{
	struct bell *b;
	int to[2], from[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) < 0)
		return NULL;
	if (pipe2(from, O_CLOEXEC) < 0) {
		close_both(to);
		return NULL;
	}
	if ((pid = fork()) == 0) {
		close(to[1]);
		close(from[0]);
		be_ringer(to[0], from[1]);
	}
	if (pid < 0) {
		close_both(to);
		close_both(from);
		return NULL;
	}
	close(to[0]);
	close(from[1]);
	b = mem_alloc(sizeof *b);
	b->ringer = pid;
	b->to = to[1];
	b->from = from[0];
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->more, NULL);
	return b;
}

static void free_due(struct bell *b, struct due **at)
{
	struct due *gone = *at;

	*at = gone->next;
	free(gone->path);
	free(gone);
	b->dues_n--;
}

/* The one that is due, or NULL and when to look again (INT64_MAX: at the next call).  Who has been silent for
 * a second is forgotten.  Locked. */
static struct due *next_due(struct bell *b, int64_t *again_r)
{
	int64_t now = clock_mono_ms();
	struct due **at = &b->dues;

	*again_r = INT64_MAX;
	while (*at) {
		struct due *due = *at;

		if (due->at_ms > now) {
			if (due->path && due->at_ms < *again_r)
				*again_r = due->at_ms;
			at = &due->next;
		} else if (due->path) {
			return due;
		} else {
			free_due(b, at);
		}
	}
	return NULL;
}

/* Until the ringer has done it, or can't be asked. */
static bool ring_and_wait(struct bell *b, const char *path)
{
	char full[PIPE_BUF], done;
	int n = snprintf(full, sizeof full, "%s/%s", b->mountpoint, path);

	if (n < 0 || n >= (int)sizeof full)
		return true;
	return write(b->to, full, (size_t)n) == n && read(b->from, &done, 1) == 1;
}

static void wait_for_more(struct bell *b, int64_t again_ms)
{
	struct timespec until;
	int64_t ms;

	if (again_ms == INT64_MAX) {
		pthread_cond_wait(&b->more, &b->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	ms = again_ms - clock_mono_ms() + until.tv_nsec / 1000000;
	until.tv_sec += ms / 1000;
	until.tv_nsec = ms % 1000 * 1000000;
	pthread_cond_clockwait(&b->more, &b->lock, CLOCK_MONOTONIC, &until);
}

static void *run(void *arg)
{
	struct bell *b = arg;
	bool is_well = true;
	int64_t again_ms;
	char *path;

	/* The ringer may be gone: write(2) then says so, as SIGPIPE is blocked. */
	pthread_mutex_lock(&b->lock);
	while (!atomic_load(&b->is_stopping) && is_well) {
		struct due *due = next_due(b, &again_ms);

		if (!due) {
			wait_for_more(b, again_ms);
			continue;
		}
		path = due->path;
		due->path = NULL;
		due->at_ms = clock_mono_ms() + EVERY_MS;
		b->hidden_dir = due->dir;
		b->hidden_name = strrchr(path, '/') + 1;
		pthread_mutex_unlock(&b->lock);
		is_well = ring_and_wait(b, path);
		pthread_mutex_lock(&b->lock);
		b->hidden_name = NULL;
		free(path);
	}
	if (!atomic_load(&b->is_stopping))
		log_warn("bell-silent", "text=\"its process is gone: watchers are not told of new mail\"");
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

void bell_start(struct bell *b, const char *mountpoint)
{
	if (!b)
		return;
	b->mountpoint = mem_str(mountpoint);
	b->has_thread = true;
	CHECK(thread_start(&b->thread, run, b) == 0);
}

void bell_stop(struct bell *b)
{
	if (!b || !b->has_thread)
		return;
	pthread_mutex_lock(&b->lock);
	atomic_store(&b->is_stopping, true);
	pthread_cond_signal(&b->more);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	b->has_thread = false;
}

void bell_free(struct bell **bp)
{
	struct bell *b = *bp;

	if (!b)
		return;
	bell_stop(b);
	close(b->to);
	close(b->from);
	kill(b->ringer, SIGKILL);
	waitpid(b->ringer, NULL, 0);
	while (b->dues)
		free_due(b, &b->dues);
	pthread_cond_destroy(&b->more);
	pthread_mutex_destroy(&b->lock);
	free(b->mountpoint);
	mem_free(bp);
}

static struct due *due_of(struct bell *b, struct node dir)
{
	struct due *due;

	for (due = b->dues; due; due = due->next)
		if (node_ino(due->dir) == node_ino(dir))
			return due;
	if (b->dues_n == DIRECTORIES_MAX)
		return NULL;
	due = mem_alloc(sizeof *due);
	due->dir = dir;
	due->next = b->dues;
	b->dues = due;
	b->dues_n++;
	return due;
}

void bell_ring(struct bell *b, struct node dir, const char *path)
{
	struct due *due;

	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	if (!atomic_load(&b->is_stopping) && (due = due_of(b, dir))) {
		free(due->path);
		due->path = mem_str(path);
		pthread_cond_signal(&b->more);
	}
	pthread_mutex_unlock(&b->lock);
}

bool bell_is_ringer(const struct bell *b, pid_t tid)
{
	return b && b->ringer == tid;
}

bool bell_hides(struct bell *b, pid_t tid, struct node dir, const char *name)
{
	bool hides;

	if (!bell_is_ringer(b, tid))
		return false;
	pthread_mutex_lock(&b->lock);
	hides = b->hidden_name && node_ino(b->hidden_dir) == node_ino(dir) &&
	    strcmp(b->hidden_name, name) == 0;
	if (hides)
		b->hidden_name = NULL;
	pthread_mutex_unlock(&b->lock);
	return hides;
}

/*
 * store/watch.c - who is told when a mailbox changes.
 *
 * One thread and one inotify descriptor per site (the kernel allows a user 128).  It hears the
 * doorbells that notice.c writes.  A writer that is killed between COMMIT and bell leaves it silent, so
 * every 30 s the thread looks where a WAL was written since, and rings for the dead.  Who is not
 * concerned is left asleep: ten thousand idle connections cost nothing until there is news.
 */
#include "store/change.h"

#include "store/mailbox_priv.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOW_POLL_MS 30000
#define RETRY_MS 1000
#define WATCHED_BUCKETS 1024

struct change_watch {
	struct watched *watched;
	struct change_watch *next;
	void (*rang)(void *arg);
	void *arg;
	bool is_calling;
};

/* A mailbox somebody watches. */
struct watched {
	struct mailbox *mailbox;
	int wd;
	struct watched *next; /* in its bucket */
	struct change_watch *watches;
	struct cell counter;
	struct stat wal; /* as the last slow poll saw it; zero: there was none */
	int64_t polled_ms;
	bool in_doubt; /* that look found a writer at work, and could not tell whether he will ring */
};

struct watcher {
	struct store_site *site;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t called; /* a watch's is_calling ended */
	int inotify_fd, stop_fd;
	int64_t begun_ms;
	struct watched *buckets[WATCHED_BUCKETS];
};

static struct watched **bucket_of(struct watcher *w, int wd)
{
	return &w->buckets[(unsigned)wd % WATCHED_BUCKETS];
}

/* Called and left with the lock, which is let go during a call: who is called may take locks of his
 * own.  change_unwatch waits for the call to end, so the watch stays valid meanwhile. */
static void ring(struct watcher *w, struct watched *of)
{
	struct change_watch *next;

	for (struct change_watch *watch = of->watches; watch; watch = next) {
		watch->is_calling = true;
		pthread_mutex_unlock(&w->lock);
		watch->rang(watch->arg);
		pthread_mutex_lock(&w->lock);
		watch->is_calling = false;
		next = watch->next;
		pthread_cond_broadcast(&w->called);
	}
}

static void ring_wd(struct watcher *w, int wd)
{
	for (struct watched *of = *bucket_of(w, wd); of; of = of->next)
		if (of->wd == wd) {
			ring(w, of);
			return; /* the list may have changed meanwhile */
		}
}

/* Whether the WAL was written since the last look.  Its time has the clock tick's grain: a WAL that
 * was young then may have been written again within the same tick.  Where it is empty, whoever closed
 * the database made up for a silent bell (mailbox.c), and a mailbox at rest is not opened for a look. */
static bool wal_moved(struct watched *of)
{
	char path[MAILBOX_PATH_SIZE];
	struct stat st = {0};
	int64_t now = clock_wall_ms();
	bool same, was_young;

	mailbox_path(of->mailbox, "mail.db-wal", path);
	if (stat(path, &st) < 0 || st.st_size == 0) {
		of->wal = (struct stat){0};
		of->polled_ms = now;
		return of->in_doubt;
	}
	same = st.st_ino == of->wal.st_ino && st.st_size == of->wal.st_size &&
	       st.st_mtim.tv_sec == of->wal.st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == of->wal.st_mtim.tv_nsec;
	was_young = of->polled_ms - (int64_t)st.st_mtim.tv_sec * 1000 < 2000;
	of->wal = st;
	of->polled_ms = now;
	return !same || was_young || of->in_doubt;
}

/* Writes the bell for a writer that died before it could.  DOUBT: somebody holds the writer lock, who
 * may ring himself, or be about something else.  Called without the watcher's lock. */
enum made_up { MADE_UP_NOTHING, MADE_UP_BELL, MADE_UP_DOUBT };

static enum made_up make_up(struct mailbox *mb)
{
	enum made_up result = MADE_UP_NOTHING;
	uint64_t modseq;
	struct err e;

	if (mailbox_modseq(mb, &modseq, &e) < 0 || modseq <= notice_read(mb))
		return MADE_UP_NOTHING;
	if (!mailbox_try_lock_writer(mb))
		return MADE_UP_DOUBT;
	if (mailbox_modseq(mb, &modseq, &e) == 0 && notice_make_up(mb, modseq))
		result = MADE_UP_BELL;
	mailbox_unlock_writer(mb);
	return result;
}

/* The users watched now: a slow poll takes them one by one, since the table moves meanwhile. */
static struct mailbox **list_watched(struct watcher *w, bool moved_only, size_t *n_r)
{
	struct mailbox **list = NULL;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < WATCHED_BUCKETS; i++)
		for (struct watched *of = w->buckets[i]; of; of = of->next) {
			if (moved_only && !wal_moved(of))
				continue;
			if (n == room) {
				room = room ? room * 2 : 64;
				list = mem_realloc(list, room * sizeof *list);
			}
			list[n++] = mailbox_acquire(w->site, of->mailbox->user);
		}
	*n_r = n;
	return list;
}

static struct watched *watched_find(struct watcher *w, const struct mailbox *mb)
{
	for (size_t i = 0; i < WATCHED_BUCKETS; i++)
		for (struct watched *of = w->buckets[i]; of; of = of->next)
			if (of->mailbox == mb)
				return of;
	return NULL;
}

/* Looks where a WAL moved, and rings for the dead; false: some are in doubt, look again soon.  Called
 * and left with the lock, which is let go while a mailbox is asked. */
static bool look_for_silent(struct watcher *w)
{
	bool settled = true;
	size_t n;
	struct mailbox **list = list_watched(w, true, &n);

	for (size_t i = 0; i < n; i++) {
		pthread_mutex_unlock(&w->lock);
		enum made_up made_up = make_up(list[i]);
		pthread_mutex_lock(&w->lock);
		struct watched *of = watched_find(w, list[i]);

		if (of) {
			of->in_doubt = made_up == MADE_UP_DOUBT;
			settled &= !of->in_doubt;
		}
		/* By hand too: a bell that could not be written (a full tmpfs) wakes nobody. */
		if (of && made_up == MADE_UP_BELL)
			ring(w, of);
		mailbox_release(&list[i]);
	}
	free(list);
	return settled;
}

static void ring_all(struct watcher *w)
{
	size_t n;
	struct mailbox **list = list_watched(w, false, &n);

	for (size_t i = 0; i < n; i++) {
		struct watched *of = watched_find(w, list[i]);

		if (of)
			ring(w, of);
		mailbox_release(&list[i]);
	}
	free(list);
}

static void take_events(struct watcher *w)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} buf;
	ssize_t n;

	while ((n = read(w->inotify_fd, &buf, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buf.bytes + at);

			at += (ssize_t)(sizeof *event + event->len);
			if (event->mask & IN_Q_OVERFLOW)
				ring_all(w);
			else
				ring_wd(w, event->wd);
		}
	}
}

static void *watcher_main(void *arg)
{
	struct watcher *w = arg;
	int64_t look_due = w->begun_ms + SLOW_POLL_MS;

	for (;;) {
		struct pollfd fds[] = {{.fd = w->inotify_fd, .events = POLLIN},
		    {.fd = w->stop_fd, .events = POLLIN}};
		int64_t now = clock_mono_ms();

		poll(fds, 2, look_due > now ? (int)(look_due - now) : 0);
		if (fds[1].revents)
			return NULL;
		pthread_mutex_lock(&w->lock);
		take_events(w);
		now = clock_mono_ms();
		if (now >= look_due)
			look_due = now + (look_for_silent(w) ? SLOW_POLL_MS : RETRY_MS);
		pthread_mutex_unlock(&w->lock);
	}
}

static struct watcher *watcher_of(struct store_site *ss, struct err *e)
{
	struct watcher *w;

	pthread_mutex_lock(&ss->lock);
	w = ss->watcher;
	if (!w) {
		w = mem_alloc(sizeof *w);
		w->site = ss;
		w->begun_ms = clock_mono_ms();
		pthread_mutex_init(&w->lock, NULL);
		pthread_cond_init(&w->called, NULL);
		w->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		w->stop_fd = eventfd(0, EFD_CLOEXEC);
		if (w->inotify_fd >= 0 && w->stop_fd >= 0 &&
		    thread_start(&w->thread, watcher_main, w) == 0) {
			ss->watcher = w;
		} else {
			err_sys(e, ERR_UNAVAILABLE, errno, "inotify");
			if (w->inotify_fd >= 0)
				close(w->inotify_fd);
			if (w->stop_fd >= 0)
				close(w->stop_fd);
			mem_free(&w);
		}
	}
	pthread_mutex_unlock(&ss->lock);
	return w;
}

void watcher_stop(struct store_site *ss)
{
	struct watcher *w = ss->watcher;
	uint64_t one = 1;

	if (!w)
		return;
	CHECK(write(w->stop_fd, &one, sizeof one) == sizeof one);
	pthread_join(w->thread, NULL);
	for (size_t i = 0; i < WATCHED_BUCKETS; i++)
		CHECK(!w->buckets[i]); /* every watch was given back */
	close(w->inotify_fd);
	close(w->stop_fd);
	pthread_cond_destroy(&w->called);
	pthread_mutex_destroy(&w->lock);
	mem_free(&ss->watcher);
}

/* The watched mailbox of a descriptor, made at its first watch.  Takes the count of mb. */
static struct watched *watched_of(struct watcher *w, int wd, struct mailbox *mb)
{
	struct watched *of = *bucket_of(w, wd);

	while (of && of->wd != wd)
		of = of->next;
	if (of) {
		mailbox_release(&mb);
		return of;
	}
	of = mem_alloc(sizeof *of);
	of->mailbox = mb;
	of->wd = wd;
	of->next = *bucket_of(w, wd);
	*bucket_of(w, wd) = of;
	return of;
}

int change_watch(struct site *site, struct user_id user, void (*rang)(void *arg), void *arg,
    struct change_watch **watch_r, struct err *e)
{
	struct change_watch *watch;
	struct store_site *ss;
	struct mailbox *mb;
	struct watcher *w;
	char path[64];
	int wd;

	if (store_site_get(site, &ss, e) < 0 || !(w = watcher_of(ss, e)))
		return -1;
	mb = mailbox_acquire(ss, user);
	notice_read(mb); /* makes the file */
	snprintf(path, sizeof path, "/proc/self/fd/%d/%016" PRIx64, ss->notice_fd, user.n);
	pthread_mutex_lock(&w->lock);
	wd = inotify_add_watch(w->inotify_fd, path, IN_MODIFY);
	if (wd < 0) {
		err_sys(e, ERR_UNAVAILABLE, errno, "watch %s", path);
		pthread_mutex_unlock(&w->lock);
		mailbox_release(&mb);
		return -1;
	}
	watch = mem_alloc(sizeof *watch);
	watch->rang = rang;
	watch->arg = arg;
	watch->watched = watched_of(w, wd, mb);
	watch->next = watch->watched->watches;
	watch->watched->watches = watch;
	pthread_mutex_unlock(&w->lock);
	*watch_r = watch;
	return 0;
}

/* Nobody watches this mailbox any more. */
static void forget(struct watcher *w, struct watched *of)
{
	struct watched **at = bucket_of(w, of->wd);

	while (*at != of)
		at = &(*at)->next;
	*at = of->next;
	inotify_rm_watch(w->inotify_fd, of->wd);
	cell_fini(&of->counter);
	mailbox_release(&of->mailbox);
	free(of);
}

void change_unwatch(struct change_watch **watchp)
{
	struct change_watch *watch = *watchp, **at;
	struct watched *of;
	struct watcher *w;

	if (!watch)
		return;
	of = watch->watched;
	w = of->mailbox->site->watcher;
	pthread_mutex_lock(&w->lock);
	while (watch->is_calling)
		pthread_cond_wait(&w->called, &w->lock);
	for (at = &of->watches; *at != watch; at = &(*at)->next)
		;
	*at = watch->next;
	if (!of->watches)
		forget(w, of);
	pthread_mutex_unlock(&w->lock);
	mem_free(watchp);
}

uint64_t change_counter(struct store *store)
{
	return notice_read(store->mailbox);
}

uint64_t change_watch_counter(const struct change_watch *watch)
{
	return notice_read_cell(watch->watched->mailbox, &watch->watched->counter);
}

/*
 * store/store.c - a session's mailbox, and what store/ keeps per site.
 */
#include "store/store.h"

#include "store/mailbox_priv.h"

#include "base/check.h"
#include "base/io.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Two threads may be the first to need a site's state. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t stores_n;

static void close_handles(struct store_site *ss)
{
	for (size_t i = 0; i < MAILBOX_BUCKETS; i++) {
		struct mailbox *next;

		for (struct mailbox *mb = ss->buckets[i]; mb; mb = next) {
			struct mailbox *counted = mailbox_acquire(ss, mb->user);

			next = mb->next;
			mailbox_close_all(counted);
			mailbox_release(&counted);
		}
	}
}

static void state_destroy(void *state)
{
	struct store_site *ss = state;

	watcher_stop(ss);
	janitor_stop(ss);
	directory_close(ss);
	credentials_close(ss);
	close_handles(ss);
	if (ss->notice_fd >= 0)
		close(ss->notice_fd);
	pthread_mutex_destroy(&ss->lock);
	free(ss->root);
	free(ss);
}

/* SQLite opens by path, and the process may change its folder: the path is absolute. */
static int root_of(struct site *site, char **root_r, struct err *e)
{
	char path[PATH_MAX];
	ssize_t n = io_path_of(site_dir_fd(site), path);

	if (n < 0)
		return err_sys(e, ERR_IO, errno, "path of the store folder");
	/* Room for what stands below it. */
	if (n > PATH_MAX - 256)
		return err_set(e, ERR_UNAVAILABLE, "the store folder's path is too long");
	*root_r = mem_str(path);
	return 0;
}

static int state_make(struct site *site, struct store_site **ss_r, struct err *e)
{
	struct store_site *ss = mem_alloc(sizeof *ss);

	ss->site = site;
	ss->notice_fd = -1;
	pthread_mutex_init(&ss->lock, NULL);
	if (root_of(site, &ss->root, e) < 0 ||
	    io_mkdir_all(site_runtime_fd(site), "notice", 02770, e) < 0)
		goto fail;
	ss->notice_fd = openat(site_runtime_fd(site), "notice", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ss->notice_fd < 0) {
		err_sys(e, ERR_UNAVAILABLE, errno, "the runtime folder's notice/");
		goto fail;
	}
	site_set_store_state(site, ss, state_destroy);
	*ss_r = ss;
	return 0;
fail:
	pthread_mutex_destroy(&ss->lock);
	free(ss->root);
	free(ss);
	return -1;
}

int store_site_get(struct site *site, struct store_site **ss_r, struct err *e)
{
	int r = 0;

	pthread_mutex_lock(&making);
	*ss_r = site_store_state(site);
	if (!*ss_r)
		r = state_make(site, ss_r, e);
	pthread_mutex_unlock(&making);
	return r;
}

int store_open(struct session *session, struct store **store_r, struct err *e)
{
	struct store_site *ss;
	struct store *store;

	if (store_site_get(session_site(session), &ss, e) < 0)
		return -1;
	store = mem_alloc(sizeof *store);
	store->number = atomic_fetch_add(&stores_n, 1) + 1;
	store->session = session;
	store->mailbox = mailbox_acquire(ss, session_mailbox(session));
	if (mailbox_open(store->mailbox, e) < 0) {
		store_close(&store);
		return -1;
	}
	*store_r = store;
	return 0;
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	mailbox_release(&(*store)->mailbox);
	mem_free(store);
}

struct session *store_session(const struct store *store)
{
	return store->session;
}

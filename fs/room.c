/* fs/room.c - the quota, and what is on its way to count against it. */
#include "fs/room.h"

#include "fs/draft.h"
#include "fs/err_map.h"
#include "fs/lead.h"
#include "fs/tree.h"

#include <errno.h>
#include <time.h>

/* A file that is just becoming a message counts twice for an instant: who is refused is judged again. */
#define AGAIN_N 20
#define AGAIN_NS 5000000

static bool is_remembered(struct mailbox *mb, uint64_t counter, struct quota *quota_r)
{
	bool is;

	pthread_mutex_lock(&mb->lock);
	is = mb->has_quota && mb->quota_at == counter;
	if (is)
		*quota_r = mb->quota;
	pthread_mutex_unlock(&mb->lock);
	if (is)
		quota_follow_settings(mb->tree->site, quota_r);
	return is;
}

static void remember(struct mailbox *mb, uint64_t counter, const struct quota *quota)
{
	pthread_mutex_lock(&mb->lock);
	mb->quota = *quota;
	mb->quota_at = counter;
	mb->has_quota = true;
	pthread_mutex_unlock(&mb->lock);
}

/* Asked of the store after a commit, and once for all files that are made and closed before the next. */
static int quota_now(struct mailbox *mb, struct quota *quota_r)
{
	uint64_t counter = change_watch_counter(mb->watch);
	struct mailbox_access access;
	struct err e;
	int err = 0;

	if (is_remembered(mb, counter, quota_r))
		return 0;
	lead_let_go();
	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	if (quota_get(access.store, quota_r, &e) < 0)
		err = fs_errno(&e);
	else
		remember(mb, counter, quota_r);
	mailbox_access_end(&access);
	return err;
}

/* Files that will be messages when they are closed.  Scratch takes room and is none. */
static void add_drafts(struct mailbox *mb, const struct draft *except, struct quota *quota)
{
	pthread_mutex_lock(&mb->lock);
	for (size_t i = 0; i < mb->n; i++)
		for (struct draft *d = mb->folders[i]->drafts; d; d = d->next) {
			bool counts = d != except && d->place != PLACE_SIDE && !d->became;
			uint64_t size = counts ? draft_size(d) : 0;

			quota->octets_used += size;
			quota->messages_used += size > 0 && draft_may_be_mail(d);
		}
	pthread_mutex_unlock(&mb->lock);
}

static bool is_any_pending(struct mailbox *mb)
{
	bool any = false;

	pthread_mutex_lock(&mb->lock);
	for (size_t i = 0; i < mb->n && !any; i++)
		any = atomic_load(&mb->folders[i]->pending) > 0;
	pthread_mutex_unlock(&mb->lock);
	return any;
}

static uint64_t left_of(const struct quota_limit *limit, uint64_t used)
{
	if (limit->most == 0)
		return UINT64_MAX;
	return used < limit->most ? limit->most - used : 0;
}

static int left_now(struct mailbox *mb, const struct draft *except, uint64_t *octets_r)
{
	struct quota quota = {0}, stored;
	int err;

	add_drafts(mb, except, &quota);
	if ((err = quota_now(mb, &stored)))
		return err;
	*octets_r = left_of(&stored.octets, stored.octets_used + quota.octets_used);
	if (*octets_r == 0 || left_of(&stored.messages, stored.messages_used + quota.messages_used) == 0)
		return EDQUOT;
	return 0;
}

int room_left(struct mailbox *mb, const struct draft *except, uint64_t *octets_r)
{
	const struct timespec soon = {0, AGAIN_NS};
	int err = left_now(mb, except, octets_r);

	for (int i = 0; i < AGAIN_N && err == EDQUOT && is_any_pending(mb); i++) {
		lead_let_go();
		pool_hurry(mb->tree->pool, &mb->lane);
		nanosleep(&soon, NULL);
		err = left_now(mb, except, octets_r);
	}
	return err;
}

static void show(const struct quota_limit *limit, uint64_t used, uint64_t unit, fsblkcnt_t *all,
    fsblkcnt_t *left)
{
	uint64_t units;

	if (limit->most == 0)
		return;
	units = left_of(limit, used) / unit;
	*all = limit->most / unit;
	*left = units < *left ? units : *left;
}

int room_statfs(struct mailbox *mb, struct statvfs *st)
{
	struct quota quota;
	int err = quota_now(mb, &quota);

	if (err)
		return err;
	if (quota.octets.most) {
		st->f_bavail = (fsblkcnt_t)((uint64_t)st->f_bavail * st->f_frsize / QUOTA_UNIT_OCTETS);
		st->f_frsize = QUOTA_UNIT_OCTETS;
		show(&quota.octets, quota.octets_used, QUOTA_UNIT_OCTETS, &st->f_blocks, &st->f_bavail);
		st->f_bfree = st->f_bavail;
	}
	show(&quota.messages, quota.messages_used, 1, &st->f_files, &st->f_favail);
	if (quota.messages.most)
		st->f_ffree = st->f_favail;
	return 0;
}

/*
 * fs/mailbox_sync.c - a mailbox's folders and messages, kept as the store has them.
 *
 * The store is asked under `sync` alone; what it answered is put in place under `lock`, together with
 * what the kernel has to be told.  Every step may be repeated: a change that is seen twice is the same.
 */
#include "fs/mailbox_priv.h"

#include "fs/changes.h"
#include "fs/lead.h"
#include "fs/maildir.h"
#include "fs/tree.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/flags.h"
#include "store/maildir_letters.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SLICE 2000u
#define WHAT (MESSAGE_BASIC | MESSAGE_NAME)

/* ---- messages ------------------------------------------------------------------------------- */

static struct fs_msg *msg_of(const struct fs_folder *f, const struct message_info *info)
{
	return fs_msg_new(info, &f->mailbox->tree->show);
}

static void apply_message(struct fs_folder *f, struct fs_msg *m, struct notices *ns)
{
	struct fs_msg *old = fs_folder_put(f, m);

	if (old)
		maildir_remember_name(f, old, m);
	tree_message_changed(f, old, m, ns);
	fs_msg_free(old);
}

static void drop_message(struct fs_folder *f, uint32_t uid, struct notices *ns)
{
	struct fs_msg *m = fs_folder_drop(f, uid);

	if (!m)
		return;
	tree_message_changed(f, m, NULL, ns);
	fs_msg_free(m);
}

/* Messages as they are read, a slice at a time. */
struct loading {
	const struct fs_folder *folder;
	struct fs_msg *msgs[SLICE];
	size_t n;
};

static bool take_message(void *arg, const struct message_info *info)
{
	struct loading *l = arg;

	l->msgs[l->n++] = msg_of(l->folder, info);
	return l->n < SLICE;
}

/* The next slice into f; *from_r is where the one behind it begins, 0 at the end. */
static int load_slice(struct mailbox *mb, struct fs_folder *f, struct store *store, struct loading *l,
    uint32_t *from_r, struct err *e)
{
	struct uid_range range = {*from_r, UINT32_MAX};
	struct notices ns = {0};
	uint32_t last;
	int rc;

	l->n = 0;
	rc = message_each(store, (struct folder_id){f->id}, &range, 1, WHAT, take_message, l, e);
	last = l->n == SLICE ? l->msgs[SLICE - 1]->uid.n : UINT32_MAX;
	pthread_mutex_lock(&mb->lock);
	for (size_t i = 0; i < l->n; i++)
		apply_message(f, l->msgs[i], &ns);
	pthread_cond_broadcast(&mb->arrived);
	pthread_mutex_unlock(&mb->lock);
	notices_fini(&ns); /* nothing of it was ever shown */
	*from_r = last < UINT32_MAX ? last + 1 : 0;
	return rc;
}

/* All messages of a folder, in slices; f is not shown as loaded before the last. */
static int load_folder(struct mailbox *mb, struct fs_folder *f, struct store *store, struct err *e)
{
	struct loading *l = mem_alloc(sizeof *l);
	struct folder_info info;
	struct arena arena = {0};
	uint32_t from = 1;
	int rc = -1;

	l->folder = f;
	/* First the position, then the messages: what changes meanwhile is told again. */
	if (folder_by_id(store, (struct folder_id){f->id}, &arena, &info, e) < 0)
		goto out;
	f->modseq = info.highestmodseq.n;
	f->uidnext = info.uidnext;
	while (from > 0)
		if (load_slice(mb, f, store, l, &from, e) < 0)
			goto out;
	pthread_mutex_lock(&mb->lock);
	f->is_loaded = true;
	if (f->maildir.uids_upto == 0)
		f->maildir.uids_upto = info.uidnext ? info.uidnext : (uint64_t)UINT32_MAX + 1;
	pthread_mutex_unlock(&mb->lock);
	rc = 0;
out:
	arena_fini(&arena);
	free(l);
	return rc;
}

/* What changed in one folder that is in memory. */
static int refresh_folder(struct mailbox *mb, struct fs_folder *f, struct store *store,
    struct notices *ns, struct err *e)
{
	struct folder_changes now;
	struct arena arena = {0};
	int rc = -1;

	if (change_folder(store, (struct folder_id){f->id}, (struct store_modseq){f->modseq}, WHAT,
	        &arena, &now, e) < 0) {
		rc = e->code == ERR_NOTFOUND ? 0 : -1; /* the list of folders says it too */
		goto out;
	}
	pthread_mutex_lock(&mb->lock);
	f->changed_ms = now.info.changed_ms;
	f->uidnext = now.info.uidnext;
	if (now.reset) {
		/* What went is forgotten: everything is read anew when it is asked for. */
		mailbox_bury(f, ns);
		f->is_gone = false;
	}
	for (size_t i = 0; i < now.expunged_n && !now.reset; i++)
		drop_message(f, now.expunged[i].n, ns);
	for (size_t i = 0; i < now.changed_n && !now.reset; i++)
		apply_message(f, msg_of(f, &now.changed[i]), ns);
	f->modseq = now.highestmodseq.n;
	pthread_mutex_unlock(&mb->lock);
	rc = 0;
out:
	arena_fini(&arena);
	return rc;
}

static bool is_news(const struct fs_folder *f, const struct message_info *info)
{
	return f->uidnext && info->uid.n >= f->uidnext;
}

static void ring_unnamed(struct fs_folder *f, const struct message_info *info)
{
	struct fs_msg *m = msg_of(f, info);

	fs_folder_ring(f, m);
	fs_msg_free(m);
}

/* A folder whose messages are not in memory: the kernel may still hold attributes of them, and somebody
 * may want to hear what changed since `since`. */
static int tell_folder(struct fs_folder *f, struct store *store, uint64_t since, struct notices *ns,
    struct err *e)
{
	struct folder_changes now;
	struct arena arena = {0};
	int rc = 0;

	tree_folder_forgotten(f, ns);
	notice_inode(ns, fs_folder_node(f), true);
	if (f->modseq != 0)
		since = f->modseq;
	else if (!changes_are_followed(f->mailbox->tree) && !fs_folder_is_watched(f))
		return 0;
	if (change_folder(store, (struct folder_id){f->id}, (struct store_modseq){since},
	        WHAT, &arena, &now, e) < 0) {
		rc = e->code == ERR_NOTFOUND ? 0 : -1;
		goto out;
	}
	for (size_t i = 0; i < now.expunged_n; i++) {
		tree_message_touched(f, now.expunged[i].n, ns);
		changes_unnamed(f, "gone", now.expunged[i].n);
	}
	for (size_t i = 0; i < now.changed_n; i++) {
		tree_message_touched(f, now.changed[i].uid.n, ns);
		changes_unnamed(f, is_news(f, &now.changed[i]) ? "new" : "changed", now.changed[i].uid.n);
	}
	if (now.changed_n > 0 && is_news(f, &now.changed[now.changed_n - 1]))
		ring_unnamed(f, &now.changed[now.changed_n - 1]);
	f->uidnext = now.info.uidnext;
	f->modseq = now.highestmodseq.n;
out:
	arena_fini(&arena);
	return rc;
}

/* From now on it stands in names: what the kernel was told of those that have it is old. */
static void learn_forwarded(struct mailbox *mb, uint64_t bit, struct notices *ns)
{
	mb->forwarded = bit;
	for (size_t i = 0; i < mb->n; i++)
		if (!mb->folders[i]->is_gone && mb->folders[i]->id)
			tree_folder_forgotten(mb->folders[i], ns);
}

static int refresh_keywords(struct mailbox *mb, struct store *store, struct notices *ns, struct err *e)
{
	const char *names[63] = {0};
	struct arena arena = {0};
	int rc = flags_keywords(store, &arena, names, e);

	if (rc == 0) {
		pthread_mutex_lock(&mb->lock);
		for (int i = 0; i < 63; i++)
			if (!mb->keywords[i] || !names[i] || strcmp(mb->keywords[i], names[i]) != 0) {
				free(mb->keywords[i]);
				mb->keywords[i] = names[i] ? mem_str(names[i]) : NULL;
				if (names[i] && strcasecmp(names[i], MAILDIR_FORWARDED) == 0)
					learn_forwarded(mb, (uint64_t)1 << i, ns);
			}
		pthread_mutex_unlock(&mb->lock);
	}
	arena_fini(&arena);
	return rc;
}

/* ---- catching up ---------------------------------------------------------------------------- */

static int list_folders(struct mailbox *mb, struct store *store, struct notices *ns, struct err *e)
{
	struct arena arena = {0};
	struct folder_info *list;
	size_t n;
	int rc = folder_list(store, &arena, &list, &n, e);

	if (rc == 0) {
		pthread_mutex_lock(&mb->lock);
		mailbox_apply_folders(mb, list, n, ns);
		pthread_mutex_unlock(&mb->lock);
	}
	arena_fini(&arena);
	return rc;
}

static int catch_up(struct mailbox *mb, struct store *store, struct notices *ns, struct err *e)
{
	struct store_status status;
	struct store_changes now = {0};
	struct arena arena = {0};
	int rc = -1;

	if (!mb->is_listed) {
		if (store_status(store, &status, e) < 0)
			goto out;
		now.modseq = status.modseq;
	} else if (change_store(store, (struct store_modseq){mb->modseq}, &arena, &now, e) < 0) {
		goto out;
	}
	if (!mb->is_listed || now.changed_n > 0 || now.gone_n > 0 || now.reset) {
		if (list_folders(mb, store, ns, e) < 0 || refresh_keywords(mb, store, ns, e) < 0)
			goto out;
	}
	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];
		bool changed = now.reset;

		for (size_t k = 0; k < now.changed_n && !changed; k++)
			changed = now.changed[k].n == f->id;
		if (!changed || f->is_gone || f->id == 0)
			continue;
		if ((f->is_loaded ? refresh_folder(mb, f, store, ns, e)
				  : tell_folder(f, store, mb->modseq, ns, e)) < 0)
			goto out;
	}
	mb->modseq = now.modseq.n;
	mb->is_listed = true;
	rc = 0;
out:
	arena_fini(&arena);
	return rc;
}

static bool is_current(struct mailbox *mb, struct fs_folder *f)
{
	return mb->is_listed && (!f || f->is_loaded || f->id == 0 || f->is_gone) &&
	    change_watch_counter(mb->watch) == atomic_load(&mb->seen);
}

int mailbox_sync_folder(struct mailbox *mb, struct fs_folder *f, struct err *e)
{
	struct mailbox_access access = {0};
	struct notices ns = {0};
	uint64_t counter;
	int rc = -1;

	if (pthread_mutex_trylock(&mb->sync) != 0) {
		lead_let_go();
		pthread_mutex_lock(&mb->sync);
	}
	if (is_current(mb, f)) {
		rc = 0;
		goto out;
	}
	lead_let_go();
	/* The counter first: what is committed behind it moves it again. */
	counter = change_watch_counter(mb->watch);
	if (mailbox_access(mb, &access, e) < 0)
		goto out;
	if (!mb->is_listed || counter != atomic_load(&mb->seen)) {
		if (catch_up(mb, access.store, &ns, e) < 0)
			goto out;
		atomic_store(&mb->seen, counter);
	}
	if (f && f->id && !f->is_loaded && !f->is_gone && load_folder(mb, f, access.store, e) < 0)
		goto out;
	rc = 0;
out:
	mailbox_access_end(&access);
	teller_tell(mb->tree->teller, &ns);
	pthread_mutex_unlock(&mb->sync);
	if (rc < 0)
		log_warn("mailbox-unreadable", "user=%s %s", LOG_Q(mb->name), log_err(e));
	return rc;
}

void mailbox_load_folder(struct mailbox *mb, struct fs_folder *f)
{
	struct err e;

	if (mailbox_sync_folder(mb, f, &e) < 0)
		log_debug("load-failed", "user=%s", LOG_Q(mb->name)); /* who lists it tries again, and is told */
	pthread_mutex_lock(&mb->lock);
	f->is_loading = false;
	pthread_cond_broadcast(&mb->arrived);
	pthread_mutex_unlock(&mb->lock);
}

struct fs_msg *mailbox_next_arrived(struct mailbox *mb, struct fs_folder *f, uint32_t after)
{
	struct fs_msg *m;

	while (!(m = fs_folder_next(f, after)) && f->is_loading && !f->is_loaded)
		pthread_cond_wait(&mb->arrived, &mb->lock);
	return m;
}

void mailbox_forget(struct mailbox *mb, struct fs_folder *f)
{
	struct notices ns = {0};

	pthread_mutex_lock(&mb->sync);
	pthread_mutex_lock(&mb->lock);
	fs_folder_clear(f);
	tree_folder_forgotten(f, &ns);
	pthread_mutex_unlock(&mb->lock);
	pthread_mutex_unlock(&mb->sync);
	teller_tell(mb->tree->teller, &ns);
}

int mailbox_sync(struct mailbox *mb, struct err *e)
{
	return mailbox_sync_folder(mb, NULL, e);
}

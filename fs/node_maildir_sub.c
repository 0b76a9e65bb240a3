/*
 * fs/node_maildir_sub.c - cur, new and tmp of a folder in the Maildir view.
 *
 * The messages are the nodes that mail/ shows, under other names.  A name is good until its flags change;
 * the kernel is told then.
 */
#include "fs/bell.h"
#include "fs/listing.h"
#include "fs/maildir.h"
#include "fs/maildirop.h"
#include "fs/room.h"
#include "fs/tree.h"

#include "fs/err_map.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

/* Cookies' classes (fs/listing.h). */
enum { LIST_DRAFTS = 1, LIST_MESSAGES };

static int sub_attr(struct tree *t, struct node n, struct stat *st)
{
	struct fs_folder *f = tree_folder(t, n);
	const struct fs_listing *listing;
	struct mailbox *mb;
	struct err e;

	if (!f)
		return ESTALE;
	mb = f->mailbox;
	/* Its time is that of the last change in it, of flags as well: the messages know. */
	if (!f->is_loaded && mailbox_sync_folder(mb, f, &e) < 0)
		return fs_errno(&e);
	pthread_mutex_lock(&mb->lock);
	listing = &f->listings[n.item];
	tree_stat(t, st, S_IFDIR | 0700, mb->uid, mb->gid,
	    listing->changed_ms ? listing->changed_ms : f->changed_ms);
	st->st_ino = tree_st_ino(t, mb->user.n, NODE_maildir_sub, f->id, n.item);
	pthread_mutex_unlock(&mb->lock);
	return 0;
}

/* ---- entries; mailbox locked -------------------------------------------------------------------------- */

static void message_entry(const struct fs_folder *f, const struct fs_msg *m, bool is_stale,
    struct node_entry *entry)
{
	*entry = (struct node_entry){.node = fs_msg_node(f, m->uid.n), .timeout_s = TREE_TIMEOUT_S};
	fs_message_stat(f, m, &entry->st);
	if (is_stale) {
		/* Another file than the message: a rename from one of its names to another has to reach us. */
		entry->node.kind = NODE_maildir_stale;
		entry->timeout_s = 0;
		entry->st.st_ino = tree_st_ino(f->mailbox->tree, f->mailbox->user.n, NODE_maildir_stale, f->id,
		    m->uid.n);
	}
}

/* A file in tmp that was linked into new or cur is the message, until its name in tmp goes. */
static bool draft_entry(struct tree *t, struct draft *d, struct node_entry *entry)
{
	struct fs_folder *f = d->became ? slots_get(&t->folders, d->became_in) : NULL;
	struct fs_msg *m = f && !f->is_gone ? fs_folder_by_uid(f, d->became) : NULL;

	if (d->became && !m)
		return false;
	if (m) {
		message_entry(f, m, false, entry);
	} else {
		*entry = (struct node_entry){.node = draft_node(d), .attr_timeout_s = draft_attr_s(d)};
		draft_stat(d, &entry->st);
	}
	entry->timeout_s = 0;
	return true;
}

static bool find_locked(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name,
    struct node_entry *entry_r)
{
	struct maildir_found found;
	bool is_there = false;

	atomic_store(&f->used_ms, clock_mono_ms());
	pthread_mutex_lock(&f->mailbox->lock);
	f->maildir.is_shown = true;
	found = maildir_find(f, place, name);
	if (found.d) {
		is_there = draft_entry(t, found.d, entry_r);
	} else if (found.m) {
		message_entry(f, found.m, found.is_stale, entry_r);
		if (found.is_alias) /* the kernel is told of names that are listed only */
			entry_r->timeout_s = 0;
		is_there = true;
	}
	pthread_mutex_unlock(&f->mailbox->lock);
	return is_there;
}

static int sub_lookup(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct err e;

	if (!f)
		return ESTALE;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (f->is_loaded && find_locked(t, f, dir.item, name, entry_r))
		return 0;
	if (mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return fs_errno(&e);
	return find_locked(t, f, dir.item, name, entry_r) ? 0 : ENOENT;
}

/* ---- listing ------------------------------------------------------------------------------------------- */

static bool list_drafts(struct tree *t, struct fs_folder *f, enum fs_place place, uint64_t after,
    node_emit *emit, void *arg)
{
	uint32_t slot = after > COOKIE(LIST_DRAFTS, 0) ? (uint32_t)after : 0;
	struct node_entry entry;
	struct draft *d;

	if (after >= COOKIE(LIST_MESSAGES, 0))
		return true;
	for (; (d = draft_next(f, place, slot)); slot = d->slot)
		if (draft_entry(t, d, &entry) && !emit(arg, d->name, &entry, COOKIE(LIST_DRAFTS, d->slot)))
			return false;
	return true;
}

static void list_messages(struct fs_folder *f, enum fs_place place, uint64_t after, node_emit *emit,
    void *arg)
{
	uint32_t uid = after > COOKIE(LIST_MESSAGES, 0) ? (uint32_t)after : 0;
	struct str_buf name = {0};
	struct node_entry entry;
	struct fs_msg *m;

	while ((m = fs_folder_next(f, uid))) {
		uid = m->uid.n;
		if (maildir_place(f, m) != place)
			continue;
		str_buf_clear(&name);
		maildir_put_name(f, m, &name);
		message_entry(f, m, false, &entry);
		if (!emit(arg, name.p, &entry, COOKIE(LIST_MESSAGES, uid)))
			break;
	}
	str_buf_fini(&name);
}

static int sub_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct err e;

	if (!f)
		return ESTALE;
	if (!f->is_loaded && mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return fs_errno(&e);
	pthread_mutex_lock(&f->mailbox->lock);
	f->maildir.is_shown = true;
	if (list_drafts(t, f, dir.item, after, emit, arg) && dir.item != PLACE_TMP)
		list_messages(f, dir.item, after, emit, arg);
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

static int sub_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f;
	int err = listing_open(t, h, true, &f);

	(void)flags;
	if (err)
		return err;
	f->maildir.is_shown = true;
	shown_open(&f->listings[h->node.item].shown, f->listings[h->node.item].version, h, how);
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

/* ---- what changes it ----------------------------------------------------------------------------------- */

static int sub_create(struct tree *t, struct handle *h, struct node dir, const char *name,
    const struct caller *who, struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct draft *d = NULL;
	struct maildir_name parsed;
	uint64_t room;
	int err;

	if (!f)
		return ESTALE;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (dir.item != PLACE_TMP && name[0] != '.' && !maildir_name_parse(name, &parsed))
		return EINVAL;
	err = room_left(f->mailbox, NULL, &room);
	if (err && (err != EDQUOT || name[0] != '.'))
		return err;
	err = 0;
	pthread_mutex_lock(&f->mailbox->lock);
	if (maildir_find(f, dir.item, name).d)
		err = EEXIST; /* another was faster */
	else if ((dir.item == PLACE_TMP || name[0] == '.') && draft_scratch_is_full(f->mailbox))
		err = EDQUOT;
	else if (!(d = draft_new(t, f, dir.item, name, who->uid)))
		err = ENOSPC;
	if (d) {
		d->room = room;
		listing_created(d, h, entry_r);
	}
	pthread_mutex_unlock(&f->mailbox->lock);
	return err;
}

static int sub_unlink(struct tree *t, struct node dir, const char *name)
{
	struct fs_folder *f = tree_folder(t, dir);

	return f ? maildirop_unlink(t, f, dir.item, name) : ESTALE;
}

static int sub_rename(struct tree *t, struct node from, const char *name, struct node to,
    const char *to_name, bool noreplace)
{
	struct fs_folder *f = tree_folder(t, from), *g;

	if (to.kind != NODE_maildir_sub)
		return EXDEV;
	g = tree_folder(t, to);
	if (!f || !g)
		return ESTALE;
	return maildirop_rename(t, f, from.item, name, g, to.item, to_name, noreplace);
}

static int sub_link(struct tree *t, struct node dir, const char *name, struct node n,
    struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct fs_msg *m;
	uint32_t uid;
	int err;

	if (!f)
		return ESTALE;
	if ((err = maildirop_link(t, f, dir.item, name, n, &uid)))
		return err;
	/* It may be listed under another name: then the kernel is told soon (maildirop.c). */
	pthread_mutex_lock(&f->mailbox->lock);
	if ((m = fs_folder_by_uid(f, uid)))
		message_entry(f, m, false, entry_r);
	pthread_mutex_unlock(&f->mailbox->lock);
	return m ? 0 : ESTALE;
}

static int sub_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	return node_rows[NODE_folder]->set(t, n, st, what, who);
}

/* ---- what the kernel is told --------------------------------------------------------------------------- */

static void changed(struct fs_folder *f, enum fs_place place, int64_t ms, struct notices *ns)
{
	struct fs_listing *listing = &f->listings[place];

	/* Whoever goes by its time must see it move. */
	listing->changed_ms = ms > listing->changed_ms ? ms : listing->changed_ms + 1;
	listing->version++;
	if (f->maildir.is_shown)
		notice_inode(ns, maildir_sub_node(f, place), true);
}

static bool is_called_the_same(const struct fs_folder *f, const struct fs_msg *old,
    const struct fs_msg *now, struct notices *ns)
{
	struct str_buf old_name = {0}, name = {0};
	bool is_same = false;

	maildir_put_name(f, old, &old_name);
	if (now && maildir_place(f, old) == maildir_place(f, now)) {
		maildir_put_name(f, now, &name);
		is_same = strcmp(old_name.p, name.p) == 0;
	}
	if (!is_same && f->maildir.is_shown)
		notice_entry(ns, maildir_sub_node(f, maildir_place(f, old)), old_name.p);
	str_buf_fini(&old_name);
	str_buf_fini(&name);
	return is_same;
}

/* Watchers of cur and new are told of what came into them from elsewhere (fs/bell.h). */
static void ring(struct fs_folder *f, const struct fs_msg *m)
{
	enum fs_place place = maildir_place(f, m);
	struct bell *bell = f->mailbox->tree->bell;
	struct str_buf path = {0};

	if (!bell || atomic_load(&f->maildir.lookups[place]) == 0)
		return;
	str_buf_printf(&path, "maildir/%s/", f->mailbox->name);
	if (strcmp(f->path, "INBOX") != 0)
		str_buf_printf(&path, "%s/", f->maildir.name);
	str_buf_printf(&path, "%s/", maildir_sub_name(place));
	maildir_put_name(f, m, &path);
	bell_ring(bell, maildir_sub_node(f, place), path.p);
	str_buf_fini(&path);
}

static void sub_remember(struct tree *t, struct node n)
{
	struct fs_folder *f = slots_get(&t->folders, n.slot);

	if (f && n.item < PLACES_N)
		atomic_fetch_add(&f->maildir.lookups[n.item], 1);
}

static void sub_forget(struct tree *t, struct node n, uint64_t lookups)
{
	struct fs_folder *f = slots_get(&t->folders, n.slot);

	if (f && n.item < PLACES_N)
		atomic_fetch_sub(&f->maildir.lookups[n.item], lookups);
}

static void tell_message_changed(struct fs_folder *f, const struct fs_msg *old, const struct fs_msg *now,
    struct notices *ns)
{
	int64_t ms = f->changed_ms;

	if (!f->is_loaded) {
		/* It is being loaded: what changed last says when its directories did. */
		for (int place = PLACE_CUR; place <= PLACE_NEW; place++) {
			int64_t *at = &f->listings[place].changed_ms;

			*at = ms > *at ? ms : *at;
			*at = now && now->changed_ms > *at ? now->changed_ms : *at;
		}
		return;
	}
	if (old && is_called_the_same(f, old, now, ns))
		return;
	if (now && now->changed_ms > ms)
		ms = now->changed_ms;
	if (old)
		changed(f, maildir_place(f, old), ms, ns);
	if (now && (!old || maildir_place(f, now) != maildir_place(f, old)))
		changed(f, maildir_place(f, now), ms, ns);
	if (!old && now)
		ring(f, now);
}

/* All names below a directory go with the directory's own. */
static void tell_folder_forgotten(struct fs_folder *f, struct notices *ns)
{
	if (!f->maildir.is_shown)
		return;
	for (int place = PLACE_CUR; place <= PLACE_NEW; place++) {
		notice_entry(ns, maildir_folder_node(f), maildir_sub_name(place));
		notice_inode(ns, maildir_sub_node(f, place), true);
		f->listings[place].version++;
	}
}

static int sub_statfs(struct tree *t, struct node n, struct statvfs *st)
{
	return node_rows[NODE_folder]->statfs(t, n, st);
}

const struct node_row node_maildir_sub_row = {
	.name = "maildir_sub",
	.is_dir = true,
	.is_session = true,
	.is_cached = true,
	.is_quick = true,
	.has_quick_names = true,
	.attr = sub_attr,
	.lookup = sub_lookup,
	.list = sub_list,
	.folder = tree_folder,
	.open = sub_open,
	.set = sub_set,
	.create = sub_create,
	.unlink = sub_unlink,
	.rename = sub_rename,
	.link = sub_link,
	.statfs = sub_statfs,
	.remember = sub_remember,
	.forget = sub_forget,
	.message_changed = tell_message_changed,
	.folder_forgotten = tell_folder_forgotten,
};

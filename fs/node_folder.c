/*
 * fs/node_folder.c - a folder of a mailbox, and the mailbox's top.
 *
 * Names and attributes come from memory.  Who opens the directory, or asks for a name that is not there,
 * gets what the store says at that moment.
 */
#include "fs/listing.h"

#include "fs/bell.h"
#include "fs/draft.h"
#include "fs/err_map.h"
#include "fs/mailop.h"
#include "fs/name.h"
#include "fs/room.h"

#include "base/log.h"
#include "mime/decode.h"

#include <errno.h>
#include <string.h>

/* Cookies' classes (fs/listing.h). */
enum { LIST_FOLDERS = COOKIE_FOLDERS, LIST_DRAFTS, LIST_MESSAGES };

static void stat_of(const struct fs_folder *f, struct stat *st)
{
	const struct mailbox *mb = f->mailbox;
	/* A folder that the store does not have is known by its name. */
	uint64_t shadow = f->id ? 0 : (uint64_t)f->slot;

	tree_stat(mb->tree, st, S_IFDIR | 0700, mb->uid, mb->gid,
	    f->changed_ms ? f->changed_ms : mb->tree->started_ms);
	st->st_ino = tree_st_ino(mb->tree, mb->user.n, NODE_folder, f->id, f->parent ? shadow : 0);
	for (const struct fs_folder *c = f->children; c; c = c->next)
		st->st_nlink++;
}

static int folder_attr(struct tree *t, struct node n, struct stat *st)
{
	struct fs_folder *f = tree_folder(t, n);

	if (!f)
		return ESTALE;
	pthread_mutex_lock(&f->mailbox->lock);
	stat_of(f, st);
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

/* The three kinds of entries. Mailbox locked. */

static void folder_entry(const struct fs_folder *f, struct node_entry *entry)
{
	*entry = (struct node_entry){.node = fs_folder_node(f), .timeout_s = TREE_TIMEOUT_S};
	stat_of(f, &entry->st);
}

/* Not for long what it is: the kernel does not keep that the name is this file's. */
static void draft_entry(struct draft *d, struct node_entry *entry)
{
	*entry = (struct node_entry){.node = draft_node(d), .attr_timeout_s = draft_attr_s(d)};
	draft_stat(d, &entry->st);
}

static void message_entry(const struct fs_folder *f, const struct fs_msg *m,
    struct node_entry *entry)
{
	*entry = (struct node_entry){.node = fs_msg_node(f, m->uid.n), .timeout_s = TREE_TIMEOUT_S};
	fs_message_stat(f, m, &entry->st);
}

static bool find(struct fs_folder *f, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *child = fs_folder_child(f, name);
	struct draft *d = child ? NULL : draft_by_name(f, PLACE_MAIL, name);
	bool is_alias = false;
	struct fs_msg *m;

	if (child) {
		folder_entry(child, entry_r);
	} else if (d) {
		draft_entry(d, entry_r);
	} else {
		if (!(m = fs_folder_by_name(f, name, &is_alias)))
			return false;
		message_entry(f, m, entry_r);
		if (is_alias) /* the kernel is told of real names only */
			entry_r->timeout_s = 0;
	}
	return true;
}

static int folder_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	return listing_lookup(t, dir, name, find, entry_r);
}

static bool list_drafts(struct fs_folder *f, uint64_t after, node_emit *emit, void *arg)
{
	uint32_t slot = after > COOKIE(LIST_DRAFTS, 0) ? (uint32_t)after : 0;
	struct node_entry entry;
	struct draft *d;

	if (after >= COOKIE(LIST_MESSAGES, 0))
		return true;
	for (; (d = draft_next(f, PLACE_MAIL, slot)); slot = d->slot) {
		draft_entry(d, &entry);
		if (!emit(arg, d->name, &entry, COOKIE(LIST_DRAFTS, d->slot)))
			return false;
	}
	return true;
}

/* Of a folder that is being loaded what is there; what follows is asked for again.  False: not all are there any more. */
static bool list_messages(struct fs_folder *f, uint64_t after, node_emit *emit, void *arg)
{
	uint32_t uid = after > COOKIE(LIST_MESSAGES, 0) ? (uint32_t)after : 0;
	struct node_entry entry;
	struct fs_msg *m;
	bool any = false;

	while ((m = any ? fs_folder_next(f, uid) : mailbox_next_arrived(f->mailbox, f, uid))) {
		uid = m->uid.n;
		/* A file of that name is about to become this very message. */
		if (m->is_named && f->drafts && draft_by_name(f, PLACE_MAIL, m->name))
			continue;
		message_entry(f, m, &entry);
		if (!emit(arg, m->name, &entry, COOKIE(LIST_MESSAGES, uid)))
			return true;
		any = true;
	}
	return any || f->is_loaded || f->id == 0;
}

static int folder_list_entries(struct tree *t, struct node dir, uint64_t after, node_emit *emit,
    void *arg)
{
	struct fs_folder *f = tree_folder(t, dir);
	bool is_done = true;
	struct err e;

	if (!f)
		return ESTALE;
	pthread_mutex_lock(&f->mailbox->lock);
	if (listing_folders(f, after, folder_entry, emit, arg) && list_drafts(f, after, emit, arg))
		is_done = list_messages(f, after, emit, arg);
	while (!is_done) {
		pthread_mutex_unlock(&f->mailbox->lock);
		if (mailbox_sync_folder(f->mailbox, f, &e) < 0)
			return fs_errno(&e);
		pthread_mutex_lock(&f->mailbox->lock);
		is_done = f->is_gone || list_messages(f, after, emit, arg);
	}
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

static int folder_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f;
	int err = listing_open(t, h, false, &f);

	(void)flags;
	if (err)
		return err;
	if (f->id == 0 || f->is_loaded) {
		shown_open(&f->listings[PLACE_MAIL].shown, f->listings[PLACE_MAIL].version, h, how);
	} else {
		/* It is listed while it is read, so what the kernel would keep is no listing of one version. */
		how->past_cache = true;
		how->then_load = !f->is_loading;
		f->is_loading = true;
	}
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

static void folder_opened(struct tree *t, struct node n)
{
	struct fs_folder *f = slots_get(&t->folders, n.slot);

	mailbox_load_folder(f->mailbox, f);
}

static int folder_create_file(struct tree *t, struct handle *h, struct node dir, const char *name,
    const struct caller *who, struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct draft *d = NULL;
	uint64_t room;
	int err;

	if (!f)
		return ESTALE;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (!mime_utf8_valid(str_view(name, strlen(name))))
		return EILSEQ;
	if (name_use(name) == NAME_REFUSED || f->id == 0) {
		journal_say(t->journal, "create-refused", "user=%s file=%s text=\"%s\"",
		    LOG_Q(f->mailbox->name), LOG_Q(name),
		    f->id ? "a message is called *.eml" : "messages stand in folders");
		return f->id ? EINVAL : EPERM;
	}
	/* Scratch is written also when there may be no more messages. */
	err = room_left(f->mailbox, NULL, &room);
	if (err && (err != EDQUOT || name_use(name) == NAME_MAIL))
		return err;
	err = 0;
	pthread_mutex_lock(&f->mailbox->lock);
	if (fs_folder_child(f, name))
		err = EISDIR;
	else if (find(f, name, entry_r))
		err = EEXIST; /* another was faster */
	else if (name_use(name) == NAME_SCRATCH && draft_scratch_is_full(f->mailbox))
		err = EDQUOT;
	else if (!(d = draft_new(t, f, PLACE_MAIL, name, who->uid)))
		err = ENOSPC;
	if (d) {
		d->room = room;
		listing_created(d, h, entry_r);
	}
	pthread_mutex_unlock(&f->mailbox->lock);
	return err;
}

static int folder_unlink(struct tree *t, struct node dir, const char *name)
{
	struct fs_folder *f = tree_folder(t, dir);

	return f ? mailop_unlink(t, f, name) : ESTALE;
}

static int folder_mkdir(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);
	int err;

	if (!f)
		return ESTALE;
	if ((err = mailop_mkdir(t, f, name)))
		return err;
	return listing_find_name(f, name, find, entry_r) ? 0 : EIO;
}

static int folder_rmdir(struct tree *t, struct node dir, const char *name)
{
	struct fs_folder *f = tree_folder(t, dir);

	return f ? mailop_rmdir(t, f, name) : ESTALE;
}

static int folder_rename_entry(struct tree *t, struct node from, const char *name, struct node to,
    const char *to_name, bool noreplace)
{
	struct fs_folder *f = tree_folder(t, from), *g;

	if (to.kind != NODE_folder)
		return EXDEV;
	g = tree_folder(t, to);
	return f && g ? mailop_rename(t, f, name, g, to_name, noreplace) : ESTALE;
}

/* cp -a and tar set what the directory has anyway. */
static int folder_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	struct fs_folder *f = tree_folder(t, n);

	(void)who;
	if (!f)
		return ESTALE;
	if (((what & NODE_SET_UID) && st->st_uid != f->mailbox->uid) ||
	    ((what & NODE_SET_GID) && st->st_gid != f->mailbox->gid))
		return EPERM;
	return 0;
}

static int folder_statfs(struct tree *t, struct node n, struct statvfs *st)
{
	struct fs_folder *f = tree_folder(t, n);

	return f ? room_statfs(f->mailbox, st) : ESTALE;
}

static void folder_remember(struct tree *t, struct node n)
{
	struct fs_folder *f = slots_get(&t->folders, n.slot);

	if (f)
		atomic_fetch_add(&f->lookups, 1);
}

static void folder_forget(struct tree *t, struct node n, uint64_t lookups)
{
	struct fs_folder *f = slots_get(&t->folders, n.slot);

	if (f)
		atomic_fetch_sub(&f->lookups, lookups);
}

/* ---- what the kernel is told --------------------------------------------------------------------- */

bool fs_folder_is_watched(const struct fs_folder *f)
{
	return f->mailbox->tree->bell && atomic_load(&f->lookups) > 0;
}

void fs_folder_ring(struct fs_folder *f, const struct fs_msg *m)
{
	struct str_buf path = {0};

	if (!fs_folder_is_watched(f))
		return;
	tree_put_path(f, &path);
	str_buf_printf(&path, "/%s", m->name);
	bell_ring(f->mailbox->tree->bell, fs_folder_node(f), path.p);
	str_buf_fini(&path);
}

static void tell_message_changed(struct fs_folder *f, const struct fs_msg *old, const struct fs_msg *now,
    struct notices *ns)
{
	bool is_listed_anew = !old || !now || strcmp(old->name, now->name) != 0;

	if (old && is_listed_anew)
		notice_entry(ns, fs_folder_node(f), old->name);
	if (old)
		notice_inode(ns, fs_msg_node(f, old->uid.n), now && now->size != old->size);
	if (is_listed_anew) {
		f->listings[PLACE_MAIL].version++;
		notice_inode(ns, fs_folder_node(f), true);
	}
	if (!old && f->is_loaded)
		fs_folder_ring(f, now);
}

static void tell_folder_went(struct fs_folder *f, struct notices *ns)
{
	notice_entry(ns, fs_folder_node(f->parent), f->name);
	notice_inode(ns, fs_folder_node(f->parent), true);
	f->parent->listings[PLACE_MAIL].version++;
}

static void tell_folder_came(struct fs_folder *f, struct notices *ns)
{
	notice_inode(ns, fs_folder_node(f->parent), true);
	f->parent->listings[PLACE_MAIL].version++;
}

const struct node_row node_folder_row = {
	.name = "folder",
	.is_dir = true,
	.is_session = true,
	.is_cached = true,
	.is_quick = true,
	.has_quick_names = true,
	.has_settled_names = true,
	.attr = folder_attr,
	.lookup = folder_lookup,
	.list = folder_list_entries,
	.folder = tree_folder,
	.open = folder_open,
	.opened = folder_opened,
	.set = folder_set,
	.create = folder_create_file,
	.unlink = folder_unlink,
	.mkdir = folder_mkdir,
	.rmdir = folder_rmdir,
	.rename = folder_rename_entry,
	.statfs = folder_statfs,
	.remember = folder_remember,
	.forget = folder_forget,
	.message_changed = tell_message_changed,
	.folder_went = tell_folder_went,
	.folder_came = tell_folder_came,
};

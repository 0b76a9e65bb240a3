/*
 * fs/node_partfolder.c - a folder under parts/: its subfolders, and a directory for each of its messages.
 *
 * Names and attributes come from memory, as in mail/; no message is read for a listing.
 */
#include "fs/listing.h"

#include "fs/err_map.h"

#include <errno.h>
#include <string.h>

/* Cookies' classes (fs/listing.h). */
enum { LIST_FOLDERS = COOKIE_FOLDERS, LIST_MESSAGES };

/* The attributes of the folder in mail/, but that nothing is made here. Mailbox locked. */
static void stat_of(const struct fs_folder *f, struct stat *st)
{
	const struct mailbox *mb = f->mailbox;
	uint64_t shadow = f->id || !f->parent ? 0 : (uint64_t)f->slot;

	tree_stat(mb->tree, st, S_IFDIR | 0500, mb->uid, mb->gid,
	    f->changed_ms ? f->changed_ms : mb->tree->started_ms);
	st->st_ino = tree_st_ino(mb->tree, mb->user.n, NODE_partfolder, f->id, shadow);
	for (const struct fs_folder *c = f->children; c; c = c->next)
		st->st_nlink++;
}

static int partfolder_attr(struct tree *t, struct node n, struct stat *st)
{
	struct fs_folder *f = tree_folder(t, n);

	if (!f)
		return ESTALE;
	pthread_mutex_lock(&f->mailbox->lock);
	stat_of(f, st);
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

static void folder_entry(const struct fs_folder *f, struct node_entry *entry)
{
	*entry = (struct node_entry){.node = {NODE_partfolder, f->slot, 0}, .timeout_s = TREE_TIMEOUT_S};
	stat_of(f, &entry->st);
}

static void message_entry(const struct fs_folder *f, const struct fs_msg *m, struct node_entry *entry)
{
	*entry = (struct node_entry){.node = {NODE_partmsg, f->slot, m->uid.n}, .timeout_s = TREE_TIMEOUT_S};
	fs_partmsg_stat(f, m, &entry->st);
}

static bool find(struct fs_folder *f, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *child;
	bool is_alias = false;
	struct fs_msg *m;

	f->is_in_parts = true;
	if ((child = fs_folder_child(f, name))) {
		folder_entry(child, entry_r);
		return true;
	}
	if (!(m = fs_folder_by_name(f, name, &is_alias)))
		return false;
	message_entry(f, m, entry_r);
	if (is_alias)
		entry_r->timeout_s = 0;
	return true;
}

static int partfolder_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	return listing_lookup(t, dir, name, find, entry_r);
}

static void list_messages(struct fs_folder *f, uint64_t after, node_emit *emit, void *arg)
{
	uint32_t uid = after > COOKIE(LIST_MESSAGES, 0) ? (uint32_t)after : 0;
	struct node_entry entry;
	struct fs_msg *m;

	while ((m = fs_folder_next(f, uid))) {
		uid = m->uid.n;
		message_entry(f, m, &entry);
		if (!emit(arg, m->name, &entry, COOKIE(LIST_MESSAGES, uid)))
			return;
	}
}

static int partfolder_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct err e;

	if (!f)
		return ESTALE;
	if (f->id && !f->is_loaded && mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return fs_errno(&e);
	pthread_mutex_lock(&f->mailbox->lock);
	f->is_in_parts = true;
	if (listing_folders(f, after, folder_entry, emit, arg))
		list_messages(f, after, emit, arg);
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

static int partfolder_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f;
	int err = listing_open(t, h, true, &f);

	(void)flags;
	if (err)
		return err;
	shown_open(&f->shown_parts, f->listings[PLACE_MAIL].version, h, how);
	pthread_mutex_unlock(&f->mailbox->lock);
	return 0;
}

/* ---- what the kernel is told ---- */

static void tell_message_changed(struct fs_folder *f, const struct fs_msg *old,
    const struct fs_msg *now, struct notices *ns)
{
	struct node dir = {NODE_partfolder, f->slot, 0};

	if (!f->is_in_parts || (old && now && strcmp(old->name, now->name) == 0))
		return;
	if (old)
		notice_entry(ns, dir, old->name);
	notice_inode(ns, dir, true);
}

static void tell_folder_went(struct fs_folder *f, struct notices *ns)
{
	struct node parent = {NODE_partfolder, f->parent->slot, 0};

	if (!f->parent->is_in_parts)
		return;
	notice_entry(ns, parent, f->name);
	notice_inode(ns, parent, true);
}

static void tell_folder_came(struct fs_folder *f, struct notices *ns)
{
	if (f->parent->is_in_parts)
		notice_inode(ns, (struct node){NODE_partfolder, f->parent->slot, 0}, true);
}

const struct node_row node_partfolder_row = {
	.name = "partfolder",
	.is_dir = true,
	.is_session = true,
	.is_cached = true,
	.is_quick = true,
	.is_read_only = true,
	.attr = partfolder_attr,
	.lookup = partfolder_lookup,
	.list = partfolder_list,
	.folder = tree_folder,
	.open = partfolder_open,
	.message_changed = tell_message_changed,
	.folder_went = tell_folder_went,
	.folder_came = tell_folder_came,
};

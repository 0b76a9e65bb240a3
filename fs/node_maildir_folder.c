/*
 * fs/node_maildir_folder.c - a Maildir: cur, new and tmp, files of tools, and in the user's own one, which is
 * INBOX, all other folders beside them (Maildir++).
 *
 * The node's slot is that of the folder; of the user's, that of the mailbox's top.
 */
#include "fs/listing.h"
#include "fs/maildir.h"
#include "fs/maildirfile.h"
#include "fs/mailop.h"
#include "fs/sidecars.h"
#include "fs/tree.h"

#include "fs/err_map.h"

#include "base/clock.h"
#include "mime/decode.h"

#include <errno.h>
#include <string.h>

/* cur, new and tmp of a folder that was made, or that were removed, can be made for so long. */
#define UNMADE_MS 10000
#define ALL_SUBS (1u << PLACE_CUR | 1u << PLACE_NEW | 1u << PLACE_TMP)

enum { LIST_SUBS = 1, LIST_FILES, LIST_FOLDERS, LIST_SIDECARS };

static void stat_of(const struct fs_folder *f, struct stat *st)
{
	const struct mailbox *mb = f->mailbox;

	tree_stat(mb->tree, st, S_IFDIR | 0700, mb->uid, mb->gid, mb->tree->started_ms);
	st->st_ino = tree_st_ino(mb->tree, mb->user.n, NODE_maildir_folder, f->id, 0);
	st->st_nlink = 5;
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

/* The folder whose messages and files these are: the store is asked where it is not known yet. */
static int box_of(struct fs_folder *f, struct fs_folder **box_r)
{
	struct err e;

	*box_r = NULL;
	for (int tries = 0; tries < 2; tries++) {
		pthread_mutex_lock(&f->mailbox->lock);
		*box_r = maildir_box(f);
		pthread_mutex_unlock(&f->mailbox->lock);
		if (*box_r)
			return 0;
		if (mailbox_sync(f->mailbox, &e) < 0)
			return fs_errno(&e);
	}
	return ENOENT;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static int sub_entry(struct tree *t, const struct fs_folder *box, enum fs_place place,
    struct node_entry *entry)
{
	*entry = (struct node_entry){.node = maildir_sub_node(box, place), .timeout_s = TREE_TIMEOUT_S};
	return node_rows[NODE_maildir_sub]->attr(t, entry->node, &entry->st);
}

static int file_entry(struct tree *t, const struct fs_folder *box, enum maildirfile file,
    struct node_entry *entry)
{
	*entry = (struct node_entry){.node = {NODE_maildir_file, box->slot, file}};
	return node_rows[NODE_maildir_file]->attr(t, entry->node, &entry->st);
}

static int find_sub(struct tree *t, struct fs_folder *box, enum fs_place place, struct node_entry *entry_r)
{
	bool is_there;

	pthread_mutex_lock(&box->mailbox->lock);
	is_there = maildir_sub_is_there(box, place);
	pthread_mutex_unlock(&box->mailbox->lock);
	return is_there ? sub_entry(t, box, place, entry_r) : ENOENT;
}

static bool find_folder(struct mailbox *mb, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *f;

	pthread_mutex_lock(&mb->lock);
	if ((f = maildir_folder_by_name(mb, name))) {
		*entry_r = (struct node_entry){.node = maildir_folder_node(f), .timeout_s = TREE_TIMEOUT_S};
		stat_of(f, &entry_r->st);
	}
	pthread_mutex_unlock(&mb->lock);
	return f != NULL;
}

static int find_sidecar(struct tree *t, struct fs_folder *box, const char *name,
    struct node_entry *entry_r)
{
	struct draft *d;
	int err = sidecars_find(t, box, name, &d);

	if (err)
		return err;
	*entry_r = (struct node_entry){.node = draft_node(d)};
	draft_stat(d, &entry_r->st);
	draft_put(&d); /* the folder's and the kernel's references hold it */
	return 0;
}

static int folder_lookup(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir), *box;
	enum fs_place place = maildir_sub_of(name);
	enum maildirfile file;
	struct err e;
	int err;

	if (!f)
		return ESTALE;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if ((err = box_of(f, &box)))
		return err;
	if (place != PLACES_N)
		return find_sub(t, box, place, entry_r);
	if ((file = maildirfile_by_name(f, name)) != MAILDIR_FILES_N)
		return file_entry(t, box, file, entry_r);
	if (f == f->mailbox->top && name[0] == '.') {
		if (find_folder(f->mailbox, name, entry_r))
			return 0;
		if (mailbox_sync(f->mailbox, &e) < 0)
			return fs_errno(&e);
		if (find_folder(f->mailbox, name, entry_r))
			return 0;
	}
	return find_sidecar(t, box, name, entry_r);
}

/* ---- listing --------------------------------------------------------------------------------------------- */

static bool list_subs(struct tree *t, struct fs_folder *box, uint64_t after, node_emit *emit, void *arg)
{
	struct node_entry entry;

	for (enum fs_place place = PLACE_CUR; place <= PLACE_TMP; place++)
		if (COOKIE(LIST_SUBS, place) > after && find_sub(t, box, place, &entry) == 0 &&
		    !emit(arg, maildir_sub_name(place), &entry, COOKIE(LIST_SUBS, place)))
			return false;
	return true;
}

static bool list_files(struct tree *t, struct fs_folder *dir, struct fs_folder *box, uint64_t after,
    node_emit *emit, void *arg)
{
	struct node_entry entry;

	for (int file = 0; file < MAILDIR_FILES_N; file++)
		if (COOKIE(LIST_FILES, (uint64_t)file + 1) > after && maildirfile_is_in(dir, (enum maildirfile)file) &&
		    file_entry(t, box, (enum maildirfile)file, &entry) == 0 &&
		    !emit(arg, maildirfile_name((enum maildirfile)file), &entry, COOKIE(LIST_FILES, (uint64_t)file + 1)))
			return false;
	return true;
}

static bool list_folders(struct fs_folder *dir, uint64_t after, node_emit *emit, void *arg)
{
	struct mailbox *mb = dir->mailbox;
	struct node_entry entry;
	bool has_room = true;

	if (dir != mb->top || after >= COOKIE(LIST_SIDECARS, 0))
		return true;
	pthread_mutex_lock(&mb->lock);
	for (size_t i = 0; i < mb->n && has_room; i++) {
		struct fs_folder *f = mb->folders[i];

		if (COOKIE(LIST_FOLDERS, f->slot) <= after || f->is_gone || f->id == 0 ||
		    strcmp(f->path, "INBOX") == 0 || strlen(f->maildir.name) > NAME_MAX_BYTES)
			continue;
		entry = (struct node_entry){.node = maildir_folder_node(f), .timeout_s = TREE_TIMEOUT_S};
		stat_of(f, &entry.st);
		has_room = emit(arg, f->maildir.name, &entry, COOKIE(LIST_FOLDERS, f->slot));
	}
	pthread_mutex_unlock(&mb->lock);
	return has_room;
}

/* Names and their kind alone: what they are is looked up by who wants it. */
static int list_sidecars(struct tree *t, struct fs_folder *box, uint64_t after, node_emit *emit, void *arg)
{
	uint64_t from = after > COOKIE(LIST_SIDECARS, 0) ? after - COOKIE(LIST_SIDECARS, 0) : 0;
	struct node_entry entry = {.node = {NODE_NONE, 0, 0}, .st.st_mode = S_IFREG};
	struct arena arena = {0};
	const char **names;
	size_t n;
	int err = sidecars_list(t, box, &arena, &names, &n);

	for (size_t i = from; !err && i < n; i++) {
		entry.st.st_ino = tree_st_ino(t, box->mailbox->user.n, NODE_draft, box->id, i);
		if (!emit(arg, names[i], &entry, COOKIE(LIST_SIDECARS, i + 1)))
			break;
	}
	arena_fini(&arena);
	return err;
}

static int folder_list_entries(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct fs_folder *f = tree_folder(t, dir), *box;
	int err;

	if (!f)
		return ESTALE;
	if ((err = box_of(f, &box)))
		return err;
	if (!list_subs(t, box, after, emit, arg) || !list_files(t, f, box, after, emit, arg) ||
	    !list_folders(f, after, emit, arg))
		return 0;
	return list_sidecars(t, box, after, emit, arg);
}

/* It is short, and not kept by the kernel. */
static int folder_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f = tree_folder(t, h->node);
	struct err e;

	(void)flags;
	how->past_cache = true;
	if (!f)
		return ESTALE;
	return mailbox_sync(f->mailbox, &e) < 0 ? fs_errno(&e) : tree_folder(t, h->node) ? 0 : ESTALE;
}

/* ---- files of tools -------------------------------------------------------------------------------------- */

static int folder_create_file(struct tree *t, struct handle *h, struct node dir, const char *name,
    const struct caller *who, struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir), *box;
	struct draft *d;
	int err;

	if (!f)
		return ESTALE;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (!mime_utf8_valid(str_view(name, strlen(name))))
		return EILSEQ;
	if ((err = box_of(f, &box)))
		return err;
	pthread_mutex_lock(&f->mailbox->lock);
	if (draft_by_name(box, PLACE_SIDE, name))
		err = EEXIST; /* another was faster */
	else if (!(d = draft_new(t, box, PLACE_SIDE, name, who->uid)))
		err = ENOSPC;
	if (!err)
		listing_created(d, h, entry_r);
	pthread_mutex_unlock(&f->mailbox->lock);
	return err;
}

static int folder_unlink(struct tree *t, struct node dir, const char *name)
{
	struct fs_folder *f = tree_folder(t, dir), *box;
	int err;

	if (!f)
		return ESTALE;
	if ((err = box_of(f, &box)))
		return err;
	if (maildirfile_by_name(f, name) != MAILDIR_FILES_N)
		return 0; /* it is made up again: rm -r means the folder */
	return sidecars_unlink(t, box, name);
}

static int rename_folder(struct tree *t, struct fs_folder *top, const char *name, const char *to_name,
    bool noreplace)
{
	struct fs_folder *f;
	struct str_buf path = {0};
	int err = maildir_folder_decode(to_name, &path);

	if (!err) {
		pthread_mutex_lock(&top->mailbox->lock);
		f = maildir_folder_by_name(top->mailbox, name);
		pthread_mutex_unlock(&top->mailbox->lock);
		err = f ? mailop_rename_folder(t, f, path.p, noreplace) : ENOENT;
	} else if (err == ENOENT) {
		err = EINVAL; /* no folder can be called so */
	}
	str_buf_fini(&path);
	return err;
}

static int folder_rename_entry(struct tree *t, struct node from, const char *name, struct node to,
    const char *to_name, bool noreplace)
{
	struct fs_folder *f = tree_folder(t, from), *box;
	struct node_entry entry;
	int err;

	if (!f)
		return ESTALE;
	if (to.kind != from.kind || to.slot != from.slot)
		return EXDEV;
	if (maildir_sub_of(name) != PLACES_N || maildir_sub_of(to_name) != PLACES_N)
		return EBUSY;
	if (f == f->mailbox->top && find_folder(f->mailbox, name, &entry))
		return rename_folder(t, f, name, to_name, noreplace);
	if (maildirfile_by_name(f, name) != MAILDIR_FILES_N)
		return EBUSY;
	if ((err = box_of(f, &box)))
		return err;
	if (maildirfile_by_name(f, to_name) != MAILDIR_FILES_N)
		return sidecars_unlink(t, box, name); /* written aside, and put in the place of what is made up */
	return sidecars_rename(t, box, name, to_name, noreplace);
}

/* ---- directories ----------------------------------------------------------------------------------------- */

static int make_sub(struct tree *t, struct fs_folder *box, enum fs_place place,
    struct node_entry *entry_r)
{
	bool was_there;

	pthread_mutex_lock(&box->mailbox->lock);
	was_there = maildir_sub_is_there(box, place);
	box->maildir.unmade &= ~(1u << place);
	pthread_mutex_unlock(&box->mailbox->lock);
	return was_there ? EEXIST : sub_entry(t, box, place, entry_r);
}

static void unmake(struct fs_folder *box, unsigned subs)
{
	pthread_mutex_lock(&box->mailbox->lock);
	box->maildir.unmade |= subs;
	box->maildir.unmade_until_ms = clock_mono_ms() + UNMADE_MS;
	pthread_mutex_unlock(&box->mailbox->lock);
}

static int folder_mkdir(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir), *box, *made;
	enum fs_place place = maildir_sub_of(name);
	struct str_buf path = {0};
	int err;

	if (!f)
		return ESTALE;
	if ((err = box_of(f, &box)))
		return err;
	if (place != PLACES_N)
		return make_sub(t, box, place, entry_r);
	if (f != f->mailbox->top)
		return EPERM; /* Maildir++ has no folders in folders, but `.A.B` */
	err = maildir_folder_decode(name, &path);
	if (!err)
		err = mailop_make_folder(t, f->mailbox, path.p);
	else if (err == ENOENT)
		err = EINVAL;
	str_buf_fini(&path);
	if (err)
		return err;
	if (!find_folder(f->mailbox, name, entry_r))
		return EIO;
	/* Who makes the folder makes what is in it as well, and is to be told that he did. */
	if ((made = tree_folder(t, entry_r->node)))
		unmake(made, ALL_SUBS);
	return 0;
}

static int remove_sub(struct fs_folder *f, struct fs_folder *box, enum fs_place place)
{
	struct err e;
	int err = 0;

	if (f == f->mailbox->top)
		return EBUSY;
	if (mailbox_sync_folder(f->mailbox, box, &e) < 0)
		return fs_errno(&e);
	pthread_mutex_lock(&f->mailbox->lock);
	for (size_t i = 0; i < box->n && !err; i++)
		err = maildir_place(box, box->msgs[i]) == place ? ENOTEMPTY : 0;
	if (draft_next(box, place, 0))
		err = ENOTEMPTY;
	pthread_mutex_unlock(&f->mailbox->lock);
	if (!err)
		unmake(box, 1u << place);
	return err;
}

static int folder_rmdir(struct tree *t, struct node dir, const char *name)
{
	struct fs_folder *f = tree_folder(t, dir), *box, *gone;
	enum fs_place place = maildir_sub_of(name);
	int err;

	if (!f)
		return ESTALE;
	if ((err = box_of(f, &box)))
		return err;
	if (place != PLACES_N)
		return remove_sub(f, box, place);
	pthread_mutex_lock(&f->mailbox->lock);
	gone = f == f->mailbox->top ? maildir_folder_by_name(f->mailbox, name) : NULL;
	pthread_mutex_unlock(&f->mailbox->lock);
	return gone ? mailop_remove_folder(t, gone) : ENOENT;
}

static int folder_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	return node_rows[NODE_folder]->set(t, n, st, what, who);
}

static int folder_statfs(struct tree *t, struct node n, struct statvfs *st)
{
	return node_rows[NODE_folder]->statfs(t, n, st);
}

static void tell_folder_went(struct fs_folder *f, struct notices *ns)
{
	notice_entry(ns, maildir_folder_node(f->mailbox->top), f->maildir.name);
}

const struct node_row node_maildir_folder_row = {
	.name = "maildir_folder",
	.is_dir = true,
	.is_session = true,
	.is_cached = true,
	.is_quick = true,
	.attr = folder_attr,
	.lookup = folder_lookup,
	.list = folder_list_entries,
	.folder = tree_folder,
	.open = folder_open,
	.set = folder_set,
	.create = folder_create_file,
	.unlink = folder_unlink,
	.mkdir = folder_mkdir,
	.rmdir = folder_rmdir,
	.rename = folder_rename_entry,
	.statfs = folder_statfs,
	.folder_went = tell_folder_went,
};

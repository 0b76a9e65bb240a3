/* fs/mailbox_folders.c - the folders of a mailbox, hung as the store lists them. */
#include "fs/mailbox_priv.h"

#include "fs/draft.h"
#include "fs/maildir_name.h"
#include "fs/tree.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct fs_folder *mailbox_folder_new(struct mailbox *mb, uint32_t id, const char *path)
{
	struct fs_folder *f = mem_alloc(sizeof *f);

	f->mailbox = mb;
	f->id = id;
	f->path = mem_str(path);
	f->name = mem_str("");
	f->maildir.name = mem_str("");
	for (int place = 0; place < PLACES_N; place++)
		f->listings[place].version = 1;
	f->slot = slots_add(&mb->tree->folders, f);
	if (mb->n == mb->size) {
		mb->size = mb->size ? mb->size * 2 : 16;
		mb->folders = mem_realloc(mb->folders, mb->size * sizeof(struct fs_folder *));
	}
	mb->folders[mb->n++] = f;
	return f;
}

/* A folder that is shown, by its id. */
static struct fs_folder *find_folder(struct mailbox *mb, uint32_t id)
{
	for (size_t i = 0; i < mb->n; i++)
		if (!mb->folders[i]->is_gone && mb->folders[i]->id == id)
			return mb->folders[i];
	return NULL;
}

/* By its store name; where a shadow is called like a folder that came, the folder. */
static struct fs_folder *find_path(struct mailbox *mb, const char *path)
{
	struct fs_folder *shadow = NULL;

	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];

		if (f->is_gone || strcmp(f->path, path) != 0)
			continue;
		if (f->id)
			return f;
		shadow = f;
	}
	return shadow;
}

struct fs_folder *mailbox_folder_of_use(struct mailbox *mb, enum folder_use use, const char *name)
{
	struct fs_folder *by_name = NULL;

	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];

		if (f->is_gone || f->id == 0)
			continue;
		if (f->use == use)
			return f;
		if (strcmp(f->path, name) == 0)
			by_name = f;
	}
	return by_name;
}

static void set_path(struct fs_folder *f, const char *path)
{
	if (strcmp(f->path, path) != 0) {
		free(f->path);
		f->path = mem_str(path);
	}
}

/* The folder above a path, made as a shadow where the store has none. */
static struct fs_folder *parent_of(struct mailbox *mb, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct fs_folder *f;
	char *above;

	if (!slash)
		return mb->top;
	above = mem_str(path);
	above[slash - path] = '\0';
	f = find_path(mb, above);
	if (!f)
		f = mailbox_folder_new(mb, 0, above);
	f->is_seen = true;
	free(above);
	return f;
}

static void hang(struct fs_folder *f, struct fs_folder *parent, struct notices *ns)
{
	const char *slash = strrchr(f->path, '/');
	const char *component = slash ? slash + 1 : f->path;
	struct str_buf name = {0}, flat = {0};

	name_folder_encode(str_view(component, strlen(component)), &name);
	maildir_folder_encode(f->path, &flat);
	if (f->parent != parent || strcmp(f->name, name.p) != 0 || strcmp(f->maildir.name, flat.p) != 0) {
		if (f->parent)
			tree_folder_went(f, ns);
		free(f->name);
		f->name = mem_str(name.p);
		free(f->maildir.name);
		f->maildir.name = mem_str(flat.p);
		f->parent = parent;
		tree_folder_came(f, ns);
	}
	str_buf_fini(&name);
	str_buf_fini(&flat);
}

void mailbox_bury(struct fs_folder *f, struct notices *ns)
{
	if (f->parent)
		tree_folder_went(f, ns);
	tree_folder_forgotten(f, ns);
	for (size_t i = 0; i < f->n; i++)
		notice_inode(ns, fs_msg_node(f, f->msgs[i]->uid.n), false);
	notice_inode(ns, fs_folder_node(f), true);
	f->is_gone = true;
	fs_folder_clear(f);
}

/* Files of Maildir tools go with their folder; what is being written becomes mail elsewhere. */
static void drop_files(struct fs_folder *f)
{
	struct draft *next;

	for (struct draft *d = f->drafts; d; d = next) {
		next = d->next;
		if (d->place != PLACE_MAIL && d->writers == 0 && !d->is_closing)
			draft_unlink(d);
	}
}

/* Children in the order of their slots, which is how they are listed. */
static void relink(struct mailbox *mb)
{
	for (size_t i = 0; i < mb->n; i++)
		mb->folders[i]->children = NULL;
	for (size_t i = mb->n; i-- > 0;) {
		struct fs_folder *f = mb->folders[i];

		if (f->is_gone || f == mb->top)
			continue;
		f->next = f->parent->children;
		f->parent->children = f;
	}
}

static void bury_unseen(struct mailbox *mb, bool shadows, struct notices *ns)
{
	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];

		if (f->is_seen || f->is_gone || (f->id == 0) != shadows)
			continue;
		mailbox_bury(f, ns);
		drop_files(f);
	}
}

void mailbox_apply_folders(struct mailbox *mb, const struct folder_info *list, size_t n,
    struct notices *ns)
{
	size_t i;

	for (i = 0; i < mb->n; i++)
		mb->folders[i]->is_seen = mb->folders[i] == mb->top;
	for (i = 0; i < n; i++) {
		struct fs_folder *f = find_folder(mb, list[i].id.n);

		if (!f)
			f = mailbox_folder_new(mb, list[i].id.n, list[i].name);
		set_path(f, list[i].name);
		f->is_seen = true;
		f->use = list[i].use;
		f->uidvalidity = list[i].uidvalidity;
		f->changed_ms = list[i].changed_ms;
		if (f->uidnext == 0)
			f->uidnext = list[i].uidnext;
	}
	/* Before anything is hung: another may have a name that one of these had. */
	bury_unseen(mb, false, ns);
	/* Shadows are added behind, and looked at in turn: each needs its parent too. */
	for (i = 0; i < mb->n; i++)
		if (mb->folders[i]->is_seen && mb->folders[i] != mb->top)
			hang(mb->folders[i], parent_of(mb, mb->folders[i]->path), ns);
	bury_unseen(mb, true, ns);
	relink(mb);
}

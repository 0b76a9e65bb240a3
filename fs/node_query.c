/*
 * fs/node_query.c - a directory of view/ that shows messages, as links into mail/.
 *
 * Who opens it gets what the store says at that moment, and lists that until he closes it.  The kernel keeps
 * neither names in it nor listings; a link's attributes for a moment, since ls -l asks for them twice.
 */
#include "fs/viewdir.h"

#include "fs/name.h"

#include <errno.h>
#include <string.h>

static struct fs_folder *query_folder(struct tree *t, struct node n)
{
	struct viewdir_about about;

	return viewdir_of(t, n, &about) ? about.mb->top : NULL;
}

static int query_attr(struct tree *t, struct node n, struct stat *st)
{
	struct viewdir_about about;

	if (!viewdir_of(t, n, &about))
		return ESTALE;
	tree_stat(t, st, S_IFDIR | 0500, about.mb->uid, about.mb->gid, t->started_ms);
	st->st_ino = viewdir_st_ino(about.mb, about.kind, about.text);
	return 0;
}

static int entry_of(struct tree *t, enum viewdir_kind kind, const struct viewset_entry *found,
    struct node_entry *entry_r)
{
	enum node_kind link = kind < VIEWDIR_SEARCH ? NODE_link : NODE_deeplink;

	*entry_r = (struct node_entry){.node = {link, found->folder, found->uid}, .attr_timeout_s = 1.0};
	return node_rows[link]->attr(t, entry_r->node, &entry_r->st);
}

static int query_lookup(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r)
{
	const struct viewset_entry *found;
	struct viewdir_about about;
	struct viewset *set;
	int err;

	if (!viewdir_of(t, dir, &about))
		return ESTALE;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if ((err = viewdir_set(t, dir, false, &set)))
		return err;
	found = viewset_find(set, name);
	/* A message that went meanwhile is not in the view either. */
	if (!found || entry_of(t, about.kind, found, entry_r))
		err = ENOENT;
	viewset_put(&set);
	return err;
}

static int query_list(struct tree *t, struct handle *h, uint64_t after, node_emit *emit, void *arg)
{
	const struct viewset *set = h->view;
	struct viewdir_about about;
	struct node_entry entry;

	if (!set || !viewdir_of(t, h->node, &about))
		return ESTALE;
	for (uint64_t i = after; i < set->n; i++) {
		if (entry_of(t, about.kind, &set->list[i], &entry))
			continue; /* it went meanwhile */
		if (!emit(arg, viewset_name(set, &set->list[i]), &entry, i + 1))
			break;
	}
	return 0;
}

static int query_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	(void)flags;
	(void)how;
	return viewdir_set(t, h->node, true, &h->view);
}

/* touch keeps a search, as mkdir does, where the mount can't see that somebody is in mkdir(2). */
static int query_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	struct viewdir_about about;
	int err;

	(void)st;
	(void)who;
	if (!viewdir_of(t, n, &about))
		return ESTALE;
	if (about.kind != VIEWDIR_SEARCH || (what & ~(unsigned)(NODE_SET_MTIME | NODE_SET_ATIME)))
		return EROFS;
	err = viewuser_keep(about.mb, about.text);
	return err == EEXIST ? 0 : err;
}

const struct node_row node_query_row = {
	.name = "query",
	.is_dir = true,
	.is_session = true,
	.is_read_only = true,
	.attr = query_attr,
	.lookup = query_lookup,
	.list_open = query_list,
	.is_slow = viewdir_is_stale,
	.folder = query_folder,
	.open = query_open,
	.set = query_set,
	.remember = viewdir_remember,
	.forget = viewdir_forget,
};

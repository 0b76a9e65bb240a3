/*
 * fs/node_partmsg.c - a message under parts/, as a directory: itself, its header, what people want of that
 * header, its text, its flags, and each of its parts without its transfer encoding.
 *
 * Looking into it costs one reading of the message, for the sizes to be true; its name alone costs nothing.
 */
#include "fs/partdir.h"

#include <errno.h>

void fs_partmsg_stat(const struct fs_folder *f, const struct fs_msg *m, struct stat *st)
{
	const struct mailbox *mb = f->mailbox;

	tree_stat(mb->tree, st, S_IFDIR | 0500, mb->uid, mb->gid, m->idate_ms);
	st->st_ino = tree_st_ino(mb->tree, mb->user.n, NODE_partmsg, f->id, m->uid.n);
}

static int partmsg_attr(struct tree *t, struct node n, struct stat *st)
{
	struct fs_folder *f;
	struct fs_msg *m = fs_message_hold(t, n, &f);

	if (!m)
		return ESTALE;
	fs_partmsg_stat(f, m, st);
	fs_message_let_go(f);
	return 0;
}

static int entry_of(struct tree *t, struct node dir, struct node any, const struct partlist *list,
    const struct partfile *file, struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);

	if (!f)
		return ESTALE;
	if (file->kind == PARTFILE_FLAGS) { /* they change: it is looked at anew each time */
		*entry_r = (struct node_entry){.node = {NODE_partflags, dir.slot, dir.item}};
		return node_rows[NODE_partflags]->attr(t, entry_r->node, &entry_r->st);
	}
	*entry_r = (struct node_entry){.node = partdir_file_node(any, file), .timeout_s = TREE_TIMEOUT_S};
	partdir_stat(f, dir.item, list, file, &entry_r->st);
	return 0;
}

static int partmsg_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);
	const struct partfile *file;
	struct partlist *list;
	struct node any;
	int err = f ? partdir_list(t, f, dir.item, &any, &list) : ESTALE;

	if (err)
		return err;
	file = partlist_find(list, name);
	err = file ? entry_of(t, dir, any, list, file, entry_r) : ENOENT;
	partlist_put(&list);
	return err;
}

static int partmsg_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct node_entry entry;
	struct partlist *list;
	struct node any;
	int err = f ? partdir_list(t, f, dir.item, &any, &list) : ESTALE;

	if (err)
		return err;
	for (uint64_t i = after; !err && i < list->n; i++) {
		err = entry_of(t, dir, any, list, &list->files[i], &entry);
		if (!err && !emit(arg, list->files[i].name, &entry, i + 1))
			break;
	}
	partlist_put(&list);
	return err;
}

static bool partmsg_is_slow(struct tree *t, struct node dir)
{
	struct fs_folder *f = tree_folder(t, dir);

	return f && partdir_is_slow(t, f, dir.item);
}

/* What is in it never changes, so what the kernel holds is good. */
static int partmsg_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f = tree_folder(t, h->node);
	struct part_message m;

	(void)flags;
	how->keep_cache = true;
	return f ? partdir_message(f, h->node.item, &m) : ESTALE;
}

static void tell_message_touched(struct fs_folder *f, uint32_t uid, struct notices *ns)
{
	if (f->is_in_parts)
		notice_inode(ns, (struct node){NODE_partmsg, f->slot, uid}, true);
}

const struct node_row node_partmsg_row = {
	.name = "partmsg",
	.is_dir = true,
	.is_session = true,
	.is_cached = true,
	.is_quick = true,
	.is_read_only = true,
	.attr = partmsg_attr,
	.lookup = partmsg_lookup,
	.list = partmsg_list,
	.is_slow = partmsg_is_slow,
	.folder = tree_folder,
	.open = partmsg_open,
	.message_touched = tell_message_touched,
};

/*
 * fs/node_maildir_stale.c - a message by a name with flags that were changed a moment ago.
 *
 * The same octets, and another node: the kernel leaves out a rename between two names of one node.
 */
#include "fs/mailbox.h"
#include "fs/tree.h"

static struct node message_of(struct node n)
{
	return (struct node){NODE_message, n.slot, n.item};
}

static int stale_attr(struct tree *t, struct node n, struct stat *st)
{
	int err = node_rows[NODE_message]->attr(t, message_of(n), st);
	struct fs_folder *f = tree_folder(t, n);

	if (!err && f)
		st->st_ino = tree_st_ino(t, f->mailbox->user.n, n.kind, f->id, n.item);
	return err;
}

static int stale_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	return node_rows[NODE_message]->open(t, h, flags, how);
}

static int stale_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r)
{
	return node_rows[NODE_message]->read(t, h, at, octets, n, n_r);
}

static int stale_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	return node_rows[NODE_message]->set(t, message_of(n), st, what, who);
}

static int stale_getxattr(struct tree *t, struct node n, const char *name, struct str_buf *out)
{
	return node_rows[NODE_message]->getxattr(t, message_of(n), name, out);
}

static void stale_listxattr(struct tree *t, struct node n, struct str_buf *out)
{
	node_rows[NODE_message]->listxattr(t, message_of(n), out);
}

static int stale_setxattr(struct tree *t, struct node n, const char *name, struct str_view value)
{
	return node_rows[NODE_message]->setxattr(t, message_of(n), name, value);
}

const struct node_row node_maildir_stale_row = {
	.name = "maildir_stale",
	.is_session = true,
	.is_quick = true,
	.attr = stale_attr,
	.folder = tree_folder,
	.open = stale_open,
	.read = stale_read,
	.set = stale_set,
	.getxattr = stale_getxattr,
	.listxattr = stale_listxattr,
	.setxattr = stale_setxattr,
	.slow_times = true,
};

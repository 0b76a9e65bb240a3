/* fs/node_maildir.c - maildir/: one Maildir per user. */
#include "fs/maildir.h"
#include "fs/users.h"

static int maildir_lookup(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *top;
	int err = users_find(t, name, &top);

	(void)dir;
	if (err)
		return err;
	*entry_r = (struct node_entry){
	    .node = {NODE_maildir_folder, top->slot, 0}, .timeout_s = USERS_TIMEOUT_S};
	return node_rows[NODE_maildir_folder]->attr(t, entry_r->node, &entry_r->st);
}

static int maildir_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	(void)dir;
	return users_list(t, NODE_maildir_folder, after, emit, arg);
}

const struct node_row node_maildir_row = {
	.name = "maildir",
	.is_dir = true,
	.attr = users_attr,
	.lookup = maildir_lookup,
	.list = maildir_list,
};

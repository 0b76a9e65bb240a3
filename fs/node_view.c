/* fs/node_view.c - view/: one directory per user, with mail found again across folders. */
#include "fs/users.h"
#include "fs/viewdir.h"

static int view_lookup(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *top;
	int err = users_find(t, name, &top);

	(void)dir;
	if (err)
		return err;
	*entry_r = (struct node_entry){.node = {NODE_viewuser, top->slot, VIEWUSER_TOP},
	    .timeout_s = USERS_TIMEOUT_S};
	return node_rows[NODE_viewuser]->attr(t, entry_r->node, &entry_r->st);
}

static int view_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	(void)dir;
	return users_list(t, NODE_viewuser, after, emit, arg);
}

const struct node_row node_view_row = {
	.name = "view",
	.is_dir = true,
	.is_cached = true,
	.is_read_only = true,
	.attr = users_attr,
	.lookup = view_lookup,
	.list = view_list,
};

/* fs/node_parts.c - parts/: one directory per user, and in it mail taken apart. */
#include "fs/users.h"

static int parts_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct fs_folder *top;
	int err = users_find(t, name, &top);

	(void)dir;
	if (err)
		return err;
	*entry_r = (struct node_entry){.node = {NODE_partfolder, top->slot, 0}, .timeout_s = USERS_TIMEOUT_S};
	return node_rows[NODE_partfolder]->attr(t, entry_r->node, &entry_r->st);
}

static int parts_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	(void)dir;
	return users_list(t, NODE_partfolder, after, emit, arg);
}

const struct node_row node_parts_row = {
	.name = "parts",
	.is_dir = true,
	.is_cached = true,
	.is_read_only = true,
	.attr = users_attr,
	.lookup = parts_lookup,
	.list = parts_list,
};

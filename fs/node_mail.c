/* fs/node_mail.c - mail/: one directory per user. */
#include "fs/users.h"

static int mail_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct fs_folder *top;
	int err = users_find(t, name, &top);

	(void)dir;
	if (err)
		return err;
	*entry_r = (struct node_entry){.node = fs_folder_node(top), .timeout_s = USERS_TIMEOUT_S};
	return node_rows[NODE_folder]->attr(t, entry_r->node, &entry_r->st);
}

static int mail_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	(void)dir;
	return users_list(t, NODE_folder, after, emit, arg);
}

const struct node_row node_mail_row = {
	.name = "mail",
	.is_dir = true,
	.is_cached = true,
	.attr = users_attr,
	.lookup = mail_lookup,
	.list = mail_list,
};

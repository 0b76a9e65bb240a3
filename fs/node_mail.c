/*
 * fs/node_mail.c - mail/: one directory per user.
 *
 * Mode 0711: everybody may go to his own by name, root alone sees who there is.  Users come and go
 * without telling us, so their entries are looked at anew after a second.
 */
#include "fs/tree.h"

#include "fs/err_map.h"

#include "store/directory.h"

#include <errno.h>

#define USER_TIMEOUT_S 1.0

static int mail_attr(struct tree *t, struct node n, struct stat *st)
{
	tree_stat(t, st, S_IFDIR | 0711, t->uid, t->gid, t->started_ms);
	st->st_ino = tree_st_ino(t, 0, n.kind, 0, 0);
	return 0;
}

static int mail_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct mailbox *mb;
	struct err e;

	(void)dir;
	if (mailbox_find(t, name, &mb, &e) < 0)
		return fs_errno(&e);
	*entry_r = (struct node_entry){.node = fs_folder_node(mb->top), .timeout_s = USER_TIMEOUT_S};
	return node_rows[NODE_folder]->attr(t, entry_r->node, &entry_r->st);
}

/* Names alone: a mailbox is not touched for being listed. */
static int mail_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct node_entry entry = {.node = {NODE_NONE, 0, 0}};
	struct directory_user *users;
	struct arena arena = {0};
	struct err e;
	size_t n;
	int err = 0;

	(void)dir;
	if (directory_users(t->site, &arena, &users, &n, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	entry.st.st_mode = S_IFDIR;
	for (uint64_t i = after; i < n; i++) {
		entry.st.st_ino = tree_st_ino(t, users[i].id.n, NODE_folder, 0, 0);
		if (!emit(arg, users[i].name, &entry, i + 1))
			break;
	}
out:
	arena_fini(&arena);
	return err;
}

const struct node_row node_mail_row = {
	.name = "mail",
	.is_dir = true,
	.attr = mail_attr,
	.lookup = mail_lookup,
	.list = mail_list,
};

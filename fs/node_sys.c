/*
 * fs/node_sys.c - sys/, sys/users/ and sys/users/USER/: directories of the control tree.
 *
 * Never sessions: who is refused must be able to see why.  Item tells which of the three, slot the
 * user's name.
 */
#include "fs/tree.h"

#include "fs/err_map.h"
#include "fs/intern.h"
#include "fs/sysfile.h"
#include "fs/users.h"

#include <errno.h>
#include <string.h>

enum { SYS_TOP, SYS_USERS, SYS_USER };

static struct node user_node(struct tree *t, const char *name)
{
	return (struct node){NODE_sys, intern(t, name), SYS_USER};
}

static int sys_attr(struct tree *t, struct node n, struct stat *st)
{
	struct mailbox *mb;
	const char *name;
	struct err e;

	users_top_stat(t, st);
	if (n.item == SYS_USER) {
		if (!(name = intern_name(t, n.slot)) || mailbox_find(t, name, &mb, &e) < 0)
			return ESTALE;
		st->st_mode = S_IFDIR | 0500;
		st->st_uid = mb->uid;
		st->st_gid = mb->gid;
	}
	st->st_ino = tree_st_ino(t, 0, NODE_sys, n.slot, n.item);
	return 0;
}

static int entry_of(struct tree *t, struct node n, struct node_entry *entry_r)
{
	*entry_r = (struct node_entry){.node = n, .timeout_s = 0};
	return node_rows[n.kind]->attr(t, n, &entry_r->st);
}

/* What is no sysfile. */
static const char *const others[] = {"changes", "users", "registry"};
static const size_t others_n = sizeof others / sizeof *others;

static int entry_of_other(struct tree *t, struct node dir, size_t i, struct node_entry *entry_r)
{
	if (i == 0)
		return entry_of(t, (struct node){NODE_changes, dir.slot, 0}, entry_r);
	if (dir.item != SYS_TOP)
		return ENOENT;
	return entry_of(t, i == 1 ? (struct node){NODE_sys, 0, SYS_USERS}
				  : (struct node){NODE_regkey, intern(t, ""), 0}, entry_r);
}

static int sys_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct mailbox *mb;
	struct err e;

	if (dir.item == SYS_USERS) {
		if (mailbox_find(t, name, &mb, &e) < 0)
			return fs_errno(&e);
		return entry_of(t, user_node(t, name), entry_r);
	}
	for (uint32_t i = 0; i < sysfiles_n; i++)
		if (sysfiles[i].is_of_user == (dir.item == SYS_USER) && strcmp(sysfiles[i].name, name) == 0)
			return entry_of(t, (struct node){NODE_sysfile, dir.slot, i}, entry_r);
	for (size_t i = 0; i < others_n; i++)
		if (strcmp(others[i], name) == 0)
			return entry_of_other(t, dir, i, entry_r);
	return ENOENT;
}

static int sys_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct node_entry entry;
	uint64_t i;
	int err;

	if (dir.item == SYS_USERS)
		return users_list(t, NODE_sys, after, emit, arg);
	for (i = after; i < sysfiles_n; i++) {
		if (sysfiles[i].is_of_user != (dir.item == SYS_USER))
			continue;
		if ((err = entry_of(t, (struct node){NODE_sysfile, dir.slot, (uint32_t)i}, &entry)) ||
		    !emit(arg, sysfiles[i].name, &entry, i + 1))
			return err;
	}
	for (; i < sysfiles_n + others_n; i++)
		if ((err = entry_of_other(t, dir, i - sysfiles_n, &entry)) ||
		    !emit(arg, others[i - sysfiles_n], &entry, i + 1))
			return err == ENOENT ? 0 : err;
	return 0;
}

const struct node_row node_sys_row = {
	.name = "sys",
	.is_dir = true,
	.attr = sys_attr,
	.lookup = sys_lookup,
	.list = sys_list,
};

/* fs/users.c - the users as directories. */
#include "fs/users.h"

#include "fs/err_map.h"

#include "store/directory.h"

void users_top_stat(const struct tree *t, struct stat *st)
{
	if (t->only.is_on)
		tree_stat(t, st, S_IFDIR | 0700, t->only.uid, t->only.gid, t->started_ms);
	else
		tree_stat(t, st, S_IFDIR | 0711, t->uid, t->gid, t->started_ms);
}

int users_attr(struct tree *t, struct node n, struct stat *st)
{
	users_top_stat(t, st);
	st->st_ino = tree_st_ino(t, 0, n.kind, 0, 0);
	return 0;
}

int users_find(struct tree *t, const char *name, struct fs_folder **top_r)
{
	struct mailbox *mb;
	struct err e;

	if (mailbox_find(t, name, &mb, &e) < 0)
		return fs_errno(&e);
	*top_r = mb->top;
	return 0;
}

int users_list(struct tree *t, enum node_kind of, uint64_t after, node_emit *emit, void *arg)
{
	struct node_entry entry = {.node = {NODE_NONE, 0, 0}, .st.st_mode = S_IFDIR};
	struct directory_user *users;
	struct arena arena = {0};
	struct err e;
	size_t n;
	int err = 0;

	if (directory_users(t->site, &arena, &users, &n, &e) < 0)
		err = fs_errno(&e);
	for (uint64_t i = after; !err && i < n; i++) {
		if (t->only.is_on && users[i].id.n != t->only.user.n)
			continue;
		entry.st.st_ino = tree_st_ino(t, users[i].id.n, of, 0, 0);
		if (!emit(arg, users[i].name, &entry, i + 1))
			break;
	}
	arena_fini(&arena);
	return err;
}

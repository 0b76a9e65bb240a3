/* fs/node_root.c - the top of the mount: one directory per tree. */
#include "fs/tree.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	struct node node;
} trees[] = {
    {"mail", {NODE_mail, 0, 0}},
    {"maildir", {NODE_maildir, 0, 0}},
    {"parts", {NODE_parts, 0, 0}},
    {"sys", {NODE_sys, 0, 0}},
    {"view", {NODE_view, 0, 0}},
};
#define TREES_N (sizeof trees / sizeof *trees)

static int root_attr(struct tree *t, struct node n, struct stat *st)
{
	(void)n;
	tree_stat(t, st, S_IFDIR | 0755, t->uid, t->gid, t->started_ms);
	st->st_ino = NODE_ROOT_INO;
	st->st_nlink = 2 + TREES_N;
	return 0;
}

static int entry_of(struct tree *t, size_t i, struct node_entry *entry)
{
	*entry = (struct node_entry){.node = trees[i].node, .timeout_s = TREE_TIMEOUT_S};
	return node_rows[entry->node.kind]->attr(t, entry->node, &entry->st);
}

static int root_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	(void)dir;
	for (size_t i = 0; i < TREES_N; i++)
		if (strcmp(trees[i].name, name) == 0)
			return entry_of(t, i, entry_r);
	return ENOENT;
}

static int root_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct node_entry entry;

	(void)dir;
	for (uint64_t i = after; i < TREES_N; i++) {
		int err = entry_of(t, i, &entry);

		if (err || !emit(arg, trees[i].name, &entry, i + 1))
			return err;
	}
	return 0;
}

const struct node_row node_root_row = {
	.name = "root",
	.is_dir = true,
	.is_cached = true, /* every path begins here: else each walk asks whether one may pass */
	.attr = root_attr,
	.lookup = root_lookup,
	.list = root_list,
};

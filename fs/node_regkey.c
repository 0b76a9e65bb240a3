/*
 * fs/node_regkey.c - a key of the registry, as a directory: subkeys and values.
 *
 * The slot is the key's full path; "" is above HKEY_LOCAL_MACHINE.  Names are looked up without case, as
 * in the original, and are one node each.
 */
#include "fs/tree.h"

#include "fs/err_map.h"
#include "fs/intern.h"

#include "limits/registry.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char hive[] = "HKEY_LOCAL_MACHINE";

static int regkey_attr(struct tree *t, struct node n, struct stat *st)
{
	tree_stat(t, st, S_IFDIR | 0700, t->uid, t->gid, t->started_ms);
	st->st_ino = tree_st_ino(t, 0, NODE_regkey, n.slot, 0);
	return 0;
}

/* What a key holds, in one arena; names that are no file names are left out by those who list. */
struct content {
	struct arena arena;
	const char **keys;
	struct registry_value *values;
	size_t keys_n, values_n;
};

static int content_of(struct tree *t, struct node n, struct content *c)
{
	static const char *top[] = {hive};
	const char *key = intern_name(t, n.slot);
	struct err e;

	*c = (struct content){0};
	if (!key)
		return ESTALE;
	if (!key[0]) {
		c->keys = top;
		c->keys_n = 1;
		return 0;
	}
	if (registry_subkeys(t->site, key, &c->arena, &c->keys, &c->keys_n, &e) < 0 ||
	    registry_query(t->site, key, false, true, &c->arena, &c->values, &c->values_n, &e) < 0)
		return fs_errno(&e);
	return 0;
}

static struct node key_node(struct tree *t, struct node dir, const char *name)
{
	const char *above = intern_name(t, dir.slot);
	struct str_buf path = {0};
	struct node n;

	str_buf_printf(&path, "%s%s%s", above, above[0] ? "\\" : "", name);
	n = (struct node){NODE_regkey, intern(t, path.p), 0};
	str_buf_fini(&path);
	return n;
}

static struct node value_node(struct tree *t, struct node dir, const char *name)
{
	return (struct node){NODE_regvalue, dir.slot, intern(t, name)};
}

static int entry_of(struct tree *t, struct node n, struct node_entry *entry_r)
{
	*entry_r = (struct node_entry){.node = n, .timeout_s = 0};
	return node_rows[n.kind]->attr(t, n, &entry_r->st);
}

static int regkey_lookup(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct content c;
	int err = content_of(t, dir, &c);
	bool found = false;

	for (size_t i = 0; !err && i < c.keys_n && !found; i++)
		if ((found = strcasecmp(c.keys[i], name) == 0))
			err = entry_of(t, key_node(t, dir, c.keys[i]), entry_r);
	for (size_t i = 0; !err && i < c.values_n && !found; i++)
		if ((found = strcasecmp(c.values[i].name, name) == 0))
			err = entry_of(t, value_node(t, dir, c.values[i].name), entry_r);
	arena_fini(&c.arena);
	return err ? err : found ? 0 : ENOENT;
}

static int regkey_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct node_entry entry;
	struct content c;
	int err = content_of(t, dir, &c);

	for (uint64_t i = after; !err && i < c.keys_n + c.values_n; i++) {
		bool is_key = i < c.keys_n;
		const char *name = is_key ? c.keys[i] : c.values[i - c.keys_n].name;

		if (!name[0] || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		err = entry_of(t, is_key ? key_node(t, dir, name) : value_node(t, dir, name), &entry);
		if (err || !emit(arg, name, &entry, i + 1))
			break;
	}
	arena_fini(&c.arena);
	return err;
}

/* A value that is not there yet; it is when it has been written. */
static int regkey_create(struct tree *t, struct handle *h, struct node dir, const char *name,
    const struct caller *who, struct node_entry *entry_r)
{
	int err;

	(void)who;
	if (!intern_name(t, dir.slot) || !intern_name(t, dir.slot)[0])
		return EPERM;
	if ((err = entry_of(t, value_node(t, dir, name), entry_r)))
		return err;
	h->node = entry_r->node;
	h->may_write = true;
	return 0;
}

static int regkey_unlink(struct tree *t, struct node dir, const char *name)
{
	const char *key = intern_name(t, dir.slot);
	struct err e;

	if (!key)
		return ESTALE;
	return registry_delete(t->site, key, name, &e) < 0 ? fs_errno(&e) : 0;
}

static int regkey_mkdir(struct tree *t, struct node dir, const char *name,
    struct node_entry *entry_r)
{
	struct node n;
	struct err e;

	if (!intern_name(t, dir.slot) || !intern_name(t, dir.slot)[0] || strchr(name, '\\'))
		return EPERM;
	n = key_node(t, dir, name);
	if (registry_create_key(t->site, intern_name(t, n.slot), &e) < 0)
		return fs_errno(&e);
	return entry_of(t, n, entry_r);
}

static int regkey_rmdir(struct tree *t, struct node dir, const char *name)
{
	const char *above = intern_name(t, dir.slot);
	struct str_buf path = {0};
	struct err e;
	int err = EPERM;

	if (above && above[0]) {
		str_buf_printf(&path, "%s\\%s", above, name);
		err = 0;
		if (registry_delete_key(t->site, path.p, &e) < 0)
			err = e.code == ERR_EXISTS ? ENOTEMPTY : fs_errno(&e);
	}
	str_buf_fini(&path);
	return err;
}

const struct node_row node_regkey_row = {
	.name = "regkey",
	.is_dir = true,
	.attr = regkey_attr,
	.lookup = regkey_lookup,
	.list = regkey_list,
	.create = regkey_create,
	.unlink = regkey_unlink,
	.mkdir = regkey_mkdir,
	.rmdir = regkey_rmdir,
};

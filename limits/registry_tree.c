/* limits/registry_tree.c - keys sorted by path, each with its values in the order they were set. */
#include "limits/registry_tree.h"

#include <string.h>
#include <strings.h>

int reg_path_normalise(const char *path, struct arena *arena, const char **path_r, struct err *e)
{
	const char *rest = strchr(path, '\\');
	size_t root_n = rest ? (size_t)(rest - path) : strlen(path);
	size_t n = strlen(path);
	bool is_short = root_n == 4 && strncasecmp(path, "HKLM", 4) == 0;

	if (!is_short && strncasecmp(path, "HKEY_", 5) != 0)
		return err_set(e, ERR_INVALID, "a key begins with HKEY_LOCAL_MACHINE\\ or HKLM\\");
	while (n > 0 && path[n - 1] == '\\')
		n--;
	if (n > REGISTRY_PATH_MAX)
		return err_set(e, ERR_INVALID, "a key's path is at most %d bytes", REGISTRY_PATH_MAX);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)path[i] < ' ' || (path[i] == '\\' && path[i + 1] == '\\'))
			return err_set(e, ERR_INVALID, "a key's path has an empty or unprintable part");
	*path_r = is_short ? arena_printf(arena, "HKEY_LOCAL_MACHINE%.*s", (int)(n - 4), path + 4)
	                   : arena_strn(arena, path, n);
	return 0;
}

bool reg_path_is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strncasecmp(path, above, n) == 0 && (path[n] == '\0' || path[n] == '\\');
}

/* Where path is, or would be. */
static size_t place_of(const struct reg_tree *tree, const char *path)
{
	size_t low = 0, high = tree->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcasecmp(tree->keys[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct reg_key *reg_tree_find(const struct reg_tree *tree, const char *path)
{
	size_t at = place_of(tree, path);

	return at < tree->n && strcasecmp(tree->keys[at].path, path) == 0 ? &tree->keys[at] : NULL;
}

struct reg_key *reg_tree_add(struct reg_tree *tree, const char *path)
{
	size_t at = place_of(tree, path);

	if (at < tree->n && strcasecmp(tree->keys[at].path, path) == 0)
		return &tree->keys[at];
	if (tree->n == tree->room) {
		struct reg_key *old = tree->keys;

		tree->room = tree->room ? tree->room * 2 : 16;
		tree->keys = ARENA_ARRAY(tree->arena, struct reg_key, tree->room);
		if (old)
			memcpy(tree->keys, old, tree->n * sizeof *old);
	}
	memmove(&tree->keys[at + 1], &tree->keys[at], (tree->n - at) * sizeof *tree->keys);
	tree->keys[at] = (struct reg_key){.path = arena_str(tree->arena, path)};
	tree->n++;
	return &tree->keys[at];
}

bool reg_tree_remove(struct reg_tree *tree, const char *path)
{
	size_t kept = 0, was = tree->n;

	for (size_t i = 0; i < tree->n; i++)
		if (!reg_path_is_below(tree->keys[i].path, path))
			tree->keys[kept++] = tree->keys[i];
	tree->n = kept;
	return kept < was;
}

struct reg_value *reg_key_find(const struct reg_key *key, const char *name)
{
	for (size_t i = 0; i < key->n; i++)
		if (strcasecmp(key->values[i].name, name) == 0)
			return &key->values[i];
	return NULL;
}

void reg_key_set(struct reg_tree *tree, struct reg_key *key, const struct reg_value *value)
{
	struct reg_value *at = reg_key_find(key, value->name);

	if (!at && key->n == key->room) {
		struct reg_value *old = key->values;

		key->room = key->room ? key->room * 2 : 8;
		key->values = ARENA_ARRAY(tree->arena, struct reg_value, key->room);
		if (old)
			memcpy(key->values, old, key->n * sizeof *old);
	}
	if (!at) {
		at = &key->values[key->n++];
		at->name = arena_str(tree->arena, value->name);
	}
	at->type = value->type;
	at->dword = value->dword;
	at->text = value->text ? arena_str(tree->arena, value->text) : NULL;
}

bool reg_key_remove(struct reg_key *key, const char *name)
{
	struct reg_value *at = reg_key_find(key, name);

	if (!at)
		return false;
	memmove(at, at + 1, (size_t)(key->values + key->n - (at + 1)) * sizeof *at);
	key->n--;
	return true;
}

void reg_tree_apply(struct reg_tree *tree, const struct reg_step *step)
{
	struct reg_key *key;

	switch (step->what) {
	case REG_STEP_KEY:
		reg_tree_add(tree, step->path);
		break;
	case REG_STEP_KEY_REMOVED:
		reg_tree_remove(tree, step->path);
		break;
	case REG_STEP_VALUE:
		reg_key_set(tree, reg_tree_add(tree, step->path), &step->value);
		break;
	case REG_STEP_VALUE_REMOVED:
		key = reg_tree_find(tree, step->path);
		if (key)
			reg_key_remove(key, step->value.name);
		break;
	}
}

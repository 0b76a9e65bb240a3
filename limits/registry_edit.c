/*
 * limits/registry_edit.c - the registry for people: set, delete, import, export, look.
 *
 * Every change is judged by its row before anything is written, an import as a whole; what has no row is
 * kept as it came.
 */
#include "limits/registry_priv.h"
#include "limits/setting.h"

#include <string.h>
#include <strings.h>

/* "MaxObjsPerMapiSession\objtMessage" as a name: the key goes on in the name. */
static int resolve(const char *key, const char *name, struct arena *arena, const char **path_r,
    const char **name_r, struct err *e)
{
	const char *cut = strrchr(name, '\\');

	if (strlen(name) > REGISTRY_PATH_MAX)
		return err_set(e, ERR_INVALID, "the name is too long");
	*name_r = cut ? cut + 1 : name;
	return reg_path_normalise(
	    cut ? arena_printf(arena, "%s\\%.*s", key, (int)(cut - name), name) : key, arena, path_r, e);
}

struct one_change {
	const char *path;
	struct reg_value value;
};

static int set_one(void *arg, struct reg_tree *tree, struct err *e)
{
	struct one_change *one = arg;

	(void)e;
	reg_key_set(tree, reg_tree_add(tree, one->path), &one->value);
	return 0;
}

static int delete_one(void *arg, struct reg_tree *tree, struct err *e)
{
	struct one_change *one = arg;
	struct reg_key *key = reg_tree_find(tree, one->path);

	if (!key || !reg_key_remove(key, one->value.name))
		return err_set(e, ERR_NOTFOUND, "no value \"%s\" is set there", one->value.name);
	return 0;
}

/* A control character would break the line it is written in. */
static int check_text(const char *text, struct err *e)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			return err_set(e, ERR_INVALID, "a name or a text has an unprintable character");
	return 0;
}

static int set_value(struct site *site, const char *key, const char *name, struct reg_value value,
    struct err *e)
{
	struct arena arena = {0};
	struct one_change one = {.value = value};
	int r = resolve(key, name, &arena, &one.path, &one.value.name, e);

	if (r == 0)
		r = check_text(one.value.name, e);
	if (r == 0)
		r = check_text(value.text, e);
	if (r == 0) {
		int setting = setting_lookup(one.path, one.value.name);
		uint32_t number;

		if (setting >= 0)
			r = setting_number((enum setting)setting, &value, &number, e);
	}
	if (r == 0)
		r = registry_update(site, set_one, &one, e);
	arena_fini(&arena);
	return r;
}

int registry_set_dword(struct site *site, const char *key, const char *name, uint32_t value,
    struct err *e)
{
	return set_value(site, key, name, (struct reg_value){.type = REGISTRY_DWORD, .dword = value},
	    e);
}

int registry_set_text(struct site *site, const char *key, const char *name, const char *text,
    struct err *e)
{
	return set_value(site, key, name, (struct reg_value){.type = REGISTRY_SZ, .text = text}, e);
}

int registry_set(struct site *site, const char *key, const char *name, const char *text,
    struct err *e)
{
	struct str_view view = str_trim(str_view(text, strlen(text)));
	struct arena arena = {0};
	const char *path, *last = NULL;
	uint64_t n;
	int r = resolve(key, name, &arena, &path, &last, e);
	int setting = r < 0 ? -1 : setting_lookup(path, last);

	text = arena_strn(&arena, view.p, view.n);
	if (r < 0)
		;
	else if (setting >= 0 && setting_rows[setting].scope == REG_POLICY &&
	    strcasecmp(text, "null") == 0)
		r = registry_set_dword(site, key, name, SETTING_NULL, e);
	else if (str_number(view, UINT32_MAX, &n) &&
	    (setting < 0 || !setting_is_choice((enum setting)setting)))
		r = registry_set_dword(site, key, name, (uint32_t)n, e);
	else
		r = registry_set_text(site, key, name, text, e);
	arena_fini(&arena);
	return r;
}

int registry_delete(struct site *site, const char *key, const char *name, struct err *e)
{
	struct arena arena = {0};
	struct one_change one = {0};
	int r = resolve(key, name, &arena, &one.path, &one.value.name, e);

	if (r == 0)
		r = registry_update(site, delete_one, &one, e);
	arena_fini(&arena);
	return r;
}

static int create_one(void *arg, struct reg_tree *tree, struct err *e)
{
	(void)e;
	reg_tree_add(tree, arg);
	return 0;
}

int registry_create_key(struct site *site, const char *key, struct err *e)
{
	struct arena arena = {0};
	const char *path;
	int r = reg_path_normalise(key, &arena, &path, e);

	if (r == 0)
		r = registry_update(site, create_one, (void *)(uintptr_t)path, e);
	arena_fini(&arena);
	return r;
}

static int delete_empty(void *arg, struct reg_tree *tree, struct err *e)
{
	const char *path = arg;
	const struct reg_key *key = reg_tree_find(tree, path);

	for (int scope = 0; scope < REG_SCOPES_N; scope++)
		if (reg_path_is_below(registry_scope_key((enum registry_scope)scope), path))
			return err_set(e, ERR_PERM, "settings stand there: the key can't go");
	for (size_t i = 0; i < tree->n; i++)
		if (reg_path_is_below(tree->keys[i].path, path) &&
		    (&tree->keys[i] != key || tree->keys[i].n > 0))
			return err_set(e, ERR_EXISTS, "the key is not empty");
	if (!reg_tree_remove(tree, path))
		return err_set(e, ERR_NOTFOUND, "there is no such key");
	return 0;
}

int registry_delete_key(struct site *site, const char *key, struct err *e)
{
	struct arena arena = {0};
	const char *path;
	int r = reg_path_normalise(key, &arena, &path, e);

	if (r == 0)
		r = registry_update(site, delete_empty, (void *)(uintptr_t)path, e);
	arena_fini(&arena);
	return r;
}

/* A value that its row would refuse stops the import: nothing of the file is applied then. */
static int import_step(void *arg, const struct reg_step *step, struct err *e)
{
	int setting = step->what == REG_STEP_VALUE ? setting_lookup(step->path, step->value.name) : -1;
	uint32_t number;

	if (setting >= 0 && setting_number((enum setting)setting, &step->value, &number, e) < 0)
		return err_context(e, "line %u", step->line);
	reg_tree_apply(arg, step);
	return 0;
}

static int import_all(void *arg, struct reg_tree *tree, struct err *e)
{
	return reg_text_parse(*(struct str_view *)arg, tree->arena, import_step, tree, e);
}

int registry_import(struct site *site, struct str_view text, struct err *e)
{
	return registry_update(site, import_all, &text, e);
}

/* ---- looking ---- */

int registry_export(struct site *site, struct str_buf *out, struct err *e)
{
	struct arena arena = {0};
	struct reg_tree tree = {.arena = &arena};
	int r = registry_load(site, &tree, e);

	if (r == 0)
		reg_text_print(&tree, out);
	arena_fini(&arena);
	return r;
}

/* The keys of the rows stand in the tree too, whether anything is set there or not. */
static void add_row_keys(struct reg_tree *tree)
{
	for (int i = 0; i < REG_SCOPES_N; i++)
		reg_tree_add(tree, setting_scope_key((enum registry_scope)i));
}

struct query {
	struct arena *arena;
	struct registry_value *list;
	size_t n, room;
};

static void add_result(struct query *query, const char *path, const struct reg_value *value,
    bool is_default)
{
	if (query->n == query->room) {
		struct registry_value *old = query->list;

		query->room = query->room ? query->room * 2 : 32;
		query->list = ARENA_ARRAY(query->arena, struct registry_value, query->room);
		if (old)
			memcpy(query->list, old, query->n * sizeof *old);
	}
	query->list[query->n++] = (struct registry_value){.key = path,
	    .name = value->name, .type = value->type, .dword = value->dword,
	    .text = value->text ? arena_str(query->arena, value->text) : NULL,
	    .is_default = is_default};
}

static void query_key(struct query *query, const struct reg_key *key, bool with_defaults)
{
	for (size_t i = 0; i < key->n; i++)
		add_result(query, key->path, &key->values[i], false);
	for (int i = 0; with_defaults && i < SETTINGS_N; i++) {
		struct reg_value value;

		if (!setting_is_under((enum setting)i, key->path) ||
		    reg_key_find(key, setting_rows[i].name))
			continue;
		setting_default((enum setting)i, &value);
		add_result(query, key->path, &value, true);
	}
}

int registry_query(struct site *site, const char *key, bool recursive, bool with_defaults,
    struct arena *arena, struct registry_value **list_r, size_t *n_r, struct err *e)
{
	struct reg_tree tree = {.arena = arena};
	struct query query = {.arena = arena};
	const char *path = NULL;
	bool found = !key;

	if ((key && reg_path_normalise(key, arena, &path, e) < 0) ||
	    registry_load(site, &tree, e) < 0)
		return -1;
	add_row_keys(&tree);
	for (size_t i = 0; i < tree.n; i++) {
		const char *at = tree.keys[i].path;

		if (path && !reg_path_is_below(at, path))
			continue;
		found = true;
		if (!path || recursive || strcasecmp(at, path) == 0)
			query_key(&query, &tree.keys[i], with_defaults);
	}
	if (!found)
		return err_set(e, ERR_NOTFOUND, "there is no key %.120s", path);
	*list_r = query.list;
	*n_r = query.n;
	return 0;
}

int registry_get(struct site *site, const char *key, const char *name, struct arena *arena,
    struct registry_value *value_r, struct err *e)
{
	struct registry_value *list;
	const char *path, *last = NULL;
	size_t n;

	if (resolve(key, name, arena, &path, &last, e) < 0 ||
	    registry_query(site, path, false, true, arena, &list, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i].name, last) == 0) {
			*value_r = list[i];
			return 0;
		}
	return err_set(e, ERR_NOTFOUND, "there is no value \"%.100s\" there", last);
}

static bool is_listed(const char *const *names, size_t n, const char *name)
{
	while (n > 0)
		if (strcasecmp(names[--n], name) == 0)
			return true;
	return false;
}

int registry_subkeys(struct site *site, const char *key, struct arena *arena,
    const char ***names_r, size_t *n_r, struct err *e)
{
	struct reg_tree tree = {.arena = arena};
	const char **names, *path;
	size_t n = 0, above_n;

	if (reg_path_normalise(key, arena, &path, e) < 0 || registry_load(site, &tree, e) < 0)
		return -1;
	add_row_keys(&tree);
	above_n = strlen(path);
	names = ARENA_ARRAY(arena, const char *, tree.n);
	for (size_t i = 0; i < tree.n; i++) {
		const char *below = tree.keys[i].path, *name;

		if (!reg_path_is_below(below, path) || below[above_n] == '\0')
			continue;
		below += above_n + 1;
		name = arena_strn(arena, below, strcspn(below, "\\"));
		if (!is_listed(names, n, name))
			names[n++] = name;
	}
	*names_r = names;
	*n_r = n;
	return 0;
}

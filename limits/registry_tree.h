/*
 * The registry's contents as a tree of keys, and its `.reg` text.  Plain data in an arena; knows no
 * files, no locks, and no rows but to print their defaults as comments.
 */
#ifndef LIMITS_REGISTRY_TREE_H
#define LIMITS_REGISTRY_TREE_H

#include "limits/registry.h"

#define REGISTRY_PATH_MAX 1024 /* bytes of a key or a name */
#define REGISTRY_TEXT_MAX (1 << 20)

struct reg_value {
	const char *name; /* "" is the key's default value, written @ */
	enum registry_type type;
	uint32_t dword;
	const char *text;
};

struct reg_key {
	const char *path;
	struct reg_value *values;
	size_t n, room;
};

struct reg_tree {
	struct arena *arena;
	struct reg_key *keys; /* sorted by path, without case */
	size_t n, room;
};

/* Spells a key in full ("HKLM\a\" becomes "HKEY_LOCAL_MACHINE\a").  INVALID. */
WARN_UNUSED int reg_path_normalise(const char *path, struct arena *arena, const char **path_r,
    struct err *e);
/* Whether path is below (or is) above. */
bool reg_path_is_below(const char *path, const char *above);

struct reg_key *reg_tree_find(const struct reg_tree *tree, const char *path);
struct reg_key *reg_tree_add(struct reg_tree *tree, const char *path);
/* The key and all below it; false if there is none. */
bool reg_tree_remove(struct reg_tree *tree, const char *path);
struct reg_value *reg_key_find(const struct reg_key *key, const char *name);
/* Copies the strings. */
void reg_key_set(struct reg_tree *tree, struct reg_key *key, const struct reg_value *value);
bool reg_key_remove(struct reg_key *key, const char *name);

/* One step of a `.reg` text. */
struct reg_step {
	enum { REG_STEP_KEY, REG_STEP_KEY_REMOVED, REG_STEP_VALUE, REG_STEP_VALUE_REMOVED } what;
	const char *path;
	struct reg_value value;
	unsigned line;
};
/*
 * Reads text in any of the forms that regedit writes, calling step for each line; its -1 ends it.
 * INVALID names the line.
 */
WARN_UNUSED int reg_text_parse(struct str_view text, struct arena *arena,
    int (*step)(void *arg, const struct reg_step *step, struct err *e), void *arg, struct err *e);
/* Version 5.00, UTF-8, CRLF; the rows' defaults as comments. */
void reg_text_print(const struct reg_tree *tree, struct str_buf *out);

/* Applies a step to the tree. */
void reg_tree_apply(struct reg_tree *tree, const struct reg_step *step);

#endif

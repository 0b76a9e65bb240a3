/*
 * fs/node_regvalue.c - a value of the registry, as a file.
 *
 * Reading gives decimal; one write(2) sets it, and answers EINVAL for what is no number, ERANGE for one
 * out of the setting's range.  Opening with O_TRUNC and closing mean nothing: echo does both.
 */
#include "fs/tree.h"

#include "fs/err_map.h"
#include "fs/intern.h"
#include "fs/sysfile.h"

#include "base/log.h"
#include "limits/registry.h"
#include "store/limit_note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int regvalue_attr(struct tree *t, struct node n, struct stat *st)
{
	if (!intern_name(t, n.slot) || !intern_name(t, n.item))
		return ESTALE;
	tree_stat(t, st, S_IFREG | 0600, t->uid, t->gid, t->started_ms);
	st->st_ino = tree_st_ino(t, 0, NODE_regvalue, n.slot, n.item);
	return 0;
}

static int regvalue_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	const char *key = intern_name(t, h->node.slot), *name = intern_name(t, h->node.item);
	struct registry_value value;
	struct arena arena = {0};
	struct err e;

	if (!key || !name)
		return ESTALE;
	how->direct_io = true;
	h->may_write = (flags & O_ACCMODE) != O_RDONLY;
	if (registry_get(t->site, key, name, &arena, &value, &e) == 0) {
		if (value.type == REGISTRY_DWORD)
			str_buf_printf(&h->text, "%u\n", value.dword);
		else
			str_buf_printf(&h->text, "%s\n", value.text);
	}
	arena_fini(&arena);
	return 0;
}

/* "20", "dword:00000014", "null". */
static int parse_dword(struct str_view text, uint32_t *value_r)
{
	char digits[16], *end;
	uint64_t n;

	if (str_equal_nocase(text, SV("null"))) {
		*value_r = SETTING_NULL;
		return 0;
	}
	if (str_begins_nocase(text, SV("dword:"))) {
		if (text.n < 7 || text.n > 14 || strspn(text.p + 6, "0123456789abcdefABCDEF") < text.n - 6)
			return EINVAL;
		memcpy(digits, text.p + 6, text.n - 6);
		digits[text.n - 6] = '\0';
		*value_r = (uint32_t)strtoul(digits, &end, 16);
		return 0;
	}
	if (text.n == 0 || strspn(text.p, "0123456789") < text.n)
		return EINVAL;
	if (!str_number(text, UINT32_MAX, &n))
		return ERANGE;
	*value_r = (uint32_t)n;
	return 0;
}

static const struct setting_row *row_of(const char *key, const char *name)
{
	for (int i = 0; i < SETTINGS_N; i++)
		if (strcasecmp(setting_rows[i].name, name) == 0 &&
		    strcasecmp(registry_scope_key(setting_rows[i].scope), key) == 0)
			return &setting_rows[i];
	return NULL;
}

static int set_dword(struct tree *t, const char *key, const char *name, struct str_view text)
{
	const struct setting_row *row = row_of(key, name);
	uint32_t value;
	struct err e;
	int err = parse_dword(text, &value);

	if (err)
		return err;
	if (row && value != SETTING_NULL && (value < row->min || value > row->max))
		return ERANGE;
	return registry_set_dword(t->site, key, name, value, &e) < 0 ? fs_errno(&e) : 0;
}

/* What is there keeps its type; a new one is a number where it looks like one, or where a setting is one. */
static int set_value(struct tree *t, const char *key, const char *name, struct str_view text,
    struct arena *arena)
{
	struct registry_value was;
	struct err e;
	int err = EINVAL;

	if (registry_get(t->site, key, name, arena, &was, &e) == 0) {
		if (was.type == REGISTRY_DWORD)
			return set_dword(t, key, name, text);
	} else if (e.code != ERR_NOTFOUND) {
		return fs_errno(&e);
	} else if ((err = set_dword(t, key, name, text)) != EINVAL || row_of(key, name)) {
		return err;
	}
	return registry_set_text(t->site, key, name, arena_strn(arena, text.p, text.n), &e) < 0
	           ? fs_errno(&e) : 0;
}

static void say_note(void *arg, const char *line)
{
	struct tree *t = arg;

	journal_say(t->journal, "setting-note", "text=\"%s\"", line);
}

static int regvalue_write(struct tree *t, struct handle *h, uint64_t at, const char *octets,
    size_t n)
{
	const char *key = intern_name(t, h->node.slot), *name = intern_name(t, h->node.item);
	struct arena arena = {0};
	struct str_view trimmed;
	char *text;
	int err;

	(void)at;
	if (!key || !name)
		return ESTALE;
	text = arena_strn(&arena, octets, n);
	trimmed = str_trim(str_view(text, n));
	err = set_value(t, key, name, trimmed, &arena);
	if (!err) {
		journal_say(t->journal, "setting-changed", "uid=%u name=\"%s\" value=%s", (unsigned)h->uid,
		    name, LOG_Q(arena_strn(&arena, trimmed.p, trimmed.n)));
		if (note_is_front_layer(name))
			note_store_limit(t->site, name, say_note, t);
	}
	arena_fini(&arena);
	return err;
}

/* ---- user.type: REG_DWORD or REG_SZ ---------------------------------------------------------------- */

#define TYPE "user.type"

static int value_of(struct tree *t, struct node n, struct arena *arena, struct registry_value *value_r)
{
	const char *key = intern_name(t, n.slot), *name = intern_name(t, n.item);
	struct err e;

	if (!key || !name)
		return ESTALE;
	return registry_get(t->site, key, name, arena, value_r, &e) < 0 ? fs_errno(&e) : 0;
}

static int regvalue_getxattr(struct tree *t, struct node n, const char *name, struct str_buf *out)
{
	struct registry_value value;
	struct arena arena = {0};
	int err = strcmp(name, TYPE) == 0 ? value_of(t, n, &arena, &value) : ENODATA;

	if (!err && value.type == REGISTRY_RAW)
		str_buf_put(out, value.text, strcspn(value.text, ":"));
	else if (!err)
		str_buf_puts(out, value.type == REGISTRY_DWORD ? "REG_DWORD" : "REG_SZ");
	arena_fini(&arena);
	return err;
}

static void regvalue_listxattr(struct tree *t, struct node n, struct str_buf *out)
{
	(void)t;
	(void)n;
	str_buf_put(out, TYPE, sizeof TYPE);
}

/* The same value as the other type: a text that is a number, a number as text. */
static int regvalue_setxattr(struct tree *t, struct node n, const char *name, struct str_view type)
{
	const char *key = intern_name(t, n.slot), *value_name = intern_name(t, n.item);
	struct registry_value value;
	struct arena arena = {0};
	struct err e;
	int err = strcmp(name, TYPE) == 0 ? value_of(t, n, &arena, &value) : EPERM;

	if (err || value.type == REGISTRY_RAW) {
		err = err ? err : EPERM;
	} else if (str_equal(type, SV("REG_DWORD"))) {
		if (value.type == REGISTRY_SZ)
			err = set_dword(t, key, value_name, str_view(value.text, strlen(value.text)));
	} else if (str_equal(type, SV("REG_SZ"))) {
		if (value.type == REGISTRY_DWORD &&
		    registry_set_text(t->site, key, value_name, arena_printf(&arena, "%u", value.dword), &e) < 0)
			err = fs_errno(&e);
	} else {
		err = EINVAL;
	}
	arena_fini(&arena);
	return err;
}

const struct node_row node_regvalue_row = {
	.name = "regvalue",
	.slow_writes = true,
	.attr = regvalue_attr,
	.open = regvalue_open,
	.read = sysfile_text_read,
	.write = regvalue_write,
	.set = sysfile_text_set,
	.getxattr = regvalue_getxattr,
	.listxattr = regvalue_listxattr,
	.setxattr = regvalue_setxattr,
};

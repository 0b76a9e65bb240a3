/*
 * ctl/ctl_reg.c - postern reg query|add|delete|export|import, as reg.exe spells them: /v /t /d /f are
 * taken too.  KEY defaults to MSExchangeIS\ParametersSystem, where the session limits stand.
 */
#include "base/io.h"
#include "ctl/regvalue.h"
#include "store/limit_note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define REG_FILE_MAX 4194304

static const char *value_name, *value_type, *value_data;
static bool force, recursive;

static const char *key_of(char **operands, int n)
{
	return n > 0 ? operands[0] : REGISTRY_PARAMETERS_SYSTEM;
}

/* --- query --------------------------------------------------------------------------------- */

/* reg.exe's layout, with the decimal beside the hexadecimal number. */
static void value_print(const struct registry_value *v)
{
	const char *note = v->is_default ? "    (default)" : "";

	if (v->type == REGISTRY_SZ)
		printf("    %s    REG_SZ    %s%s\n", v->name, v->text, note);
	else
		printf("    %s    REG_DWORD    0x%" PRIx32 " (%" PRIu32 ")%s\n", v->name, v->dword,
		    v->dword, note);
}

static int query_one(struct ctl *ctl, const char *key)
{
	struct arena arena = {0};
	struct registry_value value;
	struct err e;
	int code = CTL_OK;

	if (registry_get(ctl->site, key, value_name, &arena, &value, &e) < 0) {
		code = e.code == ERR_NOTFOUND
			   ? ctl_fail("%s has no value `%s`: `postern reg query` lists what is there",
				 key, value_name)
			   : ctl_fail_err(&e);
	} else {
		printf("%s\n", value.key);
		value_print(&value);
	}
	arena_fini(&arena);
	return code;
}

static int reg_query(struct ctl *ctl, char **operands, int n)
{
	const char *key = key_of(operands, n), *last = "";
	struct arena arena = {0};
	struct registry_value *list;
	size_t list_n;
	struct err e;

	if (value_name)
		return query_one(ctl, key);
	/* ParametersSystem and what hangs below it are few: without KEY all of them are shown. */
	if (registry_query(ctl->site, key, recursive || n == 0, true, &arena, &list, &list_n, &e) < 0) {
		arena_fini(&arena);
		return ctl_fail_err(&e);
	}
	for (size_t i = 0; i < list_n; i++) {
		if (strcmp(list[i].key, last) != 0)
			printf("%s%s\n", *last ? "\n" : "", list[i].key);
		last = list[i].key;
		value_print(&list[i]);
	}
	arena_fini(&arena);
	if (list_n == 0 && n > 0)
		return ctl_fail("no values under %s: `postern reg query` shows the usual ones", key);
	return CTL_OK;
}

/* --- add, delete --------------------------------------------------------------------------- */

static int reg_add(struct ctl *ctl, char **operands, int n)
{
	const char *key = key_of(operands, n);
	bool text = value_type && strcasecmp(value_type, "REG_SZ") == 0;
	uint32_t number;
	struct err e;
	int r;

	if (!value_name && !value_data && n > 0)
		return registry_create_key(ctl->site, key, &e) == 0 ? CTL_OK : ctl_fail_err(&e);
	if (!value_name || !value_data)
		return ctl_usage(ctl, "%s is missing", value_name ? "-d DECIMAL" : "-v NAME");
	if (value_type && !text && strcasecmp(value_type, "REG_DWORD") != 0)
		return ctl_usage(ctl, "type %s: only REG_DWORD and REG_SZ are kept", value_type);
	if (value_type && !text && !regvalue_number(value_data, &number))
		return ctl_usage(ctl, "`%s` is no number from 0 to 4294967295", value_data);
	if (text)
		r = registry_set_text(ctl->site, key, value_name, value_data, &e);
	else
		r = regvalue_set(ctl, key, value_name, value_data, &e);
	if (r < 0)
		return ctl_fail_err(&e);
	if (note_is_front_layer(value_name))
		ctl_note(ctl, value_name);
	return CTL_OK;
}

static int reg_delete(struct ctl *ctl, char **operands, int n)
{
	const char *key = key_of(operands, n);
	struct err e;

	if (!value_name)
		return ctl_usage(ctl, "-v NAME is missing");
	if (registry_delete(ctl->site, key, value_name, &e) == 0)
		return CTL_OK;
	if (e.code == ERR_NOTFOUND)
		return ctl_fail("`%s` is not set there: its default is in force already", value_name);
	return ctl_fail_err(&e);
}

/* --- files --------------------------------------------------------------------------------- */

/* Written in place: FILE may be a device or a link, and is nobody's but the caller's. */
static int file_write(const char *name, struct str_view text, struct err *e)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
	int r = 0;

	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "%s", name);
	if (io_write_all(fd, text.p, text.n) < 0)
		r = err_sys(e, ERR_IO, errno, "%s", name);
	if (close(fd) < 0 && r == 0)
		r = err_sys(e, ERR_IO, errno, "%s", name);
	return r;
}

static int reg_export(struct ctl *ctl, char **operands, int n)
{
	struct str_buf text = {0};
	struct err e;
	int code = CTL_OK;

	(void)n;
	if (registry_export(ctl->site, &text, &e) < 0)
		code = ctl_fail_err(&e);
	else if (strcmp(operands[0], "-") == 0)
		fwrite(text.p, 1, text.n, stdout);
	else if (file_write(operands[0], str_buf_view(&text), &e) < 0)
		code = ctl_fail_err(&e);
	str_buf_fini(&text);
	return code;
}

static int file_read(const char *name, struct str_buf *text, struct err *e)
{
	ssize_t r;

	if (strcmp(name, "-") != 0)
		return io_read_file(AT_FDCWD, name, REG_FILE_MAX, text, e);
	r = io_read_all(STDIN_FILENO, str_buf_room(text, REG_FILE_MAX + 1), REG_FILE_MAX + 1);
	if (r < 0)
		return err_sys(e, ERR_IO, errno, "standard input");
	if (r > REG_FILE_MAX)
		return err_set(e, ERR_TOOBIG, "standard input is over %d octets", REG_FILE_MAX);
	text->n += (size_t)r;
	return 0;
}

static int reg_import(struct ctl *ctl, char **operands, int n)
{
	struct str_buf text = {0};
	struct err e;
	int code = CTL_OK;

	(void)n;
	if (file_read(operands[0], &text, &e) < 0)
		code = ctl_fail_err(&e);
	else if (registry_import(ctl->site, str_buf_view(&text), &e) < 0) {
		err_context(&e, "%s: nothing was imported", operands[0]);
		code = ctl_fail_err(&e);
	}
	str_buf_fini(&text);
	return code;
}

/* --- the rows ------------------------------------------------------------------------------ */

static const struct verb_option query_options[] = {
    {'v', "value", "NAME", &value_name, "this value only"},
    {'s', "subkeys", NULL, &recursive, "subkeys too"},
    {0},
};
static const struct verb_option add_options[] = {
    {'v', "value", "NAME", &value_name, "the value's name; it may hold a subkey"},
    {'t', "type", "TYPE", &value_type, "REG_DWORD (the default for numbers) or REG_SZ"},
    {'d', "data", "DATA", &value_data, "a decimal number, 0x and hexadecimal, or text"},
    {'f', "force", NULL, &force, "taken for reg.exe's sake: nothing ever asks"},
    {0},
};
static const struct verb_option delete_options[] = {
    {'v', "value", "NAME", &value_name, "the value whose default is to be in force again"},
    {'f', "force", NULL, &force, "taken for reg.exe's sake: nothing ever asks"},
    {0},
};

const struct verb ctl_verb_reg = {
    .name = "reg",
    .summary = "read and change the settings by their registry names",
    .help = "KEY is a full path (HKLM stands for HKEY_LOCAL_MACHINE); without it,\n"
	    "  " REGISTRY_PARAMETERS_SYSTEM "\n"
	    "A change is in force at the next session that is opened. So, for the limit of KB 980049:\n\n"
	    "  postern reg export before.reg\n"
	    "  postern reg add -v 'Maximum Allowed Service Sessions Per User' -d 20\n"
	    "  postern reg add -v 'MaxObjsPerMapiSession\\objtMessage' -d 500\n"
	    "  postern reg delete -v 'Maximum Allowed Service Sessions Per User'\n"
	    "  postern reg import before.reg",
    .site = true,
    .slashes = true,
    .actions =
	(const struct verb_action[]){
	    {"query", "[KEY]", 0, 1, query_options, reg_query, "values, defaults included"},
	    {"add", "[KEY]", 0, 1, add_options, reg_add, "set a value"},
	    {"delete", "[KEY]", 0, 1, delete_options, reg_delete, "back to the default"},
	    {"export", "FILE", 1, 1, NULL, reg_export, "write a .reg file (- is standard output)"},
	    {"import", "FILE", 1, 1, NULL, reg_import, "apply a .reg file, all of it or nothing"},
	    {0},
	},
};

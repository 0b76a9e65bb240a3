/* ctl/ctl_alias.c - postern alias add|del|list */
#include "ctl/json.h"
#include "ctl/verb.h"
#include "store/directory.h"

#include <stdio.h>

static bool as_json;

static int alias_add(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	if (directory_alias_add(ctl->site, operands[0], operands[1], &e) == 0)
		return CTL_OK;
	return e.code == ERR_NOTFOUND ? ctl_no_user(operands[1]) : ctl_fail_err(&e);
}

static int alias_del(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	return directory_alias_delete(ctl->site, operands[0], &e) == 0 ? CTL_OK : ctl_fail("%s", e.what);
}

static void list_json(const struct directory_alias *list, size_t n)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	json_open(&j, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&j, '{');
		json_key(&j, "alias");
		json_text(&j, list[i].name);
		json_key(&j, "user");
		json_text(&j, list[i].user);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	puts(out.p);
	str_buf_fini(&out);
}

static int alias_list(struct ctl *ctl, char **operands, int n)
{
	struct directory_alias *list;
	struct arena arena = {0};
	struct err e;
	size_t list_n;
	int code = CTL_OK;

	(void)operands, (void)n;
	if (directory_aliases(ctl->site, &arena, &list, &list_n, &e) < 0)
		code = ctl_fail_err(&e);
	else if (as_json)
		list_json(list, list_n);
	else
		for (size_t i = 0; i < list_n; i++)
			printf("%s\t%s\n", list[i].name, list[i].user);
	arena_fini(&arena);
	return code;
}

static const struct verb_option list_options[] = {
    {0, "json", NULL, &as_json, "as JSON"},
    {0},
};

const struct verb ctl_verb_alias = {
    .name = "alias",
    .summary = "give users other names",
    .help = "An alias is a name, or an address with a domain, of one user: mail to it comes to him, and he may log in\n"
	    "with it. It counts as him everywhere.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"add", "ALIAS USER", 2, 2, NULL, alias_add, NULL},
	    {"del", "ALIAS", 1, 1, NULL, alias_del, NULL},
	    {"list", "", 0, 0, list_options, alias_list, NULL},
	    {0},
	},
};

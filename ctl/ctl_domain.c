/* ctl/ctl_domain.c - postern domain add|remove|rename|default|list */
#include "auth/pam.h"
#include "ctl/json.h"
#include "ctl/verb.h"
#include "mime/idn.h"
#include "store/domain.h"

#include <inttypes.h>
#include <stdio.h>

static bool as_json;

static int result(int r, const struct err *e)
{
	return r == 0 ? CTL_OK : e->code == ERR_NOTFOUND ? ctl_fail("%s", e->what) : ctl_fail_err(e);
}

static int add(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	return result(domain_add(ctl->site, operands[0], &e), &e);
}

static int take_away(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	return result(domain_remove(ctl->site, operands[0], &e), &e);
}

/* How passwords are checked (store.conf, by name) must not change by it: for PAM's users those of the store would be good. */
static int rename_it(struct ctl *ctl, char **operands, int n)
{
	const char *section = pam_section(ctl->site, operands[0]);
	struct err e;

	(void)n;
	if (section && !pam_section(ctl->site, operands[1]))
		return ctl_fail("store.conf: [%s] says how passwords are checked in it: write the same as [auth %s], and restart postern-authd, first",
		    section, operands[1]);
	return result(domain_rename(ctl->site, operands[0], operands[1], &e), &e);
}

static int set_default(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	return result(domain_set_default(ctl->site, operands[0], &e), &e);
}

static void list_json(const struct directory_domain *list, size_t n)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	json_open(&j, '[');
	for (size_t i = 0; i < n; i++) {
		struct str_buf shown = {0};

		idn_display(list[i].name, &shown);
		json_open(&j, '{');
		json_key(&j, "domain");
		json_text(&j, shown.p);
		json_key(&j, "ascii");
		json_text(&j, list[i].name);
		json_key(&j, "default");
		json_bool(&j, list[i].is_default);
		json_key(&j, "users");
		json_number(&j, (int64_t)list[i].users_n);
		json_key(&j, "aliases");
		json_number(&j, (int64_t)list[i].aliases_n);
		json_close(&j, '}');
		str_buf_fini(&shown);
	}
	json_close(&j, ']');
	puts(out.p);
	str_buf_fini(&out);
}

static void list_line(const struct directory_domain *domain)
{
	struct str_buf shown = {0};

	idn_display(domain->name, &shown);
	printf("%-30s %6" PRIu64 " users %6" PRIu64 " aliases%s\n", shown.p, domain->users_n, domain->aliases_n, domain->is_default ? "  default" : "");
	str_buf_fini(&shown);
}

static int list(struct ctl *ctl, char **operands, int n)
{
	struct directory_domain *all;
	struct arena arena = {0};
	struct err e;
	size_t all_n;
	int code = CTL_OK;

	(void)operands, (void)n;
	if (domain_list(ctl->site, &arena, &all, &all_n, &e) < 0)
		code = ctl_fail_err(&e);
	else if (as_json)
		list_json(all, all_n);
	else
		for (size_t i = 0; i < all_n; i++)
			list_line(&all[i]);
	arena_fini(&arena);
	return code;
}

static const struct verb_option list_options[] = {
    {0, "json", NULL, &as_json, "as JSON"},
    {0},
};

const struct verb ctl_verb_domain = {
    .name = "domain",
    .summary = "the domains that users are in",
    .help = "A user of a domain is called local@domain, one of the default domain by the local part alone; mail to a domain\n"
	    "that is not here is refused. A domain's name in its own script and in ASCII (xn--) are one.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"add", "DOMAIN", 1, 1, NULL, add, "a domain without users"},
	    {"remove", "DOMAIN", 1, 1, NULL, take_away, "one that has no users and aliases any more"},
	    {"rename", "DOMAIN NEW", 2, 2, NULL, rename_it, "with its users, aliases and all that is theirs; mail to the former name is refused"},
	    {"default", "DOMAIN", 1, 1, NULL, set_default, "whose users are called without it; addresses stay the same"},
	    {"list", "", 0, 0, list_options, list, NULL},
	    {0},
	},
};

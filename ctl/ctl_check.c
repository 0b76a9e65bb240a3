/* ctl/ctl_check.c - postern check [NAME...]: verifies mailboxes. */
#include "ctl/mailbox.h"
#include "store/directory.h"

#include <stdio.h>
#include <string.h>

/* Findings, one a line, each with the user's name in front. */
static void findings_print(const char *user, struct str_view report)
{
	while (report.n > 0) {
		const char *end = memchr(report.p, '\n', report.n);
		size_t n = end ? (size_t)(end - report.p) : report.n;

		if (n > 0)
			printf("%s: %.*s\n", user, (int)n, report.p);
		n += end != NULL;
		report = str_view(report.p + n, report.n - n);
	}
}

/* r: of the check. */
static int verdict_print(const char *whose, int r, const struct str_buf *report, size_t findings, const struct err *e)
{
	if (r < 0)
		printf("%s: can't be checked: %s\n", whose, e->what);
	else if (findings == 0)
		printf("%s: sound\n", whose);
	else
		findings_print(whose, str_buf_view(report));
	return r < 0 || findings ? CTL_FAILED : CTL_OK;
}

/* Before it is asked who there is. */
static int check_directory(struct ctl *ctl)
{
	static const char whose[] = "the directory"; /* no user's name has a blank */
	struct str_buf report = {0};
	size_t findings = 0;
	struct err e;
	int r, code;

	r = directory_check(ctl->site, &report, &findings, &e);
	code = verdict_print(whose, r, &report, findings, &e);
	str_buf_fini(&report);
	return code;
}

/* CTL_OK: sound.  A mailbox that can't be opened is a finding as well. */
static int check_one(struct ctl *ctl, const char *user)
{
	struct str_buf report = {0};
	struct mailbox m;
	size_t findings = 0;
	struct err e;
	int r, code;

	if (ctl_mailbox_open_quietly(ctl, user, &m, &e) < 0) {
		if (e.code == ERR_NOTFOUND)
			return ctl_no_user(user);
		printf("%s: can't be opened: %s\n", user, e.what);
		return CTL_FAILED;
	}
	r = store_check(m.store, &report, &findings, &e);
	code = verdict_print(user, r, &report, findings, &e);
	ctl_mailbox_close(&m);
	str_buf_fini(&report);
	return code;
}

static int check_run(struct ctl *ctl, char **operands, int n)
{
	struct arena arena = {0};
	struct directory_user *list = NULL;
	size_t list_n = 0;
	struct err e;
	int code = CTL_OK;

	if (n == 0)
		code = check_directory(ctl);
	if (n == 0 && directory_users(ctl->site, &arena, &list, &list_n, &e) < 0)
		code = ctl_fail_err(&e);
	for (size_t i = 0; i < list_n; i++)
		code |= check_one(ctl, list[i].name);
	for (int i = 0; i < n; i++)
		code |= check_one(ctl, operands[i]);
	arena_fini(&arena);
	return code;
}

const struct verb ctl_verb_check = {
    .name = "check",
    .summary = "verify mailboxes and the directory",
    .help = "Without NAME the directory and every mailbox are checked: names and their domains; counters,\n"
	    "references, UIDs, sizes; and the databases themselves. It may run while the mailbox is in use. Exit status 1: something was found.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "[NAME...]", 0, -1, NULL, check_run, NULL},
	    {0},
	},
};

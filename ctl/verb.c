/* ctl/verb.c - finds a verb's action, parses its options, opens the site, runs it; and the help. */
#include "ctl/verb.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 24

#define VERB(id) extern const struct verb ctl_verb_##id;
#include "ctl_verbs.tbl.h"
#undef VERB

const struct verb *const verbs[] = {
#define VERB(id) &ctl_verb_##id,
#include "ctl_verbs.tbl.h"
#undef VERB
    NULL,
};

/* Every verb takes these beside its own. */
static bool want_help;
static const struct verb_option common_options[] = {
    {'h', "help", NULL, &want_help, "say what this verb does"},
    {0},
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *const *verb = verbs; *verb; verb++)
		if (strcmp((*verb)->name, name) == 0)
			return *verb;
	return NULL;
}

static const struct verb_action *action_find(const struct verb *verb, const char *name)
{
	for (const struct verb_action *action = verb->actions; action->run; action++)
		if (action->name && strcmp(action->name, name) == 0)
			return action;
	return NULL;
}

/* --- options ------------------------------------------------------------------------------- */

/* What getopt_long wants, built from rows: val is an index into `rows`, from 256 on. */
struct parser {
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 2];
	const struct verb_option *rows[OPTIONS_MAX];
	int n;
};

static void parser_add(struct parser *p, const struct verb_option *rows)
{
	size_t at = strlen(p->shorts);

	for (const struct verb_option *row = rows; row && row->name && p->n < OPTIONS_MAX; row++) {
		p->longs[p->n] = (struct option){row->name,
		    row->arg ? required_argument : no_argument, NULL, 256 + p->n};
		p->rows[p->n++] = row;
		if (!row->letter)
			continue;
		p->shorts[at++] = row->letter;
		if (row->arg)
			p->shorts[at++] = ':';
	}
	p->shorts[at] = '\0';
}

static const struct verb_option *parser_row(const struct parser *p, int c)
{
	if (c >= 256)
		return p->rows[c - 256];
	for (int i = 0; i < p->n; i++)
		if (p->rows[i]->letter == c)
			return p->rows[i];
	return NULL;
}

/* Options may stand anywhere; the operands are left at argv + the number returned; -1: bad. */
static int options_parse(const struct verb_option *options, int argc, char **argv)
{
	struct parser p = {0};
	int c;

	parser_add(&p, options);
	parser_add(&p, common_options);
	optind = 0; /* glibc: start anew, with argv permuted */
	while ((c = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
		const struct verb_option *row = parser_row(&p, c);

		if (!row)
			return -1;
		if (row->arg)
			*(const char **)row->to = optarg;
		else
			*(bool *)row->to = true;
	}
	return optind;
}

/* reg.exe's spelling: /v and /V become -v; nothing else begins with a slash and has one letter. */
static void slashes_to_dashes(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '/' && argv[i][1] && !argv[i][2]) {
			argv[i][0] = '-';
			argv[i][1] = (char)(argv[i][1] | 0x20);
		}
}

/* --- running ------------------------------------------------------------------------------- */

static const struct verb_action *action_choose(const struct ctl *ctl, int *argc, char ***argv)
{
	const struct verb *verb = ctl->verb;
	const struct verb_action *action = NULL;

	if (!verb->actions[0].name)
		return &verb->actions[0];
	if (*argc > 1 && (action = action_find(verb, (*argv)[1]))) {
		(*argc)--;
		(*argv)++;
		return action;
	}
	if (verb->otherwise && (*argc == 1 || (*argv)[1][0] == '-'))
		return action_find(verb, verb->otherwise);
	if (*argc > 1 && (strcmp((*argv)[1], "--help") == 0 || strcmp((*argv)[1], "-h") == 0)) {
		want_help = true;
		return NULL;
	}
	if (*argc > 1)
		ctl_usage(ctl, "%s has no `%s`", verb->name, (*argv)[1]);
	else
		ctl_usage(ctl, "%s what?", verb->name);
	return NULL;
}

int ctl_site_open(struct ctl *ctl)
{
	struct err e;

	if (site_open(ctl_store_dir(ctl), "postern", &ctl->site, &e) == 0)
		return 0;
	ctl_fail_err(&e); /* site_open's NOTFOUND says how a store is made */
	return -1;
}

void ctl_site_close(struct ctl *ctl)
{
	if (ctl->site)
		site_close(&ctl->site);
}

static int action_run(struct ctl *ctl, char **operands, int n)
{
	const struct verb_action *action = ctl->action;
	int code;

	if (n < action->least_n)
		return ctl_usage(ctl, "%s is missing", n == 0 ? action->operands : "an operand");
	if (action->most_n >= 0 && n > action->most_n)
		return ctl_usage(ctl, "`%s` is one operand too many", operands[action->most_n]);
	if (ctl->verb->site && ctl_site_open(ctl) < 0)
		return CTL_FAILED;
	code = action->run(ctl, operands, n);
	ctl_site_close(ctl);
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code != CTL_OK)
		return code;
	if (errno == EPIPE)
		return CTL_FAILED; /* `postern events | head`: nobody wants to hear of it */
	return ctl_fail("standard output could not be written");
}

int verb_run(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	int first;

	want_help = false;
	ctl->verb = verb;
	ctl->action = action_choose(ctl, &argc, &argv);
	if (ctl->action) {
		if (verb->slashes)
			slashes_to_dashes(argc, argv);
		first = options_parse(ctl->action->options, argc, argv);
		if (first < 0 && !want_help)
			return ctl_usage(ctl, "an option is wrong");
		if (!want_help)
			return action_run(ctl, argv + first, argc - first);
	}
	if (!want_help)
		return CTL_USAGE;
	verb_help(verb);
	return CTL_OK;
}

/* --- help ---------------------------------------------------------------------------------- */

static void options_help(const struct verb_option *rows)
{
	for (const struct verb_option *row = rows; row && row->name; row++) {
		char left[64];

		snprintf(left, sizeof left, "%c%c%s --%s%s%s", row->letter ? '-' : ' ',
		    row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
		    row->arg ? " " : "", row->arg ? row->arg : "");
		printf("    %-28s %s\n", left, row->help);
	}
}

void verb_help(const struct verb *verb)
{
	printf("postern %s - %s\n\n", verb->name, verb->summary);
	for (const struct verb_action *a = verb->actions; a->run; a++) {
		printf("  postern %s%s%s%s%s%s\n", verb->name, a->name ? " " : "",
		    a->name ? a->name : "", a->options ? " [OPTIONS]" : "", *a->operands ? " " : "",
		    a->operands);
		if (a->summary)
			printf("      %s\n", a->summary);
		options_help(a->options);
	}
	if (verb->help)
		printf("\n%s\n", verb->help);
	printf("\n--store DIR names the store, before or after the verb; else $POSTERN_STORE, else"
	       " /var/lib/postern.\nThe manual: postern-%s(1).\n", verb->name);
}

void verb_list(void)
{
	puts("postern - a mail store whose sessions are counted\n\n"
	     "usage: postern [--store DIR] VERB ...\n");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		printf("  %-14s %s\n", (*verb)->name, (*verb)->summary);
	puts("\n`postern VERB --help` says how a verb is used.");
}

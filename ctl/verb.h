/*
 * The verbs of `postern`: one file ctl_<verb>.c and its name in ctl/meson.build.  A verb is data:
 * the forms it takes, its options, its help; the dispatcher (verb.c) parses options, counts the
 * operands, opens the site where one is needed, and runs the action.  So `--help` can't lie.
 */
#ifndef CTL_VERB_H
#define CTL_VERB_H

#include "base/err.h"
#include "limits/site.h"

#include <stdbool.h>

/* Exit codes.  USAGE is sysexits' EX_USAGE: 2 means something else to `sessions end`. */
enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_NO_ANSWER = 2, CTL_USAGE = 64 };

struct ctl {
	const char *store_dir; /* --store, or NULL */
	struct site *site;     /* open while an action of a verb with .site runs */
	const struct verb *verb;
	const struct verb_action *action;
};

/* An option: a flag (arg NULL, to: bool *) or one with an argument (to: const char **). */
struct verb_option {
	char letter; /* 0: no short form */
	const char *name, *arg;
	void *to;
	const char *help;
};

struct verb_action {
	const char *name;     /* "add" of `user add`; NULL: the verb's only action */
	const char *operands; /* as shown: "NAME FOLDER" */
	int least_n, most_n;  /* operands; most_n < 0: any number */
	const struct verb_option *options; /* ends with a row without name; NULL: none */
	int (*run)(struct ctl *ctl, char **operands, int n); /* an enum ctl_exit */
	const char *summary;
};

struct verb {
	const char *name, *summary;
	const char *help;                  /* paragraphs under the forms; may be NULL */
	const struct verb_action *actions; /* ends with a row without run */
	const char *otherwise;             /* the action when none is named; NULL: one must be */
	bool site;                         /* open the site before an action runs */
	bool slashes;                      /* takes reg.exe's /v for -v */
};

/* All verbs, in the order of the help; ends with NULL. */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *name);
/* argv[0] is the verb's name. */
int verb_run(struct ctl *ctl, const struct verb *verb, int argc, char **argv);
void verb_help(const struct verb *verb);
/* What `postern help` shows. */
void verb_list(void);

/* --- what actions say ----------------------------------------------------------------------- */
/* "postern: " and a line on stderr. */
void ctl_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Where what was changed is in front of the store's own limit: the note (store/limit_note.h), line by line. */
void ctl_note(struct ctl *ctl, const char *changed);
/* As ctl_say; returns CTL_FAILED. */
int ctl_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* An error and what to do next; returns CTL_FAILED. */
int ctl_fail_err(const struct err *e);
/* A user's name that leads nowhere; returns CTL_FAILED. */
int ctl_no_user(const char *name);
/* "postern: ..., see postern VERB --help"; returns CTL_USAGE. */
int ctl_usage(const struct ctl *ctl, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* --store's folder, as programs that postern starts are to be told it. */
const char *ctl_store_dir(const struct ctl *ctl);

/* Opens and closes a site for an action of a verb without .site. */
WARN_UNUSED int ctl_site_open(struct ctl *ctl);
void ctl_site_close(struct ctl *ctl);

#endif

/* ctl/ctl_import.c - postern import NAME [--folder FOLDER] [--recursive-folders] PATH... */
#include "base/clock.h"
#include "ctl/import.h"
#include "ctl/mailbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *folder_option;
static bool recursive_folders, quiet;

/* "/" is the mailbox's top: subfolders become its folders, and what lies beside them goes to INBOX. */
static int target_name(struct arena *arena, const char **name_r, struct err *e)
{
	struct str_buf name = {0};
	int r;

	*name_r = "";
	if (folder_option && strcmp(folder_option, "/") == 0)
		return 0;
	r = folder_name_check(folder_option ? str_view(folder_option, strlen(folder_option))
					    : SV("INBOX"), &name, e);
	if (r == 0)
		*name_r = arena_strn(arena, name.p, name.n);
	str_buf_fini(&name);
	return r;
}

static void tell(const struct import *im, const char *name)
{
	int64_t ms = clock_mono_ms() - im->started_ms;

	if (quiet)
		return;
	ctl_say("%" PRIu64 " messages imported for %s, %.1f MB in %.1f s; %" PRIu64
		" skipped, %" PRIu64 " left out", im->messages, name, (double)im->octets / 1e6,
	    (double)ms / 1e3, im->skipped, im->refused);
}

static int import_all(struct import *im, char **paths, int n, struct err *e)
{
	struct arena arena = {0};
	struct import_folder to = {0};
	int r = target_name(&arena, &to.name, e);
	struct err later;

	for (int i = 0; r == 0 && i < n; i++)
		r = import_path(im, paths[i], &to, e);
	/* What was read before a fault goes in all the same; the first fault is the one told. */
	if (import_finish(im, r == 0 ? e : &later) < 0)
		r = -1;
	import_progress_end(im);
	arena_fini(&arena);
	return r;
}

static int import_run(struct ctl *ctl, char **operands, int n)
{
	struct import im;
	struct mailbox m;
	struct err e;
	int code;

	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	import_init(&im, m.store);
	im.recursive_folders = recursive_folders;
	im.progress = !quiet && isatty(STDERR_FILENO);
	import_catch_interrupt();
	code = import_all(&im, operands + 1, n - 1, &e) == 0 ? CTL_OK : ctl_fail_err(&e);
	if (im.refused > 0)
		code = CTL_FAILED;
	tell(&im, operands[0]);
	import_fini(&im);
	ctl_mailbox_close(&m);
	return code;
}

static const struct verb_option options[] = {
    {0, "folder", "FOLDER", &folder_option, "where to (INBOX); made if missing; / is the top"},
    {0, "recursive-folders", NULL, &recursive_folders, "subfolders become folders below it"},
    {'q', "quiet", NULL, &quiet, "no progress and no summary"},
    {0},
};

const struct verb ctl_verb_import = {
    .name = "import",
    .summary = "bring mail in: Maildirs, mbox files, single messages",
    .help = "  postern import alice ~/Maildir --recursive-folders\n"
	    "  postern import alice old.mbox --folder Archive/2019\n\n"
	    "A folder is walked: Maildirs (with their flags), mbox files, *.eml, and any file that begins\n"
	    "with a header line are taken; the rest is named and skipped. Messages are kept byte for byte.\n"
	    "INTERNALDATE is a Maildir file's time, an mbox message's From_ line, else the Date: field.\n"
	    "Exit status 1: something that is mail could not be taken.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "NAME PATH...", 2, -1, options, import_run, NULL},
	    {0},
	},
};

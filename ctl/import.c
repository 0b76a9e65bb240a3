/* ctl/import.c - the sink of an import: messages in batches, folders as they are needed, progress. */
#include "ctl/import.h"

#include "base/clock.h"
#include "ctl/verb.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SHOW_EVERY_MS 200

/* --- interruption -------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

void import_catch_interrupt(void)
{
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool import_is_interrupted(void)
{
	return interrupted;
}

/* --- folders ------------------------------------------------------------------------------- */

int import_folder_find(struct import *im, struct import_folder *folder, struct err *e)
{
	struct arena arena = {0};
	struct folder_info info;
	const char *name = *folder->name ? folder->name : "INBOX";
	int r;

	if (folder->id.n)
		return 0;
	r = folder_by_name(im->store, name, &arena, &info, e);
	if (r == 0)
		folder->id = info.id;
	else if (e->code == ERR_NOTFOUND)
		r = folder_create(im->store, name, FOLDER_NO_USE, &folder->id, e);
	arena_fini(&arena);
	return r;
}

int import_subfolder(const struct import_folder *parent, const char *entry, bool of_maildir,
    struct arena *arena, struct import_folder *folder_r, struct err *e)
{
	struct str_buf raw = {0}, name = {0};
	bool dots = of_maildir && entry[0] == '.'; /* Maildir++: .A.B is B in A */
	int r;

	str_buf_printf(&raw, "%s%s%s", parent->name, *parent->name ? "/" : "", entry + dots);
	for (size_t i = raw.n - strlen(entry + dots); dots && i < raw.n; i++)
		if (raw.p[i] == '.')
			raw.p[i] = '/';
	r = folder_name_check(str_buf_view(&raw), &name, e);
	if (r == 0)
		*folder_r = (struct import_folder){.name = arena_strn(arena, name.p, name.n)};
	str_buf_fini(&raw);
	str_buf_fini(&name);
	return r;
}

/* --- progress ------------------------------------------------------------------------------ */

static void progress_write(const struct import *im)
{
	int64_t ms = clock_mono_ms() - im->started_ms;
	uint64_t n = im->messages + im->batch_n;

	fprintf(stderr, "\r%" PRIu64 " messages, %.1f MB, %" PRIu64 " a second \033[K", n,
	    (double)(im->octets + im->batch_octets) / 1e6,
	    ms > 0 ? n * 1000 / (uint64_t)ms : n);
}

void import_progress(struct import *im)
{
	int64_t now_ms = clock_mono_ms();

	if (!im->progress || now_ms - im->shown_ms < SHOW_EVERY_MS)
		return;
	im->shown_ms = now_ms;
	progress_write(im);
}

void import_progress_end(struct import *im)
{
	if (im->progress && im->shown_ms)
		fputs("\r\033[K", stderr);
	im->shown_ms = 0;
}

/* --- the sink ------------------------------------------------------------------------------ */

static const char *const forwarded[] = {"$Forwarded"};

int import_flush(struct import *im, struct err *e)
{
	struct append_done done[IMPORT_BATCH_N];
	size_t n = im->batch_n;

	if (n == 0)
		return 0;
	im->batch_n = 0; /* append_commit frees them, also on error */
	if (append_commit(im->appends, im->how, n, done, e) < 0)
		return err_context(e, "%zu messages from %s on were not imported", n, im->first_path);
	im->messages += n;
	im->octets += im->batch_octets;
	im->batch_octets = 0;
	return 0;
}

static int sink_begin(void *arg, struct err *e)
{
	struct import *im = arg;

	if (import_folder_find(im, im->folder, e) < 0)
		return err_context(e, "folder %s", im->folder->name);
	return append_begin(im->store, &im->open, e);
}

/* A message that is too large is left out, and named; the import goes on without it. */
static int sink_write(void *arg, const void *octets, size_t n, struct err *e)
{
	struct import *im = arg;

	if (!im->open || append_write(im->open, octets, n, e) == 0)
		return 0;
	append_abort(&im->open);
	if (e->code != ERR_TOOBIG)
		return err_context(e, "%s", im->path);
	im->refused++;
	import_progress_end(im);
	ctl_say("%s: a message is left out: %s; the setting MessageSizeMax allows more", im->path,
	    e->what);
	return 0;
}

static int sink_end(void *arg, const struct mail_about *about, struct err *e)
{
	struct import *im = arg;

	if (!im->open)
		return 0;
	if (append_size(im->open) == 0) {
		append_abort(&im->open);
		im->skipped++;
		import_progress_end(im);
		ctl_say("%s: skipped an empty message", im->path);
		return 0;
	}
	if (im->batch_n == 0)
		snprintf(im->first_path, sizeof im->first_path, "%s", im->path);
	im->how[im->batch_n] = (struct append_how){
	    .folder = im->folder->id,
	    .flags = about->flags,
	    .keywords = about->forwarded ? forwarded : NULL,
	    .keywords_n = about->forwarded,
	    .idate_ms = about->idate_ms,
	    .zone_min = about->zone_min,
	};
	im->batch_octets += append_size(im->open);
	im->appends[im->batch_n++] = im->open;
	im->open = NULL;
	import_progress(im);
	if (im->batch_n < IMPORT_BATCH_N && im->batch_octets < IMPORT_BATCH_OCTETS)
		return 0;
	return import_flush(im, e);
}

void import_init(struct import *im, struct store *store)
{
	*im = (struct import){.store = store, .started_ms = clock_mono_ms()};
	im->sink = (struct mail_sink){sink_begin, sink_write, sink_end, im};
}

void import_fini(struct import *im)
{
	if (im->open)
		append_abort(&im->open);
	for (size_t i = 0; i < im->batch_n; i++)
		append_abort(&im->appends[i]);
	im->batch_n = 0;
}

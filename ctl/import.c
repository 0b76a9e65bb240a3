/* ctl/import.c - the sink of an import: messages in batches, folders as they are needed, progress. */
#include "ctl/import.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "ctl/export.h"
#include "ctl/verb.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

	str_buf_printf(&raw, "%s%s", parent->name, *parent->name ? "/" : "");
	if (dots)
		str_buf_puts(&raw, entry + 1);
	else
		export_component_read(entry, &raw);
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

/* Read, and not yet known to be committed. */
static uint64_t in_flight_n(const struct import *im)
{
	return im->filling->n + (im->committing ? im->committing->n : 0);
}

static uint64_t in_flight_octets(const struct import *im)
{
	return im->filling->octets + (im->committing ? im->committing->octets : 0);
}

static void progress_write(const struct import *im)
{
	int64_t ms = clock_mono_ms() - im->started_ms;
	uint64_t n = im->messages + in_flight_n(im);

	fprintf(stderr, "\r%" PRIu64 " messages, %.1f MB, %" PRIu64 " a second \033[K", n,
	    (double)(im->octets + in_flight_octets(im)) / 1e6,
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

/* --- batches ------------------------------------------------------------------------------- */

/* The committer's thread.  What it touches of im is its own until it is joined. */
static void *commit(void *arg)
{
	struct append_done done[IMPORT_BATCH_N];
	struct import *im = arg;
	struct import_batch *batch = im->committing;

	im->commit_result = append_commit(batch->appends, batch->how, batch->n, done, &im->commit_err);
	return NULL;
}

/* Waits for the batch that is being committed, and takes its result. */
static int collect(struct import *im, struct err *e)
{
	struct import_batch *batch = im->committing;

	if (!batch)
		return 0;
	pthread_join(im->committer, NULL);
	im->committing = NULL;
	if (im->commit_result < 0) {
		*e = im->commit_err;
		err_context(e, "%zu messages from %s on were not imported", batch->n, batch->first_path);
	} else {
		im->messages += batch->n;
		im->octets += batch->octets;
	}
	mem_free(&batch);
	return im->commit_result;
}

/* Hands the batch over to a committer, once the one before is in; a fault told here is of that one. */
static int flush(struct import *im, struct err *e)
{
	if (collect(im, e) < 0)
		return -1;
	im->committing = im->filling;
	im->filling = mem_alloc(sizeof *im->filling);
	if (thread_start(&im->committer, commit, im) == 0)
		return 0;
	mem_free(&im->filling);
	im->filling = im->committing;
	im->committing = NULL;
	return err_set(e, ERR_TEMP, "no thread to commit with");
}

int import_finish(struct import *im, struct err *e)
{
	struct err later;
	int r = collect(im, e);

	if (im->filling->n && flush(im, r == 0 ? e : &later) < 0)
		r = -1;
	if (collect(im, r == 0 ? e : &later) < 0)
		r = -1;
	return r;
}

/* --- the sink ------------------------------------------------------------------------------ */

static const char *const forwarded[] = {"$Forwarded"};

static int sink_begin(void *arg, struct err *e)
{
	struct import *im = arg;

	if (import_folder_find(im, im->folder, e) < 0)
		return err_context(e, "folder %s", im->folder->name);
	return append_begin(im->store, &im->open, e);
}

/* A message that is too large is left out, and named; the import goes on without it. */
static int leave_out(struct import *im, struct err *e)
{
	append_abort(&im->open);
	if (e->code != ERR_TOOBIG)
		return err_context(e, "%s", im->path);
	im->refused++;
	import_progress_end(im);
	ctl_say("%s: a message is left out: %s; the setting MessageSizeMax allows more", im->path,
	    e->what);
	return 0;
}

static int sink_write(void *arg, const void *octets, size_t n, struct err *e)
{
	struct import *im = arg;

	if (!im->open || append_write(im->open, octets, n, e) == 0)
		return 0;
	return leave_out(im, e);
}

static void batch_add(struct import *im, const struct mail_about *about)
{
	struct import_batch *batch = im->filling;

	if (batch->n == 0)
		snprintf(batch->first_path, sizeof batch->first_path, "%s", im->path);
	batch->how[batch->n] = (struct append_how){
	    .folder = im->folder->id,
	    .flags = about->flags,
	    .keywords = about->forwarded ? forwarded : NULL,
	    .keywords_n = about->forwarded,
	    .idate_ms = about->idate_ms,
	    .zone_min = about->zone_min,
	};
	batch->octets += append_size(im->open);
	batch->appends[batch->n++] = im->open;
	im->open = NULL;
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
	if (append_finish(im->open, e) < 0) /* here, and not in the committer, which is the slower of the two */
		return leave_out(im, e);
	batch_add(im, about);
	import_progress(im);
	if (im->filling->n < im->full_n && im->filling->octets < IMPORT_BATCH_OCTETS)
		return 0;
	im->full_n = im->full_n * 2 < IMPORT_BATCH_N ? im->full_n * 2 : IMPORT_BATCH_N;
	return flush(im, e);
}

void import_init(struct import *im, struct store *store)
{
	*im = (struct import){.store = store, .started_ms = clock_mono_ms()};
	im->filling = mem_alloc(sizeof *im->filling);
	im->full_n = IMPORT_BATCH_FIRST_N;
	im->sink = (struct mail_sink){sink_begin, sink_write, sink_end, im};
}

void import_fini(struct import *im)
{
	if (im->open)
		append_abort(&im->open);
	for (size_t i = 0; i < im->filling->n; i++)
		append_abort(&im->filling->appends[i]);
	mem_free(&im->filling);
}
